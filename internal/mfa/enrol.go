package mfa

import (
	"cmp"
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// The kinds of sessions in which somebody changes their own factors.
const (
	Enrolling = "enrol" // by an invitation, or at a first sign-in
	Own       = "own"   // after a fresh proof by a factor or a pass
)

// How long a session lasts, whatever happens: a proof is fresh for some minutes.
const (
	enrolFor = 20 * time.Minute
	ownFor   = 10 * time.Minute
)

// Limits of a person's factors.
const (
	MaxFactors = 40
	nCodes     = 10
)

// Session lets a browser change a person's factors for some minutes.
type Session struct {
	ID        string    `json:"id"`
	Person    string    `json:"person"`
	Kind      string    `json:"kind"`
	By        string    `json:"by"` // what allows it: the id of an invitation, a factor or a pass; "first sign-in"
	Ends      time.Time `json:"ends"`
	Challenge string    `json:"challenge,omitempty"` // that waits for the first factor
	Begun     bool      `json:"begun,omitempty"`     // the invitation was used by this session

	Ceremony json.RawMessage `json:"ceremony,omitempty"`

	row row
}

// firstSignIn is what allows a session where nobody was invited.
const firstSignIn = "first sign-in"

func readSession(r *row) (x Session, err error) {
	if err := json.Unmarshal([]byte(r.body), &x); err != nil {
		return x, problem.Wrap(err, problem.Internal, "a session cannot be read")
	}
	x.ID, x.Person, x.Kind, x.Ends, x.row = r.id, r.person, r.state, db.Time(r.ends), *r
	return x, nil
}

func (x *Session) next() row {
	r := x.row
	r.body = text(x)
	return r
}

func (s *Store) begin(ctx context.Context, x Session, life time.Duration) (Session, secret.Text, error) {
	browser := token.Text()
	x.ID, x.Ends = token.ID("ms"), s.now().Add(life)
	r := row{id: x.ID, look: quickHash(browser), person: x.Person, state: x.Kind, ends: db.Micros(x.Ends), body: text(x)}
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.insert(ctx, sessions, &r) })
	x.row = r
	return x, browser, failed(err)
}

// Session finds a browser's session, with whose it is. Kind problem.Unauthenticated where
// there is none, or it is over.
func (s *Store) Session(ctx context.Context, browser secret.Text) (x Session, p Person, err error) {
	none := problem.New(problem.Unauthenticated, "Prove who you are first").WithHint("This page stays open for some minutes only")
	if n := len(browser.Reveal()); n == 0 || n > 100 {
		return x, p, none
	}
	r, err := s.one(ctx, sessions, "", quickHash(browser))
	if errors.Is(err, sql.ErrNoRows) {
		return x, p, none
	}
	if err != nil {
		return x, p, err
	}
	if err := s.fits(ctx, sessions, &r); err != nil {
		return x, p, err
	}
	if x, err = readSession(&r); err != nil {
		return x, p, err
	}
	if !s.now().Before(x.Ends) || subtle.ConstantTimeCompare([]byte(r.look), []byte(quickHash(browser))) != 1 {
		return x, p, none
	}
	if p, err = s.Person(ctx, x.Person); err == nil && p.State != Active {
		err = problem.New(problem.Forbidden, "The help desk has blocked this account's factors").WithHint("Ask your help desk")
	}
	return x, p, err
}

// Leave ends a session.
func (s *Store) Leave(ctx context.Context, x *Session) error {
	return failed(s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.remove(ctx, sessions, x.ID, x.row.version); err != nil && !errors.Is(err, errLost) {
			return err
		}
		return s.d.Vault.Delete(ctx, pendingRef(x.ID))
	}))
}

// BeginOwn begins a session after a factor or a pass was shown for it.
func (s *Store) BeginOwn(ctx context.Context, shown Shown) (Session, secret.Text, error) {
	if shown.Person.ID == "" || shown.Factor == "" {
		return Session{}, secret.Text{}, problem.New(problem.Internal, "a session was begun without a proof")
	}
	return s.begin(ctx, Session{Person: shown.Person.ID, Kind: Own, By: shown.Factor}, ownFor)
}

// BeginFirst begins a session for who signs in and never had a factor, where the settings
// let them (mfaEnrol: first-sign-in). The challenge is answered when a factor is there.
func (s *Store) BeginFirst(ctx context.Context, o *Open) (Session, secret.Text, error) {
	no := problem.New(problem.Forbidden, "Nobody enrols here without an invitation").WithHint("Ask your help desk for one")
	if s.conf.Enrol != EnrolFirst || o.Person.ID != "" && o.Person.Had || o.Late {
		return Session{}, secret.Text{}, no
	}
	p, err := s.enter(ctx, o.Account, o.Name, o.Login)
	if err != nil {
		return Session{}, secret.Text{}, err
	}
	if p.Had || p.State != Active {
		return Session{}, secret.Text{}, no
	}
	return s.begin(ctx, Session{Person: p.ID, Kind: Enrolling, By: firstSignIn, Challenge: o.ID}, enrolFor)
}

// Setup is what an authenticator app is set up by, shown once.
type Setup struct {
	URI secret.Text // for the picture
	Key secret.Text // to be typed
}

// AskPasscodes makes a secret for an authenticator app. It is the person's when a passcode
// of it was shown; asking again makes another.
func (s *Store) AskPasscodes(ctx context.Context, x *Session, p *Person) (Setup, error) {
	seed := factor.NewSeed()
	if err := s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.d.Vault.Put(ctx, pendingRef(x.ID), seed.Secret) }); err != nil {
		return Setup{}, failed(err)
	}
	return s.setup(p, seed)
}

// Asked is the secret that was made by [Store.AskPasscodes], as the same page shows it
// again after a wrong passcode. Kind problem.NotFound where none was made.
func (s *Store) Asked(ctx context.Context, x *Session, p *Person) (Setup, error) {
	seed, err := s.pending(ctx, x)
	if err != nil {
		return Setup{}, err
	}
	return s.setup(p, seed)
}

func (s *Store) setup(p *Person, seed factor.Seed) (Setup, error) {
	uri, err := factor.Entry{Issuer: s.conf.Issuer, Account: cmp.Or(p.Login, p.Called()), Seed: seed}.URI()
	return Setup{URI: uri, Key: seed.Secret}, err
}

func (s *Store) pending(ctx context.Context, x *Session) (factor.Seed, error) {
	t, err := s.d.Vault.Get(ctx, pendingRef(x.ID))
	seed := factor.NewSeed()
	seed.Secret = t
	return seed, err
}

// AddPasscodes takes the authenticator app that was set up, after a passcode of it. The
// codes are recovery codes, where these are the person's first.
func (s *Store) AddPasscodes(ctx context.Context, x *Session, label string, code secret.Text) (Factor, []secret.Text, error) {
	seed, err := s.pending(ctx, x)
	if errors.Is(err, problem.NotFound) {
		return Factor{}, nil, problem.New(problem.Conflict, "This set-up is over").WithHint("Begin it again")
	}
	if err != nil {
		return Factor{}, nil, err
	}
	st, r, err := seed.Verify(code, s.now(), factor.State{}, factor.UsualWindow())
	if err != nil {
		return Factor{}, nil, err
	}
	if r.Verdict != factor.Right {
		no := problem.New(problem.Forbidden, "This passcode does not fit").WithHint("Take the one that the app shows now")
		if r.Verdict == factor.ClockOff { // the secret is theirs: they may know
			no = problem.New(problem.Forbidden, "This is a passcode of another time: your device's clock is %s off", r.Off.Abs()).
				WithHint("Set the device's clock automatically, then type the passcode that it shows")
		}
		return Factor{}, nil, no
	}
	f := Factor{Kind: TOTP, Label: cmp.Or(cleaned(label), "Authenticator app"), Algorithm: string(seed.Algorithm), Digits: seed.Digits, Period: seed.Period,
		Step: st.LastStep, Drift: st.Drift}
	return s.add(ctx, x, f, seed.Secret)
}

// AskNewKey asks for a new security key, and keeps what was asked.
func (s *Store) AskNewKey(ctx context.Context, x *Session, p *Person) ([]byte, error) {
	c, err := s.askNewKey(ctx, p)
	if err != nil {
		return nil, err
	}
	x.Ceremony = c.Kept
	return c.Options, s.saveSession(ctx, x)
}

func (s *Store) saveSession(ctx context.Context, x *Session) error {
	r := x.next()
	err := s.update(ctx, sessions, &r)
	if errors.Is(err, errLost) {
		return problem.New(problem.Conflict, "This was changed in another window").WithHint("Load the page again")
	}
	if err == nil {
		x.row = r
	}
	return err
}

// AddKey takes the key that was asked for. What was asked is forgotten first.
func (s *Store) AddKey(ctx context.Context, x *Session, p *Person, label string, response []byte) (Factor, []secret.Text, error) {
	kept := x.Ceremony
	x.Ceremony = nil
	if err := s.saveSession(ctx, x); err != nil {
		return Factor{}, nil, err
	}
	f, err := s.newKey(p, kept, response)
	if err != nil {
		return f, nil, err
	}
	f.Label = cmp.Or(cleaned(label), "Security key")
	return s.add(ctx, x, f, secret.Text{})
}

// MakeCodes makes new recovery codes in place of the old, in a session of one's own, or in
// the one that set the first factor up.
func (s *Store) MakeCodes(ctx context.Context, x *Session) ([]secret.Text, error) {
	if x.Kind != Own && !x.Begun { // an invitation was opened, and who used it may be another
		return nil, problem.New(problem.Forbidden, "Prove who you are by a factor first").WithHint("Open the page of your factors")
	}
	p, err := s.Person(ctx, x.Person)
	if err != nil {
		return nil, err
	}
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if s := strongest(list); s == "" || s == Recovery {
		return nil, problem.New(problem.Conflict, "Recovery codes stand in for a factor, and there is none").
			WithHint("Set up an authenticator app or a key first")
	}
	n, err := s.newCodes(ctx, &p, x.By)
	if err != nil {
		return nil, err
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.maySession(ctx, x, &p); err != nil { // it may have been ended meanwhile
			return err
		}
		if err := s.putCodes(ctx, &p, n, list, "person:"+p.Account.Object); err != nil {
			return err
		}
		return s.savePerson(ctx, &p) // a reset at the same time sees them
	})
	if errors.Is(err, errLost) {
		err = problem.New(problem.Conflict, "This was changed in another window").WithHint("Load the page again")
	}
	if err != nil {
		return nil, failed(err)
	}
	return n.codes, nil
}

// fresh are recovery codes that are not kept yet.
type fresh struct {
	f     Factor
	key   secret.Text
	codes []secret.Text
}

func (s *Store) newCodes(ctx context.Context, p *Person, by string) (*fresh, error) {
	n := &fresh{f: Factor{ID: token.ID("mf"), Person: p.ID, Kind: Recovery, Label: "Recovery codes", Made: s.now(), By: by}, key: token.Text(),
		codes: factor.Codes(nCodes)}
	for _, c := range n.codes {
		h, err := s.slowHash(ctx, n.key, n.f.ID, c)
		if err != nil {
			return nil, err
		}
		n.f.codes = append(n.f.codes, h)
	}
	return n, nil
}

// putCodes keeps recovery codes in place of those among list, in the transaction of ctx.
func (s *Store) putCodes(ctx context.Context, p *Person, n *fresh, list []Factor, actor string) error {
	for i := range list {
		if list[i].Kind == Recovery {
			if err := s.drop(ctx, p, &list[i], actor, "new ones were made"); err != nil {
				return err
			}
		}
	}
	if err := s.d.Vault.Put(ctx, codesRef(p, n.f.ID), n.key); err != nil {
		return err
	}
	if err := s.insert(ctx, factors, n.f.row()); err != nil {
		return err
	}
	if err := s.enrolled(ctx, p, &n.f, actor); err != nil {
		return err
	}
	return s.record(ctx, audit.MFARecoveryMade, audit.Done, actor, p, "", "", map[string]string{"factor": n.f.ID, "codes": text(len(n.codes))})
}

func (s *Store) enrolled(ctx context.Context, p *Person, f *Factor, actor string) error {
	return s.record(ctx, audit.MFAEnrolled, audit.Done, actor, p, f.ID, "", map[string]string{"kind": string(f.Kind), "label": f.Label, "by": f.By,
		"model": f.Model})
}

// add keeps a new factor, and what it ends: an invitation, the promise of a first sign-in.
func (s *Store) add(ctx context.Context, x *Session, f Factor, seed secret.Text) (Factor, []secret.Text, error) {
	p, err := s.Person(ctx, x.Person)
	if err != nil {
		return f, nil, err
	}
	f.ID, f.Person, f.Made, f.By = token.ID("mf"), p.ID, s.now(), x.By
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return f, nil, err
	}
	if len(list) >= MaxFactors {
		return f, nil, problem.New(problem.Limit, "An account has %d factors at most", MaxFactors).WithHint("Take one away first")
	}
	var n *fresh
	if len(counted(list, Recovery)) == 0 {
		if n, err = s.newCodes(ctx, &p, x.By); err != nil {
			return f, nil, err
		}
	}
	actor := "person:" + p.Account.Object
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.maySession(ctx, x, &p); err != nil {
			return err
		}
		if !seed.IsZero() {
			if err := s.d.Vault.Put(ctx, seedRef(&p, &f), seed); err != nil {
				return err
			}
			if err := s.d.Vault.Delete(ctx, pendingRef(x.ID)); err != nil {
				return err
			}
		}
		if err := s.insert(ctx, factors, f.row()); err != nil {
			return err
		}
		if err := s.enrolled(ctx, &p, &f, actor); err != nil {
			return err
		}
		if n != nil {
			if err := s.putCodes(ctx, &p, n, nil, actor); err != nil {
				return err
			}
		}
		if !p.Had { // remembered where no row of the database can be put back over it
			if err := s.record(ctx, audit.MFAEnrolled, audit.Done, actor, &p, p.Account.look(), "", map[string]string{"first": f.ID}); err != nil {
				return err
			}
		}
		now := p // whoever read it before is refused by its version: two first sign-ins at once make one person's factors
		now.Had = true
		return s.savePerson(ctx, &now)
	})
	if errors.Is(err, errLost) {
		err = problem.New(problem.Conflict, "This was changed in another window").WithHint("Load the page again")
	}
	if err != nil {
		return f, nil, failed(err)
	}
	if n == nil {
		return f, nil, nil
	}
	return f, n.codes, nil
}

// maySession holds a session to what allows it, in the transaction of ctx: it goes on, its
// invitation is used by it alone, and who enrols by signing in never had a factor.
func (s *Store) maySession(ctx context.Context, x *Session, p *Person) error {
	if !s.now().Before(x.Ends) {
		return problem.New(problem.Unauthenticated, "This page was open for too long").WithHint("Begin again")
	}
	switch {
	case x.Kind == Own:
	case x.Begun:
	case x.By == firstSignIn:
		had, err := s.had(ctx, p.Account)
		if err != nil {
			return err
		}
		if p.Had || had {
			return problem.New(problem.Conflict, "A factor was set up for this account meanwhile").WithHint("Sign in with it")
		}
	default:
		i, err := s.invitation(ctx, x.By)
		if err != nil {
			return err
		}
		if err := s.useInvitation(ctx, &i, p); err != nil {
			return err
		}
	}
	next := *x
	next.Begun = true
	r := next.next()
	if err := s.update(ctx, sessions, &r); err != nil {
		return err
	}
	return nil
}

// Remove takes one of the person's own factors away. The last is not: ask the help desk.
func (s *Store) Remove(ctx context.Context, x *Session, id string) (Factor, error) {
	if x.Kind != Own {
		return Factor{}, problem.New(problem.Forbidden, "Prove who you are by a factor first").WithHint("Open the page of your factors")
	}
	return s.takeAway(ctx, x.Person, id, "person:", "")
}

// takeAway removes a factor of a person, and never the last that proves anything.
func (s *Store) takeAway(ctx context.Context, person, id, actor, why string) (f Factor, err error) {
	err = again(ctx, func() error {
		p, err := s.Person(ctx, person)
		if err != nil {
			return err
		}
		list, err := s.Factors(ctx, p.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(f Factor) bool { return f.ID == id })
		if i < 0 {
			return problem.New(problem.NotFound, "There is no such factor").WithHint("Load the page again")
		}
		f = list[i]
		rest := slices.DeleteFunc(counted(list, ""), func(o Factor) bool { return o.ID == id || o.Kind == Recovery })
		if f.Refused == "" && f.Kind != Recovery && len(rest) == 0 {
			return problem.New(problem.Conflict, "This is the last factor, and it cannot be taken away alone").
				WithHint("Add another first; where it is lost, two people of the help desk reset the account")
		}
		by := actor
		if by == "person:" {
			by += p.Account.Object
		}
		return s.d.DB.InTx(ctx, func(ctx context.Context) error {
			if err := s.drop(ctx, &p, &f, by, why); err != nil {
				return err
			}
			return s.savePerson(ctx, &p) // of two at once, one reads again what is left
		})
	})
	return f, failed(err)
}

// drop deletes a factor with its secret, in the transaction of ctx.
func (s *Store) drop(ctx context.Context, p *Person, f *Factor, actor, why string) error {
	if err := s.remove(ctx, factors, f.ID, f.version); err != nil {
		return err
	}
	ref := codesRef(p, f.ID)
	if f.Kind == TOTP {
		ref = seedRef(p, f)
	}
	if err := s.d.Vault.Delete(ctx, ref); err != nil {
		return err
	}
	return s.record(ctx, audit.MFARemoved, audit.Done, actor, p, f.ID, why, map[string]string{"kind": string(f.Kind), "label": f.Label})
}
