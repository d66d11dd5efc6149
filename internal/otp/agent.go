package otp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// How long an agent may be open.
const (
	UsualLife = 10 * time.Minute
	MaxLife   = 8 * time.Hour
)

// asleep is by how much the wall clock runs ahead of the monotonic one when the
// machine has slept, or somebody has set the clock.
const asleep = 10 * time.Second

const maxMessage = 2 << 20 // bytes of an answer

// Socket is where the agent of a file listens: in the user's runtime folder, which
// ends with the session, or beside the file.
func Socket(getenv func(string) string) string {
	if run := getenv("XDG_RUNTIME_DIR"); run != "" {
		return filepath.Join(run, "partnerguard", "otp.sock")
	}
	return filepath.Join(Folder(getenv), "agent.sock")
}

// Agent has a file's key for a while and gives out codes. It never gives the key or a
// seed.
type Agent struct {
	Path string           // of the file
	Life time.Duration    // up to MaxLife
	Now  func() time.Time // the machine's clock; nil is time.Now

	mu  sync.Mutex // guards the field below
	key []byte
}

// NewAgent opens a store for an agent.
func NewAgent(ctx context.Context, s *Store, life time.Duration) (*Agent, error) {
	if life < time.Second || life > MaxLife {
		return nil, problem.New(problem.Usage, "an agent may be open between a second and %s, not %s", MaxLife, life)
	}
	path, err := filepath.Abs(s.path)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the file's place cannot be found")
	}
	_, _, key, err := s.open(ctx)
	if err != nil {
		clear(key)
		return nil, err
	}
	return &Agent{Path: path, Life: life, key: key}, nil
}

// handed is an agent on its way to the process that will be it, through a pipe.
type handed struct {
	Path string        `json:"path"`
	Life time.Duration `json:"life"`
	Key  []byte        `json:"key"`
}

// Hand writes the agent, with its key, for [TakeAgent] in another process, and
// forgets it.
func (a *Agent) Hand(w io.Writer) error {
	text, err := json.Marshal(handed{a.Path, a.Life, a.key})
	defer clear(text)
	if err == nil {
		_, err = w.Write(text)
	}
	a.forget()
	return problemOf(err)
}

// TakeAgent reads what Hand wrote.
func TakeAgent(r io.Reader) (*Agent, error) {
	text, err := io.ReadAll(io.LimitReader(r, 16<<10))
	defer clear(text)
	var h handed
	if err != nil || json.Unmarshal(text, &h) != nil || len(h.Key) != 32 || h.Life < time.Second || h.Life > MaxLife {
		return nil, problem.New(problem.Usage, "otp agent is started by otp unlock, and by nobody else").WithHint("partnerguard otp unlock")
	}
	return &Agent{Path: h.Path, Life: h.Life, key: h.Key}, nil
}

func (a *Agent) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.key)
	a.key = nil
}

func (a *Agent) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

// request and answer are one line of JSON each; a connection has one of each.
type request struct {
	Do   string `json:"do"`             // "codes", "lock"
	Path string `json:"path"`           // of the file that is meant
	Name string `json:"name,omitempty"` // of codes; "" is all
}

type answer struct {
	Kind   problem.Kind  `json:"kind,omitempty"`
	Error  string        `json:"error,omitempty"`
	Hint   string        `json:"hint,omitempty"`
	Codes  []wireCode    `json:"codes,omitempty"`
	Offset time.Duration `json:"offset,omitempty"`
	Ends   time.Time     `json:"ends,omitzero"`
}

type wireCode struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Code   string        `json:"code"`
	Next   string        `json:"next"`
	Left   time.Duration `json:"left"`
	Period time.Duration `json:"period"`
	Step   int64         `json:"step"`

	Algorithm factor.Algorithm `json:"algorithm"`
	Digits    int              `json:"digits"`
	Added     time.Time        `json:"added"`
}

// Serve answers on l until the time is over, it is told to lock, the machine has
// slept, or ctx ends; then the key is forgotten and l closed.
func (a *Agent) Serve(ctx context.Context, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer a.forget()
	defer stop()
	ends := time.Now().Add(a.Life)
	go func() {
		a.watch(ctx, ends)
		stop()
		l.Close()
	}()
	gate := make(chan struct{}, 8)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return problem.Wrap(err, problem.Internal, "the agent cannot listen any more")
		}
		gate <- struct{}{}
		go func() {
			defer func() { <-gate }()
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			if a.serve(c, ends) {
				stop()
				l.Close()
			}
		}()
	}
}

// watch waits for the end: by either clock, or when they part.
func (a *Agent) watch(ctx context.Context, ends time.Time) {
	tick := time.NewTicker(min(time.Second, a.Life/4))
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		apart := now.Round(0).Sub(began.Round(0)) - now.Sub(began)
		if !now.Before(ends) || apart.Abs() > asleep {
			return
		}
	}
}

// serve answers one connection, and says whether to lock.
func (a *Agent) serve(c net.Conn, ends time.Time) (lock bool) {
	var r request
	line, err := bufio.NewReader(io.LimitReader(c, 4<<10)).ReadBytes('\n')
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	var out answer
	switch {
	case !sameUser(c):
		out = answerOf(problem.New(problem.Forbidden, "the agent answers its own user alone"))
	case err != nil || d.Decode(&r) != nil:
		out = answerOf(problem.New(problem.BadInput, "the agent does not understand this"))
	case r.Do == "lock":
		a.forget()
		lock = true
	case r.Path != a.Path:
		out = answerOf(problem.New(problem.Unavailable, "the agent is open for another file"))
	case r.Do == "codes":
		out = a.codes(r.Name)
		out.Ends = ends
	default:
		out = answerOf(problem.New(problem.BadInput, "the agent does not understand this"))
	}
	_ = json.NewEncoder(c).Encode(out)
	return lock
}

func answerOf(err error) answer {
	p, ok := errors.AsType[*problem.Error](err)
	if !ok {
		return answer{Kind: problem.Internal, Error: "the agent could not do it"}
	}
	return answer{Kind: p.Kind, Error: p.Public, Hint: p.Hint}
}

// codes reads the file anew, so that what was added is there.
func (a *Agent) codes(name string) answer {
	a.mu.Lock()
	key := bytes.Clone(a.key)
	a.mu.Unlock()
	defer clear(key)
	if key == nil {
		return answerOf(problem.New(problem.Unauthenticated, "it is locked"))
	}
	s := Store{path: a.Path}
	f, err := s.read()
	if err != nil {
		return answerOf(err)
	}
	b, err := f.open(key)
	if err != nil { // another passphrase, and so another key, since it was opened
		return answerOf(problem.New(problem.Unauthenticated, "the file was sealed anew since it was unlocked").WithHint("partnerguard otp unlock"))
	}
	shown, err := b.Show(name, a.now())
	if err != nil {
		return answerOf(err)
	}
	out := answer{Offset: shown.Offset}
	for _, c := range shown.Codes {
		out.Codes = append(out.Codes, wireCode{c.ID, c.Name, c.Code.Reveal(), c.Next.Reveal(), c.Left, c.Period, c.Step, c.Algorithm, c.Digits, c.Added})
	}
	return out
}

// AskAgent asks the agent at socket for codes of the file at path; name "" means all.
// Kind problem.Unavailable where there is no agent, or one of another file.
func AskAgent(ctx context.Context, socket, path, name string) (Shown, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Shown{}, problem.Wrap(err, problem.Internal, "the file's place cannot be found")
	}
	a, err := talk(ctx, socket, request{Do: "codes", Path: abs, Name: name})
	if err != nil {
		return Shown{}, err
	}
	s := Shown{Offset: a.Offset, Ends: a.Ends}
	for _, c := range a.Codes {
		s.Codes = append(s.Codes, Code{c.ID, c.Name, secret.New(c.Code), secret.New(c.Next), c.Left, c.Period, c.Step, c.Algorithm, c.Digits, c.Added})
	}
	return s, nil
}

// Lock has the agent at socket forget, and says whether there was one.
func Lock(ctx context.Context, socket string) (bool, error) {
	_, err := talk(ctx, socket, request{Do: "lock"})
	if errors.Is(err, problem.Unavailable) {
		return false, nil
	}
	return err == nil, err
}

func talk(ctx context.Context, socket string, r request) (answer, error) {
	none := problem.New(problem.Unavailable, "no agent is open").WithHint("partnerguard otp unlock opens one for some minutes")
	info, err := os.Lstat(socket)
	if err != nil || info.Mode()&os.ModeSocket == 0 || !ours(info) {
		return answer{}, none
	}
	d := net.Dialer{Timeout: 2 * time.Second}
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return answer{}, none
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if !sameUser(c) {
		return answer{}, problem.New(problem.Forbidden, "whoever listens at %s is another user", socket)
	}
	if err := json.NewEncoder(c).Encode(r); err != nil {
		return answer{}, none
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(c, maxMessage)).Decode(&a); err != nil {
		return answer{}, problem.Wrap(err, problem.Unavailable, "the agent ended while it was asked").WithHint("partnerguard otp unlock opens another")
	}
	if a.Error != "" {
		return answer{}, problem.New(a.Kind, "%s", a.Error).WithHint("%s", a.Hint)
	}
	return a, nil
}
