package mfa

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Open is a challenge as its page sees it.
type Open struct {
	Challenge
	Person  Person   // zero where nobody of this account is known here
	Factors []Factor // that count, and may answer
	Pass    bool     // a temporary pass may answer, and there is one
	Late    bool     // its deadline is over: an answer is worth nothing to Entra ID
	Locked  time.Time

	ceremony json.RawMessage
	version  int64
	row      row
}

// afterwards is how long a challenge is kept when it is over, to say so.
const afterwards = 10 * time.Minute

type challengeBody struct {
	Challenge
	Ceremony json.RawMessage `json:",omitempty"`
}

func payloadRef(c *Challenge) vault.Ref {
	return vault.Ref{Purpose: "mfa-challenge", Owner: c.ID, Bound: vault.Bound(c.Account.Tenant, c.Account.Object, c.ID)}
}

// Keep keeps a verified request until it is answered, its payload sealed, and gives the
// secret that binds it to the browser.
func (s *Store) Keep(ctx context.Context, c Challenge, payload []byte) (Challenge, secret.Text, error) {
	if err := c.Account.Check(); err != nil {
		return c, secret.Text{}, err
	}
	if len(c.Accept) == 0 || c.Deadline.IsZero() || !c.Deadline.After(s.now()) {
		return c, secret.Text{}, problem.New(problem.Usage, "a challenge that nothing answers, or that is over, is not kept")
	}
	c.ID, c.Name, c.Login, c.Where = token.ID("mc"), cleaned(c.Name), cleaned(c.Login), cleaned(c.Where)
	c.Source, c.Correlation = cleaned(c.Source), cleaned(c.Correlation)
	browser := token.Text()
	var id string
	p, err := s.Of(ctx, c.Account)
	switch {
	case err == nil:
		if p, err = s.enter(ctx, c.Account, c.Name, c.Login); err != nil {
			return c, browser, err
		}
		id = p.ID
	case !errors.Is(err, problem.NotFound):
		return c, browser, err
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		r := &row{id: c.ID, look: quickHash(browser), person: id, state: Waits, ends: db.Micros(c.Deadline.Add(afterwards)), body: text(challengeBody{c, nil})}
		if err := s.insert(ctx, challenges, r); err != nil {
			return err
		}
		return s.d.Vault.Put(ctx, payloadRef(&c), secret.New(base64.StdEncoding.EncodeToString(payload)))
	})
	return c, browser, failed(err)
}

func errGone() error {
	return problem.New(problem.NotFound, "This request is not here: it was answered, is out of time, or began in another browser").
		WithHint("Go back to where you signed in, and begin again")
}

// Opened finds the challenge that waits for this browser. Kind problem.NotFound for one
// that is answered, of another browser, or none: they look the same.
func (s *Store) Opened(ctx context.Context, id string, browser secret.Text) (o Open, err error) {
	r, err := s.one(ctx, challenges, id, "")
	if errors.Is(err, sql.ErrNoRows) {
		return o, errGone()
	}
	if err != nil {
		return o, err
	}
	if subtle.ConstantTimeCompare([]byte(r.look), []byte(quickHash(browser))) != 1 {
		return o, errGone()
	}
	if err := s.fits(ctx, challenges, &r); err != nil {
		return o, err
	}
	var b challengeBody
	if r.state != Waits || json.Unmarshal([]byte(r.body), &b) != nil || b.ID != r.id {
		return o, errGone()
	}
	o = Open{Challenge: b.Challenge, ceremony: b.Ceremony, version: r.version, row: r, Late: !s.now().Before(b.Deadline)}
	p, err := s.Of(ctx, o.Account)
	if errors.Is(err, problem.NotFound) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	o.Person = p
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return o, err
	}
	for _, f := range counted(list, "") {
		if slices.Contains(o.Accept, f.Kind.AMR()) && (f.Kind != Recovery || f.Left > 0) && (f.Kind != Key || s.keys != nil) {
			o.Factors = append(o.Factors, f)
		}
	}
	if slices.Contains(o.Accept, Pass.AMR()) {
		passes, err := s.passes(ctx, p.ID)
		if err != nil {
			return o, err
		}
		o.Pass = len(passes) > 0
	}
	return o, nil
}

// Has says whether a kind of factor may answer.
func (o *Open) Has(k Kind) bool {
	return k == Pass && o.Pass || slices.ContainsFunc(o.Factors, func(f Factor) bool { return f.Kind == k })
}

// try is an answer to a challenge.
func (o *Open) try(known secret.Text, source string) Try {
	return Try{Person: o.Person, Source: source, Known: known, What: o.ID, factors: o.Factors}
}

// AnswerCode judges a code that is shown for a challenge.
func (s *Store) AnswerCode(ctx context.Context, o *Open, kind Kind, code, known secret.Text, source string) (Shown, error) {
	if err := s.answerable(o, kind); err != nil {
		return Shown{}, err
	}
	return s.ShowCode(ctx, o.try(known, source), kind, code)
}

func (s *Store) answerable(o *Open, kind Kind) error {
	switch {
	case o.Late:
		return problem.New(problem.Conflict, "It is too late for an answer").WithHint("Go back to where you signed in, and begin again")
	case !slices.Contains(o.Accept, kind.AMR()):
		return problem.New(problem.Forbidden, "Microsoft Entra ID does not take a %s this time", kind.Word()).WithHint("Choose another way")
	case o.Person.ID == "":
		return errWrong(kind)
	}
	return nil
}

// AnswerEnrolled takes the factor that was set up for a challenge a moment ago, by who
// signs in for the first time: setting it up showed it. Kind problem.Forbidden where the
// session is not of this challenge.
func (s *Store) AnswerEnrolled(ctx context.Context, o *Open, x *Session) (Shown, error) {
	i := slices.IndexFunc(o.Factors, func(f Factor) bool {
		return f.By == firstSignIn && f.Kind != Recovery && s.now().Sub(f.Made).Abs() < enrolFor
	})
	if i < 0 || x.By != firstSignIn || x.Challenge != o.ID || x.Person != o.Person.ID || !x.Begun {
		return Shown{}, problem.New(problem.Forbidden, "No factor was set up for this request").WithHint("Choose another way")
	}
	f := o.Factors[i]
	if err := s.answerable(o, f.Kind); err != nil {
		return Shown{}, err
	}
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.remove(ctx, sessions, x.ID, x.row.version); err != nil {
			return err
		}
		return s.record(ctx, audit.MFAPassed, audit.Done, "person:"+o.Account.Object, &o.Person, "", "", map[string]string{"kind": string(f.Kind),
			"factor": f.ID, "network": network(o.Source, true), "for": o.ID, "amr": f.Kind.AMR(), "by": firstSignIn})
	})
	if errors.Is(err, errLost) {
		err = problem.New(problem.Conflict, "This was changed in another window").WithHint("Load the page again")
	}
	return Shown{Person: o.Person, Kind: f.Kind, Factor: f.ID}, failed(err)
}

// AskKeyFor asks for a key of the challenge's person, and keeps what was asked.
func (s *Store) AskKeyFor(ctx context.Context, o *Open) ([]byte, error) {
	c, err := s.AskKey(ctx, &o.Person)
	if err != nil {
		return nil, err
	}
	return c.Options, s.keepCeremony(ctx, o, c.Kept)
}

func (s *Store) keepCeremony(ctx context.Context, o *Open, kept json.RawMessage) error {
	r := o.row
	r.body = text(challengeBody{o.Challenge, kept})
	err := s.update(ctx, challenges, &r)
	if errors.Is(err, errLost) {
		return problem.New(problem.Conflict, "This request was changed in another window").WithHint("Load the page again")
	}
	if err == nil {
		o.row, o.version, o.ceremony = r, r.version, kept
	}
	return err
}

// AnswerKey judges what a key answered. What was asked is forgotten first: an answer is
// judged once.
func (s *Store) AnswerKey(ctx context.Context, o *Open, response []byte, known secret.Text, source string) (Shown, error) {
	if err := s.answerable(o, Key); err != nil {
		return Shown{}, err
	}
	kept := o.ceremony
	if err := s.keepCeremony(ctx, o, nil); err != nil {
		return Shown{}, err
	}
	return s.ShowKey(ctx, o.try(known, source), kept, response)
}

// Finish ends a challenge, once, and gives its payload. Kind problem.NotFound where it
// was ended meanwhile.
func (s *Store) Finish(ctx context.Context, o *Open, out Outcome) (payload []byte, err error) {
	if (out.AMR == "") == (out.Error == "") || out.AMR != "" && (!slices.Contains(o.Accept, out.AMR) || !s.now().Before(o.Deadline)) {
		return nil, problem.New(problem.Internal, "a challenge is answered with what it does not take")
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		r := o.row
		r.state, r.body = "done", text(challengeBody{o.Challenge, nil})
		if err := s.update(ctx, challenges, &r); err != nil {
			return err
		}
		sealed, err := s.d.Vault.Get(ctx, payloadRef(&o.Challenge))
		if err != nil {
			return err
		}
		if payload, err = base64.StdEncoding.DecodeString(sealed.Reveal()); err != nil {
			return problem.Wrap(err, problem.Internal, "what the challenge brought cannot be read")
		}
		if out.Error != "" {
			p := &Person{Account: o.Account}
			if o.Person.ID != "" {
				p = &o.Person
			}
			if err := s.record(ctx, audit.MFARefused, audit.Refused, "person:"+o.Account.Object, p, o.ID, out.Error+": "+out.Why,
				map[string]string{"network": network(o.Source, true)}); err != nil {
				return err
			}
		}
		return s.d.Vault.Delete(ctx, payloadRef(&o.Challenge))
	})
	if errors.Is(err, errLost) {
		return nil, errGone()
	}
	return payload, failed(err)
}

// NotMe writes down that a person said that a request was not theirs.
func (s *Store) NotMe(ctx context.Context, o *Open) error {
	p := o.Person
	if p.ID == "" {
		p = Person{Account: o.Account}
	}
	return failed(s.d.DB.InTx(ctx, func(ctx context.Context) error {
		return s.note(ctx, &p, NoteNotMe, o.Source, "the person did not sign in: somebody may have their password")
	}))
}
