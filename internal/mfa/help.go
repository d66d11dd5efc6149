package mfa

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// askedFor is how long a question of the help desk waits for the second person.
const askedFor = 24 * time.Hour

type actBody struct {
	Act
	Hash string `json:"hash,omitempty"`
}

func (a *Act) row() *row {
	b := actBody{*a, a.hash}
	b.Refused = ""
	return &row{id: a.ID, look: a.What, person: a.Person, state: a.State, ends: db.Micros(a.Ends), body: text(b), version: a.version, mark: a.mark}
}

func readAct(r *row) (Act, error) {
	var b actBody
	if err := json.Unmarshal([]byte(r.body), &b); err != nil {
		return b.Act, problem.Wrap(err, problem.Internal, "%s cannot be read", r.id)
	}
	a := b.Act
	a.ID, a.What, a.Person, a.State, a.Ends, a.hash, a.version, a.mark = r.id, r.look, r.person, r.state, db.Time(r.ends), b.Hash, r.version, r.mark
	return a, nil
}

func (s *Store) saveAct(ctx context.Context, a *Act) error { return s.update(ctx, acts, a.row()) }

// words are what the trail says last of an act in a state.
func (a *Act) words() audit.Action {
	return map[string]audit.Action{
		ActReset + Asked: audit.MFAResetAsked, ActReset + Approved: audit.MFAResetApproved,
		ActPass + Asked: audit.MFAPassAsked, ActPass + Approved: audit.MFAPassApproved, ActPass + Used: audit.MFAPassUsed,
		ActRecovery + Asked: audit.MFARecoveryAsked, ActRecovery + Approved: audit.MFARecoveryApproved,
		ActReset + Withdrawn: audit.MFAActWithdrawn, ActPass + Withdrawn: audit.MFAActWithdrawn, ActRecovery + Withdrawn: audit.MFAActWithdrawn,
	}[a.What+a.State]
}

// Acts lists what was asked for and done, the newest first, each held to its mark.
func (s *Store) Acts(ctx context.Context) ([]Act, error) { return s.actsOf(ctx, "") }

func (s *Store) actsOf(ctx context.Context, person string) ([]Act, error) {
	rows, err := s.many(ctx, acts, person)
	if err != nil {
		return nil, err
	}
	said, err := s.said(ctx)
	if err != nil {
		return nil, failed(err)
	}
	out := []Act{}
	for i := range rows {
		a, err := readAct(&rows[i])
		if err == nil {
			err = s.holds(ctx, acts, &rows[i], said, a.words())
		}
		if errors.Is(err, vault.ErrForged) {
			a.ID, a.Refused = rows[i].id, problemWords(err)
		} else if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Act) int { return b.Asked.Compare(a.Asked) })
	return out, nil
}

// passes are the temporary passes of a person that may be used now.
func (s *Store) passes(ctx context.Context, person string) (out []Act, err error) {
	list, err := s.actsOf(ctx, person)
	for _, a := range list {
		if a.Refused == "" && a.What == ActPass && a.State == Approved && s.now().Before(a.Ends) {
			out = append(out, a)
		}
	}
	return out, err
}

func (s *Store) act(ctx context.Context, id string) (Act, Person, error) {
	r, err := s.one(ctx, acts, id, "")
	if errors.Is(err, sql.ErrNoRows) {
		return Act{}, Person{}, problem.New(problem.NotFound, "nothing with the id %.40q was asked for", id).WithHint("partnerguard mfa users shows what waits")
	}
	if err != nil {
		return Act{}, Person{}, err
	}
	a, err := readAct(&r)
	if err != nil {
		return a, Person{}, err
	}
	said, err := s.said(ctx)
	if err == nil {
		err = s.holds(ctx, acts, &r, said, a.words())
	}
	if err != nil {
		return a, Person{}, failed(err)
	}
	p, err := s.Person(ctx, a.Person)
	return a, p, err
}

// who is the person behind an actor: without the way they came and the domain, in lower
// case, so that one person is the same by every way.
func who(actor string) string {
	a := strings.ToLower(strings.TrimSpace(actor))
	if _, rest, found := strings.Cut(a, ":"); found {
		a = rest
	}
	a, _, _ = strings.Cut(a, "@")
	if i := strings.LastIndexAny(a, `\/`); i >= 0 { // DOMAIN\user
		a = a[i+1:]
	}
	return strings.Join(strings.FieldsFunc(a, func(r rune) bool { return r == ' ' || r == '.' || r == '_' || r == '-' }), " ")
}

// concerns says that an actor is the person itself.
func concerns(actor string, p *Person) bool {
	w := who(actor)
	return w != "" && (w == who(p.Login) || w == who(p.Account.Object))
}

// Ask asks for an act of two people. It does nothing before another person approves it.
func (s *Store) Ask(ctx context.Context, person, what, reason, actor string) (Act, error) {
	p, err := s.Person(ctx, person)
	if err != nil {
		return Act{}, err
	}
	a := Act{ID: token.ID("ma"), What: what, Person: p.ID, State: Asked, Reason: cleaned(reason), AskedBy: actor, Asked: s.now()}
	a.Ends = a.Asked.Add(askedFor)
	switch {
	case a.words() == "":
		return a, problem.New(problem.Usage, "%.40q is nothing that is asked for", what).WithHint("reset, pass or recovery")
	case a.Reason == "":
		return a, problem.New(problem.Usage, "why is missing").WithHint("say how you know that it is %s who asks", p.Called())
	case who(actor) == "" || concerns(actor, &p):
		return a, problem.New(problem.Forbidden, "nobody asks for themselves").WithHint("another person of the help desk does")
	case p.State != Active && what != ActReset:
		return a, problem.New(problem.Conflict, "%s is blocked", p.Called())
	}
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return a, err
	}
	if strong := strongest(list); what == ActRecovery && (strong == "" || strong == Recovery) {
		return a, problem.New(problem.Conflict, "%s has no factor that recovery codes could stand in for", p.Called()).WithHint("ask for a reset instead")
	}
	if what == ActPass {
		a.Lifetime = s.conf.PassLife
	}
	waiting, err := s.actsOf(ctx, p.ID)
	if err != nil {
		return a, err
	}
	for _, o := range waiting {
		if o.What == what && o.State == Asked && o.Refused == "" && s.now().Before(o.Ends) {
			return o, problem.New(problem.Conflict, "%s was asked for already, by %s", o.ID, o.AskedBy).WithHint("another person approves it, or withdraws it")
		}
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.insert(ctx, acts, a.row()); err != nil {
			return err
		}
		return s.record(ctx, a.words(), audit.Done, actor, &p, a.ID, a.Reason, nil)
	})
	return a, failed(err)
}

// Approve does what another person asked for, and gives what it gives, once. Kinds:
// problem.Forbidden for who asked or is concerned, problem.Conflict where it does not wait.
func (s *Store) Approve(ctx context.Context, id, actor string) (a Act, g Given, err error) {
	a, p, err := s.act(ctx, id)
	if err != nil {
		return a, g, err
	}
	now := s.now()
	switch {
	case who(actor) == "":
		return a, g, problem.New(problem.Usage, "who approves is not known")
	case who(actor) == who(a.AskedBy) || concerns(actor, &p):
		return a, g, problem.New(problem.Forbidden, "%s asked for it or is concerned, and cannot approve it", actor).
			WithHint("another person of the help desk does: partnerguard mfa %s --approve %s", a.What, a.ID)
	case a.State != Asked || !now.Before(a.Ends):
		return a, g, problem.New(problem.Conflict, "%s does not wait: it is %s", a.ID, a.On(now)).WithHint("ask anew")
	}
	a.By, a.Decided, a.State = actor, now, Approved
	do := map[string]func(context.Context, *Act, *Person, string) (Given, error){ActReset: s.doReset, ActPass: s.doPass, ActRecovery: s.doRecovery}[a.What]
	err = again(ctx, func() error {
		g, err = do(ctx, &a, &p, actor)
		if errors.Is(err, errLost) { // the person, or the act, was changed meanwhile
			fresh, np, ferr := s.act(ctx, id)
			if ferr != nil || fresh.State != Asked {
				return errors.Join(ferr, problem.New(problem.Conflict, "%s was decided meanwhile", id))
			}
			a.version, p = fresh.version, np
		}
		return err
	})
	return a, g, failed(err)
}

// On says how an act stands at a moment.
func (a *Act) On(at time.Time) string {
	if a.Refused != "" {
		return "refused"
	}
	if (a.State == Asked || a.State == Approved && a.What == ActPass) && !at.Before(a.Ends) {
		return "out of time"
	}
	return a.State
}

func (s *Store) doReset(ctx context.Context, a *Act, p *Person, actor string) (g Given, err error) {
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return g, err
	}
	others, err := s.actsOf(ctx, p.ID)
	if err != nil {
		return g, err
	}
	return g, s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.saveAct(ctx, a); err != nil {
			return err
		}
		for i := range others { // whoever talked the help desk into a pass keeps none
			o := &others[i]
			if o.ID == a.ID || o.Refused != "" || o.State != Asked && (o.State != Approved || o.What != ActPass) {
				continue
			}
			if err := s.endAct(ctx, o, p, actor, "reset "+a.ID); err != nil {
				return err
			}
		}
		for i := range list {
			if err := s.drop(ctx, p, &list[i], actor, "reset "+a.ID); err != nil {
				return err
			}
		}
		if err := s.endSessions(ctx, p.ID); err != nil {
			return err
		}
		if err := s.dropTries(ctx, p.ID, time.Time{}); err != nil {
			return err
		}
		if err := s.record(ctx, audit.MFAResetApproved, audit.Done, actor, p, a.ID, a.Reason, map[string]string{"asked": a.AskedBy,
			"factors": text(len(list))}); err != nil {
			return err
		}
		next := *p
		next.State, next.Places = Active, nil
		if err := s.savePerson(ctx, &next); err != nil {
			return err
		}
		// Browsers that were known are strangers again.
		if err := s.d.Vault.Put(ctx, knownRef(p), token.Text()); err != nil {
			return err
		}
		_, g.Link, err = s.invite(ctx, p, actor)
		return err
	})
}

func (s *Store) endSessions(ctx context.Context, person string) error {
	rows, err := s.many(ctx, sessions, person)
	for i := range rows {
		if err == nil {
			err = s.remove(ctx, sessions, rows[i].id, rows[i].version)
		}
		if err == nil {
			err = s.d.Vault.Delete(ctx, pendingRef(rows[i].id))
		}
	}
	return err
}

func (s *Store) doPass(ctx context.Context, a *Act, p *Person, actor string) (g Given, err error) {
	code, key := factor.Pass(), token.Text()
	if a.hash, err = s.slowHash(ctx, key, a.ID, code); err != nil {
		return g, err
	}
	a.Ends = a.Decided.Add(a.Lifetime)
	old, err := s.passes(ctx, p.ID)
	if err != nil {
		return g, err
	}
	g.Pass = code
	return g, s.d.DB.InTx(ctx, func(ctx context.Context) error {
		for i := range old { // one at a time
			if err := s.endAct(ctx, &old[i], p, actor, "a new one was given"); err != nil {
				return err
			}
		}
		if err := s.saveAct(ctx, a); err != nil {
			return err
		}
		if err := s.d.Vault.Put(ctx, codesRef(p, a.ID), key); err != nil {
			return err
		}
		return s.record(ctx, audit.MFAPassApproved, audit.Done, actor, p, a.ID, a.Reason, map[string]string{"asked": a.AskedBy,
			"until": a.Ends.Format(time.RFC3339)})
	})
}

func (s *Store) doRecovery(ctx context.Context, a *Act, p *Person, actor string) (g Given, err error) {
	list, err := s.Factors(ctx, p.ID)
	if err != nil {
		return g, err
	}
	n, err := s.newCodes(ctx, p, a.ID)
	if err != nil {
		return g, err
	}
	g.Codes = n.codes
	return g, s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.saveAct(ctx, a); err != nil {
			return err
		}
		if err := s.putCodes(ctx, p, n, list, actor); err != nil {
			return err
		}
		return s.record(ctx, audit.MFARecoveryApproved, audit.Done, actor, p, a.ID, a.Reason, map[string]string{"asked": a.AskedBy})
	})
}

// endAct withdraws an act, in the transaction of ctx.
func (s *Store) endAct(ctx context.Context, a *Act, p *Person, actor, why string) error {
	gone := *a
	gone.State, gone.By, gone.Decided, gone.hash = Withdrawn, actor, s.now(), ""
	if err := s.saveAct(ctx, &gone); err != nil {
		return err
	}
	if err := s.d.Vault.Delete(ctx, codesRef(p, a.ID)); err != nil {
		return err
	}
	return s.record(ctx, audit.MFAActWithdrawn, audit.Done, actor, p, a.ID, why, map[string]string{"what": a.What})
}

// Withdraw ends what was asked for, or a pass that was not used; anybody of the help desk
// may.
func (s *Store) Withdraw(ctx context.Context, id, actor string) (Act, error) {
	a, p, err := s.act(ctx, id)
	if err != nil {
		return a, err
	}
	if a.State != Asked && (a.State != Approved || a.What != ActPass) {
		return a, problem.New(problem.Conflict, "%s cannot be withdrawn: it is %s", a.ID, a.On(s.now()))
	}
	return a, failed(s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.endAct(ctx, &a, &p, actor, "") }))
}

// endPasses ends passes that are out of time, with the keys of their hashes.
func (s *Store) endPasses(ctx context.Context) error {
	list, err := s.Acts(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		a := &list[i]
		if a.Refused != "" || a.What != ActPass || a.State != Approved || s.now().Before(a.Ends) {
			continue
		}
		p, err := s.Person(ctx, a.Person)
		if err == nil {
			err = s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.endAct(ctx, a, &p, "system:mfa", "it is out of time") })
		}
		if err != nil && !errors.Is(err, errLost) && !errors.Is(err, vault.ErrForged) {
			return failed(err)
		}
	}
	return nil
}

// RemoveFactor takes a factor away for a person, and never the last.
func (s *Store) RemoveFactor(ctx context.Context, id, actor, why string) (Factor, error) {
	r, err := s.one(ctx, factors, id, "")
	if errors.Is(err, sql.ErrNoRows) {
		return Factor{}, problem.New(problem.NotFound, "no factor has the id %.40q", id).WithHint("partnerguard mfa factors lists them")
	}
	if err != nil {
		return Factor{}, err
	}
	return s.takeAway(ctx, r.person, id, actor, cleaned(why))
}

// Block has no factor of a person taken any more, or again.
func (s *Store) Block(ctx context.Context, person string, block bool, actor, why string) (p Person, err error) {
	state, action := Blocked, audit.MFABlocked
	if !block {
		state, action = Active, audit.MFAUnblocked
	}
	err = again(ctx, func() error {
		if p, err = s.Person(ctx, person); err != nil || p.State == state {
			return err
		}
		p.State = state
		return s.d.DB.InTx(ctx, func(ctx context.Context) error {
			if err := s.savePerson(ctx, &p); err != nil {
				return err
			}
			if err := s.endSessions(ctx, p.ID); err != nil {
				return err
			}
			return s.record(ctx, action, audit.Done, actor, &p, "", cleaned(why), nil)
		})
	})
	return p, failed(err)
}
