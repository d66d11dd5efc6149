package pack

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Asked is a pack that somebody asked for, and how far it is. It is made by a job.
type Asked struct {
	ID          string    `json:"id"`
	Actor       string    `json:"actor"`
	At          time.Time `json:"at"`
	Tenant      string    `json:"tenant"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Reader      string    `json:"reader"`
	Evidence    string    `json:"evidence"`
	Redact      []string  `json:"redact,omitempty"`
	Keep        []string  `json:"keep,omitempty"`
	NotRejudged bool      `json:"notRejudged,omitempty"`

	Begun time.Time `json:"begun,omitzero"`
	Done  int64     `json:"done,omitempty"` // bytes of evidence that are written
	Of    int64     `json:"of,omitempty"`
	Ended time.Time `json:"ended,omitzero"`
	Pack  string    `json:"pack,omitempty"` // its name, once it is made
	Error string    `json:"error,omitempty"`
	Hint  string    `json:"hint,omitempty"`
}

// Options are what is asked for.
func (a *Asked) Options() Options {
	return Options{Tenant: a.Tenant, From: a.From, To: a.To, Reader: a.Reader, Evidence: a.Evidence, Redact: a.Redact, Keep: a.Keep, NotRejudged: a.NotRejudged}
}

// AskOf is a new one for options, by somebody.
func AskOf(o *Options, actor string, at time.Time) *Asked {
	return &Asked{ID: hex.EncodeToString(token.Bytes(8)), Actor: actor, At: at.UTC(), Tenant: o.Tenant, From: o.From.UTC(), To: o.To.UTC(), Reader: o.Reader,
		Evidence: o.Evidence, Redact: o.Redact, Keep: o.Keep, NotRejudged: o.NotRejudged}
}

// AsksKept is how long it is told what became of one.
const AsksKept = 7 * 24 * time.Hour

// mostAsks bounds how many wait or are remembered at once, and maxAsk the file of one.
const (
	mostAsks = 200
	maxAsk   = 64 << 10
)

// Asks remembers what was asked for in a folder, a file each. Safe for concurrent use, by
// several processes too: one process alone works on one ask.
type Asks struct {
	Dir string
	Now func() time.Time
}

var askForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Put writes one as it is now. Kind problem.Limit where too many are there.
func (s *Asks) Put(a *Asked) error {
	if !askForm.MatchString(a.ID) || !form.IsReader(a.Reader) {
		return problem.New(problem.Usage, "%.40q is no reader of a pack", a.Reader).WithHint("auditor, insurer, microsoft or customer")
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be made")
	}
	raw, err := json.Marshal(a)
	if err != nil || len(raw) > maxAsk {
		return problem.Wrap(err, problem.Limit, "what is asked for is too long")
	}
	f, err := os.CreateTemp(s.Dir, ".ask-*") // mode 0600
	if err == nil {
		_, err = f.Write(raw)
		err = errors.Join(err, f.Close())
		if err == nil {
			err = os.Rename(f.Name(), filepath.Join(s.Dir, a.ID+".json"))
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be written").WithHint("is there room?")
	}
	return nil
}

// Add puts a new one.
func (s *Asks) Add(a *Asked) error {
	list, err := s.List()
	if err != nil {
		return err
	}
	if len(list) >= mostAsks {
		return problem.New(problem.Limit, "%d packs were asked for in a week", len(list)).WithHint("partnerguard pack make makes one more")
	}
	return s.Put(a)
}

// Get gives one. Kind problem.NotFound where there is none.
func (s *Asks) Get(id string) (*Asked, error) {
	none := problem.New(problem.NotFound, "nobody asked for such a pack here, or it is long ago")
	if !askForm.MatchString(id) {
		return nil, none
	}
	raw, err := os.ReadFile(filepath.Join(s.Dir, id+".json"))
	if err != nil {
		return nil, none
	}
	a := &Asked{}
	if len(raw) > maxAsk || json.Unmarshal(raw, a) != nil || a.ID != id {
		return nil, none
	}
	return a, nil
}

// List gives those of the last week, the newest first, and forgets the others.
func (s *Asks) List() ([]*Asked, error) {
	files, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, problem.Wrap(err, problem.Unavailable, "the folder of packs cannot be read")
	}
	var out []*Asked
	for _, f := range files {
		a, err := s.Get(strings.TrimSuffix(f.Name(), ".json"))
		switch {
		case err != nil:
		case s.Now().Sub(a.At) > AsksKept:
			_ = os.Remove(filepath.Join(s.Dir, f.Name()))
		default:
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *Asked) int { return b.At.Compare(a.At) })
	return out, nil
}

// Work makes what was asked for, and writes down how far it is. Where it cannot be made the
// ask says why, and nothing is tried again; an error says that it was cut off.
func (s *Asks) Work(ctx context.Context, id string, work func(context.Context, *Asked, Options) (*Made, error)) error {
	a, err := s.Get(id)
	if err != nil || !a.Ended.IsZero() {
		return nil //nolint:nilerr // nobody waits for it any more
	}
	a.Begun = s.Now().UTC()
	if err := s.Put(a); err != nil {
		return err
	}
	o, told := a.Options(), time.Now()
	o.Progress = func(done, of int64) {
		if time.Since(told) < time.Second {
			return
		}
		told, a.Done, a.Of = time.Now(), done, of
		_ = s.Put(a) // only what is shown
	}
	made, err := work(ctx, a, o)
	if err != nil && ctx.Err() != nil {
		return err
	}
	a.Ended = s.Now().UTC()
	if p, ok := errors.AsType[*problem.Error](err); ok {
		a.Error, a.Hint = p.Public, p.Hint
	} else if err != nil {
		a.Error = "it could not be made; the log says why"
	} else {
		a.Pack, a.Done = made.Manifest.Name, a.Of
	}
	return s.Put(a)
}
