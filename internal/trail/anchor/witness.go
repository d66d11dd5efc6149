package anchor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// Witness is a server that remembers the newest checkpoint of a trail, checks by
// proof that each one goes on from it, and cosigns (C2SP tlog-witness,
// tlog-cosignature v1).
type Witness struct {
	url    string
	key    note.Verifier
	every  time.Duration
	client *http.Client
	now    func() time.Time
}

// maxAnswer bounds what a witness or a time stamping authority may answer.
const maxAnswer = 64 << 10

// NewWitness names a witness by its submission prefix and its verifier's key.
func NewWitness(prefix, key string, every time.Duration, c *http.Client, now func() time.Time) (*Witness, error) {
	u, err := remote("witness", prefix)
	if err != nil {
		return nil, err
	}
	v, err := formats.NewVerifierForCosignatureV1(strings.TrimSpace(key))
	if err != nil {
		return nil, problem.New(problem.Usage, "the key of the witness %s cannot be read", prefix).
			WithHint("it looks like witness.example.com/w1+a1b2c3d4+B…: its operator publishes it")
	}
	return &Witness{strings.TrimRight(u.String(), "/"), v, every, careful(c), now}, nil
}

// remote reads an address of the network: https, or http on this machine.
func remote(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, problem.New(problem.Usage, "the address of the %s cannot be read", what).WithHint("https://host/path")
	}
	switch u.Scheme {
	case "https":
	case "http": // signed answers need no secrecy: time stamping authorities are often http
		if what != "time stamping authority" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
			return nil, problem.New(problem.Usage, "the address of the %s is not https", what)
		}
	default:
		return nil, problem.New(problem.Usage, "the address of the %s is not https", what)
	}
	return u, nil
}

// careful is a client that follows nobody elsewhere.
func careful(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{}
	}
	d := *c
	d.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &d
}

// Name is witness: and the address.
func (w *Witness) Name() string { return "witness:" + w.url }

// Every is how often it gets a checkpoint.
func (w *Witness) Every() time.Duration { return w.every }

// Send asks for a cosignature, and gives it back as a line of a signed note.
func (w *Witness) Send(ctx context.Context, s *trail.Sending) ([]byte, error) {
	old := s.Known
	for range 2 {
		proof, has, err := w.add(ctx, s, old)
		if err != nil || proof != nil {
			return proof, err
		}
		// It remembers another size than we do.
		if has > s.Size {
			return nil, s.Fits(trail.Checkpoint{Origin: s.Origin, Size: has})
		}
		if has < s.Known {
			return nil, problem.New(problem.Conflict, "the witness %s cosigned %d entries and remembers %d: it was set back, or is another one", w.url,
				s.Known, has)
		}
		if has == old {
			return nil, problem.New(problem.Conflict,
				"the witness %s holds another checkpoint of %d entries than the trail's: these were changed or written anew", w.url, has)
		}
		old = has
	}
	return nil, problem.New(problem.BadInput, "the witness %s says one size and another", w.url)
}

// add is one request. Where the witness remembers another size, that is has.
func (w *Witness) add(ctx context.Context, s *trail.Sending, old int64) (proof []byte, has int64, err error) {
	if old > s.Size {
		return nil, 0, s.Fits(trail.Checkpoint{Origin: s.Origin, Size: old})
	}
	hashes, err := s.Prove(old)
	if err != nil {
		return nil, 0, err
	}
	body := fmt.Appendf(nil, "old %d\n", old)
	for _, h := range hashes {
		body = append(base64.StdEncoding.AppendEncode(body, h[:]), '\n')
	}
	body = append(append(body, '\n'), s.Note...)
	status, kind, answer, err := post(ctx, w.client, w.url+"/add-checkpoint", "", body, "the witness "+w.url)
	if err != nil {
		return nil, 0, err
	}
	switch status {
	case http.StatusOK:
		at, err := w.cosigned(s.Note, answer)
		if err == nil && at.After(w.now().Add(5*time.Minute)) {
			err = problem.New(problem.BadInput, "the cosignature of the witness %s is of the future: %s", w.url, at.UTC().Format(time.RFC3339))
		}
		return answer, 0, err
	case http.StatusConflict:
		text := strings.TrimSuffix(string(answer), "\n")
		has, err := strconv.ParseInt(text, 10, 64)
		if err != nil || has < 0 || strconv.FormatInt(has, 10) != text || !strings.HasPrefix(kind, "text/x.tlog.size") {
			return nil, 0, problem.New(problem.BadInput, "the witness %s answered a conflict without a size", w.url)
		}
		return nil, has, nil
	case http.StatusUnprocessableEntity:
		return nil, 0, problem.New(problem.Conflict,
			"the witness %s holds a checkpoint of %d entries that is not the beginning of the trail: these were changed or written anew", w.url, old)
	case http.StatusNotFound, http.StatusForbidden:
		return nil, 0, problem.New(problem.BadInput, "the witness %s does not know this trail or its key (%d)", w.url, status)
	}
	return nil, 0, problem.New(problem.BadInput, "the witness %s answered %d", w.url, status)
}

// cosigned checks a cosignature over a note, and gives its time.
func (w *Witness) cosigned(raw, lines []byte) (time.Time, error) {
	refuse := problem.New(problem.BadInput, "the cosignature of the witness %s does not verify", w.url)
	if len(lines) == 0 || len(lines) > 8<<10 || !bytes.HasSuffix(lines, []byte{'\n'}) || bytes.Contains(lines, []byte("\n\n")) {
		return time.Time{}, refuse
	}
	n, err := note.Open(append(bytes.Clone(raw), lines...), note.VerifierList(w.key))
	if err != nil || len(n.Sigs) != 1 {
		return time.Time{}, refuse
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil || len(sig) < 12 {
		return time.Time{}, refuse
	}
	sec := binary.BigEndian.Uint64(sig[4:12])
	if sec > 1<<40 {
		return time.Time{}, refuse
	}
	return time.Unix(int64(sec), 0).UTC(), nil
}

// Held checks the cosignatures that were kept, and asks the witness whether the
// newest checkpoint of them is still not behind what it remembers.
func (w *Witness) Held(ctx context.Context, known []note.Verifier, kept []trail.Kept, each func(trail.Mark) error) error {
	for _, k := range kept {
		m := mark(k.Note, known)
		at, err := w.cosigned(k.Note, k.Proof)
		switch {
		case err != nil:
			m.Bad = "a cosignature that was kept of it does not verify: it was changed"
		case at.After(w.now().Add(5 * time.Minute)):
			m.Bad = "a cosignature that was kept of it is of the future"
		}
		m.At, m.Unsigned = at, false // the cosignature is its signature
		if err := each(m); err != nil {
			return err
		}
	}
	if len(kept) == 0 {
		return problem.New(problem.NotFound, "nothing it cosigned was kept: partnerguard trail anchor asks it")
	}
	last := kept[len(kept)-1]
	c, err := trail.PeekNote(last.Note)
	if err != nil {
		return nil // said already
	}
	s := &trail.Sending{Checkpoint: c, Note: last.Note, Known: c.Size, Prove: func(int64) ([]trail.Hash, error) { return nil, nil },
		Root: func(int64) (trail.Hash, error) { return c.Root, nil }}
	_, has, err := w.add(ctx, s, c.Size)
	switch {
	case err != nil && errors.Is(err, problem.Conflict):
		return err
	case err != nil:
		return problem.New(problem.BadInput, "what it cosigned before was compared, and it does not answer now: %s", err)
	case has > c.Size:
		return each(trail.Mark{Checkpoint: trail.Checkpoint{Origin: c.Origin, Size: has}, Told: true, Bad: fmt.Sprintf(
			"it remembers %d entries, and the newest cosignature kept here is of %d: later ones were removed, or the trail was cut", has, c.Size)})
	case has > 0 && has < c.Size:
		return problem.New(problem.Conflict, "it remembers %d entries and cosigned %d: it was set back, or is another one", has, c.Size)
	case has == c.Size && has > 0:
		return problem.New(problem.Conflict, "it holds another checkpoint of %d entries", has)
	}
	return nil
}

// post sends a body, and reads a bounded answer.
func post(ctx context.Context, c *http.Client, to, kind string, body []byte, who string) (status int, answered string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, problem.Wrap(err, problem.Internal, "%s cannot be asked", who)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := c.Do(r)
	if err != nil {
		return 0, "", nil, problem.Wrap(err, problem.BadInput, "%s does not answer", who)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(answer) > maxAnswer {
		return 0, "", nil, problem.New(problem.BadInput, "the answer of %s cannot be read", who)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), answer, nil
}
