package mfa

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Try is who answers, and from where.
type Try struct {
	Person Person
	Source string      // the address of the browser
	Known  secret.Text // of its cookie, see [Store.Known]
	What   string      // what for: a challenge's id, [OwnPage]; for the trail

	factors []Factor // of the person, where they were read a moment ago
}

// OwnPage is what an answer is for at a person's own page. Nobody showed a password
// there, so that wrong answers at it are counted apart: whoever knows an account's name
// must not be able to keep its person from signing in.
const OwnPage = "own"

// actor is whom the trail names.
func (t *Try) actor() string { return "person:" + t.Person.Account.Object }

// gate counts an answer before it is looked at, so that no number of answers at the same
// time is looked at beyond what the lockout lets through.
type gate struct {
	s      *Store
	t      *Try
	known  bool
	own    string // id of the tries of the account from here
	others string // of the account from strangers
	source string // of the network, over all accounts
}

// counted are the failures of a network: none behind a proxy, where it is everybody's.
func (g *gate) counted(src tries) factor.Failures {
	if src.id == network(viaProxy, false) {
		return factor.Failures{}
	}
	return src.failures()
}

func (t tries) failures() (f factor.Failures) {
	_ = json.Unmarshal([]byte(t.body), &f) // nothing is no failures
	return f
}

// pass lets an answer through, or says how long to wait: kind problem.TooMany with the
// time. What it let through counts as wrong until [gate.right].
func (s *Store) pass(ctx context.Context, t *Try) (*gate, error) {
	if t.Person.State != Active {
		return nil, problem.New(problem.Forbidden, "the help desk has blocked this account's factors").WithHint("ask your help desk")
	}
	name, known := s.knows(ctx, &t.Person, t.Known)
	net := network(t.Source, false)
	g := &gate{s: s, t: t, known: known, own: t.Person.ID + " at " + net, others: t.Person.ID + " elsewhere", source: net}
	if known {
		g.own = t.Person.ID + " known " + name
	}
	if t.What == OwnPage {
		g.own, g.others = g.own+" at the own page", g.others+" at the own page"
	}
	var wait time.Duration
	var why string
	var locks bool
	err := again(ctx, func() error {
		return s.d.DB.InTx(ctx, func(ctx context.Context) error {
			own, others, src, err := g.read(ctx)
			if err != nil {
				return err
			}
			now := s.now()
			b := factor.Buckets{Own: own.failures(), Source: g.counted(src), Strangers: others.failures()}
			if wait, why = s.lock.Wait(known, b, now); wait > 0 {
				return nil
			}
			after := s.lock.Failed(known, b, now)
			next, _ := s.lock.Wait(known, after, now)
			locks = next > 0
			own.person, others.person = t.Person.ID, t.Person.ID
			if err := g.put(ctx, &own, s.lock.Own, after.Own, now); err != nil || known {
				return err
			}
			return g.put(ctx, &others, s.lock.Strangers, after.Strangers, now)
		})
	})
	switch {
	case err != nil:
		return nil, failed(err)
	case wait > 0:
		return nil, waits(wait, why)
	}
	if locks {
		g.s.d.Log.InfoContext(ctx, "another wrong answer makes an account wait", "person", t.Person.ID)
	}
	return g, nil
}

func waits(wait time.Duration, why string) error {
	wait = max(wait.Round(time.Second), time.Second)
	return problem.New(problem.TooMany, "%s: no answer is looked at for %s", upper(why), span(wait)).
		WithHint("wait, then try again; the help desk can end the wait").WithAfter(wait)
}

func upper(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// span is a wait in words.
func span(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", int(d.Seconds()+.5))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()+.5))
}

func (g *gate) read(ctx context.Context) (own, others, src tries, err error) {
	if own, err = g.s.readTries(ctx, g.own); err == nil {
		others, err = g.s.readTries(ctx, g.others)
	}
	if err == nil {
		src, err = g.s.readTries(ctx, g.source)
	}
	return own, others, src, err
}

func (g *gate) put(ctx context.Context, t *tries, slow factor.Slow, f factor.Failures, now time.Time) error {
	t.last, t.body, t.until = f.Last, text(f), time.Time{}
	if w := slow.Wait(f, now); w > 0 {
		t.until = now.Add(w)
	}
	return g.s.putTries(ctx, t)
}

// right takes back what [Store.pass] counted: the account's own wrong answers from here
// are forgotten, strangers' stay. It runs in the transaction of ctx.
func (g *gate) right(ctx context.Context) error {
	own, others, _, err := g.read(ctx)
	if err != nil {
		return err
	}
	now := g.s.now()
	if err := g.put(ctx, &own, g.s.lock.Own, g.s.lock.Passed(factor.Buckets{Own: own.failures()}).Own, now); err != nil || g.known {
		return err
	}
	f := others.failures()
	f.Count = max(f.Count-1, 0)
	return g.put(ctx, &others, g.s.lock.Strangers, f, now)
}

// wrong writes a refused answer down: it counts for the network too. where is what was
// shown, why for the trail alone.
func (g *gate) wrong(ctx context.Context, kind Kind, why string) error {
	var locked time.Duration
	var because string
	err := again(ctx, func() error {
		return g.s.d.DB.InTx(ctx, func(ctx context.Context) error {
			own, others, src, err := g.read(ctx)
			if err != nil {
				return err
			}
			now := g.s.now()
			f := g.s.lock.Source.Failed(src.failures(), now)
			src.body = text(f)
			if err := g.put(ctx, &src, g.s.lock.Source, f, now); err != nil {
				return err
			}
			locked, because = g.s.lock.Wait(g.known, factor.Buckets{Own: own.failures(), Source: g.counted(src), Strangers: others.failures()}, now)
			p := &g.t.Person
			details := map[string]string{"kind": string(kind), "network": network(g.t.Source, true), "for": g.t.What}
			if err := g.s.record(ctx, audit.MFARefused, audit.Refused, g.t.actor(), p, "", why, details); err != nil || locked == 0 {
				return err
			}
			details["wait"] = locked.Round(time.Second).String()
			if err := g.s.record(ctx, audit.MFALocked, audit.Done, "system:mfa", p, "", because, details); err != nil {
				return err
			}
			return g.s.note(ctx, p, NoteRefusals, g.t.Source, because+": no answer is looked at for "+span(locked))
		})
	})
	return failed(err)
}

// Locked are the people whose account waits now, with until when.
func (s *Store) Locked(ctx context.Context) (map[string]time.Time, error) {
	list, err := s.locked(ctx, s.now())
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, t := range list {
		if t.person != "" && t.until.After(out[t.person]) {
			out[t.person] = t.until
		}
	}
	return out, nil
}

// Unlock forgets the wrong answers of an account; those of a network stay.
func (s *Store) Unlock(ctx context.Context, person, actor string) (Person, error) {
	p, err := s.Person(ctx, person)
	if err != nil {
		return p, err
	}
	return p, failed(s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.dropTries(ctx, p.ID, time.Time{}); err != nil {
			return err
		}
		return s.record(ctx, audit.MFAUnlocked, audit.Done, actor, &p, "", "", nil)
	}))
}
