package page

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/factor"
	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Life is how long a person's file stays open.
const Life = 3 * time.Minute

// Limits of what is kept in memory.
const (
	maxSessions = 100
	maxNames    = 1000 // whose wrong passphrases are remembered
	maxWaiting  = 8    // who wait for their passphrase to be tried
)

// slow is how wrong passphrases slow one name.
var slow = factor.Slow{Free: 3, First: 5 * time.Second, Most: time.Minute, Forget: 5 * time.Minute}

// Deps is everything the desk needs; all but Log are required.
type Deps struct {
	Folder string // of the files of persons
	Record audit.Recorder
	Now    func() time.Time // the machine's clock, which codes are computed by
	Log    *slog.Logger
}

// Desk lets people open their files. Safe for concurrent use.
type Desk struct {
	d     Deps
	decoy vault.Slot // costs what a person's file costs

	trying  chan struct{} // one passphrase is tried at a time: each takes 64 MiB
	waiting chan struct{}

	mu       sync.Mutex // guards the fields below
	sessions map[string]*session
	failures map[string]factor.Failures // by name
}

// session is one opened file. It belongs to one browser.
type session struct {
	person string
	book   *otp.Book
	ends   time.Time

	mu    sync.Mutex // guards the fields below
	taken string     // id of the entry whose code is shown
	until time.Time  // to when it is
}

// New makes a desk.
func New(ctx context.Context, d Deps) (*Desk, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	desk := &Desk{d: d, trying: make(chan struct{}, 1), waiting: make(chan struct{}, maxWaiting), sessions: map[string]*session{},
		failures: map[string]factor.Failures{}}
	nobody := typed(token.Text())
	slot, err := nobody.Wrap(ctx, "nobody", token.Bytes(32))
	desk.decoy = slot
	return desk, err
}

var errAgain = errors.New("the passphrase was tried")

// typed is a passphrase that was typed once, and is not asked for again.
func typed(words secret.Text) vault.Master {
	asked := false
	return vault.NewPassphrase(func(context.Context, string, bool) (secret.Text, error) {
		if asked {
			return secret.Text{}, errAgain
		}
		asked = true
		return words, nil
	})
}

// refused is the one answer to a name or passphrase that is wrong.
func refused() *problem.Error {
	return problem.New(problem.Forbidden, "the name or the passphrase is wrong").
		WithHint("look for capitals and the layout of the keyboard; after three wrong ones each takes longer")
}

// open tries a passphrase, and gives the id of a session.
func (d *Desk) open(ctx context.Context, person string, words secret.Text) (secret.Text, error) {
	if !otp.PersonName(person) || words.IsZero() || len(words.Reveal()) > 1024 {
		return secret.Text{}, refused()
	}
	select {
	case d.waiting <- struct{}{}:
		defer func() { <-d.waiting }()
	default:
		return secret.Text{}, problem.New(problem.TooMany, "too many people are opening their files at this moment").WithAfter(5 * time.Second)
	}
	select {
	case d.trying <- struct{}{}:
		defer func() { <-d.trying }()
	case <-ctx.Done():
		return secret.Text{}, problem.Wrap(ctx.Err(), problem.Unavailable, "it took too long")
	}
	if wait := d.wait(person); wait > 0 {
		return secret.Text{}, problem.New(problem.TooMany, "several wrong passphrases were typed for this name").
			WithHint("try again in %s", wait.Round(time.Second)).WithAfter(wait)
	}
	path, err := otp.PersonFile(d.d.Folder, person)
	if err != nil {
		return secret.Text{}, refused()
	}
	s := otp.NewStore(path, typed(words))
	if !s.There() {
		_, _ = typed(words).Unwrap(ctx, "nobody", d.decoy)
		d.failed(person)
		return secret.Text{}, refused()
	}
	book, err := s.Open(ctx)
	switch {
	case errors.Is(err, errAgain), errors.Is(err, problem.Unauthenticated):
		d.failed(person)
		if err := d.record(ctx, audit.OTPRefused, audit.Refused, person, "a wrong passphrase", nil); err != nil {
			return secret.Text{}, err
		}
		return secret.Text{}, refused()
	case err != nil:
		return secret.Text{}, err
	}
	return d.begin(ctx, person, book)
}

func (d *Desk) begin(ctx context.Context, person string, book *otp.Book) (secret.Text, error) {
	if err := d.record(ctx, audit.OTPOpened, audit.Done, person, "", nil); err != nil {
		return secret.Text{}, err
	}
	id := token.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	if len(d.sessions) >= maxSessions {
		return secret.Text{}, problem.New(problem.TooMany, "too many files are open").WithAfter(Life)
	}
	delete(d.failures, person)
	d.sessions[token.Fingerprint(id)] = &session{person: person, book: book, ends: time.Now().Add(Life)}
	// Forgotten also when nobody asks again.
	time.AfterFunc(Life+time.Second, func() { d.mu.Lock(); defer d.mu.Unlock(); d.sweep() })
	return id, nil
}

// sweep forgets what is over; d.mu is held. Times are the monotonic clock's, so that
// nobody keeps a file open by setting the other.
func (d *Desk) sweep() {
	now := time.Now()
	for id, s := range d.sessions {
		if !now.Before(s.ends) {
			delete(d.sessions, id)
		}
	}
	for name, f := range d.failures {
		if slow.Left(f, now) == 0 || len(d.failures) > maxNames {
			delete(d.failures, name)
		}
	}
}

func (d *Desk) wait(person string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slow.Wait(d.failures[person], time.Now())
}

func (d *Desk) failed(person string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	d.failures[person] = slow.Failed(d.failures[person], time.Now())
}

// session gives what a browser opened; nil where it is closed.
func (d *Desk) session(id string) *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	return d.sessions[token.Fingerprint(secret.New(id))]
}

func (d *Desk) close(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, token.Fingerprint(secret.New(id)))
}

// take lets a person see the codes of an entry for this step and the next. The trail
// has it first, or nothing is shown.
func (d *Desk) take(ctx context.Context, s *session, id string) error {
	e, err := s.find(id)
	if err != nil {
		return err
	}
	now := d.d.Now()
	until := e.Seed.Begin(e.Seed.Step(s.book.Clock(now)) + 2).Add(-s.book.Offset)
	details := map[string]string{"entry": e.ID, "until": until.UTC().Format(time.RFC3339)}
	if err := d.record(ctx, audit.OTPCodeTaken, audit.Done, s.person, "", details); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.until = e.ID, until
	return nil
}

// find gives an entry of the person's own by its id, and by nothing else.
func (s *session) find(id string) (otp.Entry, error) {
	for _, e := range s.book.Entries {
		if e.ID == id {
			return e, nil
		}
	}
	return otp.Entry{}, problem.New(problem.NotFound, "there is no such one-time password among yours")
}

// shown gives the code that was taken, while it is to be seen; next says whether the
// one after it is, too.
func (s *session) shown(now time.Time) (c otp.Code, next, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken == "" || !now.Before(s.until) {
		return otp.Code{}, false, false
	}
	e, err := s.find(s.taken)
	if err != nil {
		return otp.Code{}, false, false
	}
	c, err = s.book.Code(e, now)
	return c, now.Add(c.Left).Before(s.until), err == nil
}

// record writes the trail. The entry is named by its id: its name is the person's own.
func (d *Desk) record(ctx context.Context, a audit.Action, o audit.Outcome, person, reason string, details map[string]string) error {
	err := d.d.Record.Record(ctx, audit.Event{At: d.d.Now().UTC(), Action: a, Outcome: o, Actor: "otp:" + person, Object: person, Reason: reason, Details: details})
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "the trail cannot be written, so nothing is shown").WithHint("whoever runs this machine finds why in the log")
	}
	return nil
}
