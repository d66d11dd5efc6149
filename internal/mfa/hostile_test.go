package mfa_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Whoever opened an invitation's link and added nothing gets no recovery codes of the
// person that used it: they would open the account, and nobody would miss a factor.
func TestStolenLinkMakesNoCodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		_, link := r.invite(account(), "ada@contoso.example")
		thief, _, err := r.s.BeginInvited(ctx, link)
		r.ok(err)
		x, cookie, err := r.s.BeginInvited(ctx, link)
		r.ok(err)
		p, err := r.s.Of(ctx, account())
		r.ok(err)
		_, codes := r.app(&x, &p)
		if got, err := r.s.MakeCodes(ctx, &thief); !errors.Is(err, problem.Forbidden) || len(got) > 0 {
			t.Errorf("%d codes, %v", len(got), err)
		}
		if _, err := r.show(p, mfa.Recovery, codes[0], inside); err != nil {
			t.Errorf("the person's own codes ended: %v", err)
		}
		// Who set the factor up makes new ones, until their session was ended.
		x, _, err = r.s.Session(ctx, cookie)
		r.ok(err)
		if _, err := r.s.MakeCodes(ctx, &x); err != nil {
			t.Error(err)
		}
		x, _, err = r.s.Session(ctx, cookie)
		r.ok(err)
		_, err = r.s.Block(ctx, p.ID, true, "local:help", "")
		r.ok(err)
		if _, err := r.s.MakeCodes(ctx, &x); !errors.Is(err, problem.Conflict) {
			t.Errorf("codes were made in a session that was ended: %v", err)
		}
	})
}

// A reset ends what was given before it: a pass that somebody was talked into, and what
// waits for a second person.
func TestResetEndsPasses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		p, _, _ := r.person(account(), "ada@contoso.example")
		pass, err := r.s.Ask(ctx, p.ID, mfa.ActPass, "says that the phone is lost", "local:help")
		r.ok(err)
		_, g, err := r.s.Approve(ctx, pass.ID, "local:second")
		r.ok(err)
		waits, err := r.s.Ask(ctx, p.ID, mfa.ActPass, "and again", "local:help")
		r.ok(err)
		reset, err := r.s.Ask(ctx, p.ID, mfa.ActReset, "it was somebody else", "local:help")
		r.ok(err)
		_, _, err = r.s.Approve(ctx, reset.ID, "local:second")
		r.ok(err)
		if _, err := r.show(p, mfa.Pass, g.Pass, inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("the pass is good after the reset: %v", err)
		}
		if _, _, err := r.s.Approve(ctx, waits.ID, "local:second"); !errors.Is(err, problem.Conflict) {
			t.Errorf("a question of before the reset was approved: %v", err)
		}
	})
}

// Who had a factor is not a stranger again when the database forgets it: not where the
// person is gone, and not where the row of before the factor was put back.
func TestForgottenPerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, func(m *mfa.Deps) { m.Config = &mfa.Config{Enrol: mfa.EnrolFirst} })
		ctx := t.Context()
		do := func(q string, args ...any) {
			t.Helper()
			_, err := d.ExecContext(ctx, q, args...)
			r.ok(err)
		}
		r.invite(account(), "ada@contoso.example")
		do("CREATE TABLE before AS SELECT * FROM mfa_people")
		r.person(account(), "ada@contoso.example")
		for _, how := range []string{"gone", "older"} {
			do("DELETE FROM mfa_factors")
			do("DELETE FROM mfa_people")
			if how == "older" {
				do("INSERT INTO mfa_people SELECT * FROM before")
			}
			c, cookie, err := r.s.Keep(ctx, mfa.Challenge{Account: account(), Login: "ada@contoso.example", Accept: []string{"otp"}, Asked: r.Now(),
				Deadline: r.Now().Add(5 * time.Minute)}, []byte("x"))
			r.ok(err)
			o, err := r.s.Opened(ctx, c.ID, cookie)
			r.ok(err)
			if _, _, err := r.s.BeginFirst(ctx, &o); !errors.Is(err, problem.Forbidden) {
				t.Errorf("%s: who has the password enrols: %v", how, err)
			}
			if _, _, err := r.s.Invite(ctx, account(), "", "", "local:help"); !errors.Is(err, problem.Conflict) {
				t.Errorf("%s: one person of the help desk invites: %v", how, err)
			}
		}
		// Two people give the account back.
		p, err := r.s.Of(ctx, account())
		r.ok(err)
		a, err := r.s.Ask(ctx, p.ID, mfa.ActReset, "the database lost them", "local:help")
		r.ok(err)
		_, g, err := r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
		r.must(!g.Link.IsZero())
	})
}

// An invitation that is refused changes nothing: by another name somebody would not be
// the one whom the help desk may not help alone.
func TestRefusedInvitation(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	p, _, _ := r.person(account(), "ada@contoso.example")
	_, _, err := r.s.Invite(t.Context(), account(), "Mallory", "mallory@contoso.example", "entra:ada@contoso.example")
	r.must(errors.Is(err, problem.Conflict), err)
	now, err := r.s.Person(t.Context(), p.ID)
	r.ok(err)
	r.must(now.Login == p.Login && now.Name == p.Name, now.Login, now.Name)
	_, err = r.s.Ask(t.Context(), p.ID, mfa.ActPass, "for myself", "entra:ada@contoso.example")
	r.must(errors.Is(err, problem.Forbidden), err)
}

// A name that nobody has waits and is refused as one that somebody has, so that a
// stranger does not learn by it who has a factor here.
func TestNobodyIsRefusedAlike(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	p, _, _ := r.person(account(), "ada@contoso.example")
	before := len(r.trail.Events())
	for _, kind := range []mfa.Kind{mfa.TOTP, mfa.Recovery, mfa.Pass} {
		for n := range 8 {
			_, somebody := r.show(p, kind, text("00000-00000"), "192.0.2.7")
			nobody := r.s.ShowNobody(t.Context(), " Eve@contoso.example", "198.51.100.7", kind, text("00000-00000"))
			if somebody == nil || nobody == nil || somebody.Error() != nobody.Error() ||
				errors.Is(somebody, problem.TooMany) != errors.Is(nobody, problem.TooMany) {
				t.Errorf("%s %d: %v, and nobody: %v", kind, n, somebody, nobody)
			}
		}
		r.Add(3 * time.Hour)
	}
	for _, e := range r.trail.Events()[before:] {
		r.must(e.Details["person"] == p.ID, "a stranger fills the trail:", e)
	}
	if err := r.s.ShowNobody(t.Context(), "eve", "198.51.100.7", mfa.TOTP, text("")); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
	for n := range 30 { // many names of one network
		_ = r.s.ShowNobody(t.Context(), fmt.Sprint("name", n), "203.0.113.7", mfa.TOTP, text("000000"))
	}
	if _, err := r.show(p, mfa.TOTP, text("000000"), "203.0.113.7"); !errors.Is(err, problem.TooMany) {
		t.Errorf("a network that tries names does not wait: %v", err)
	}
}

// Strangers who know an account's name, and no password, do not keep its person from
// signing in: what is wrong at the own page slows the own page alone.
func TestOwnPageLocksNobodyOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	p, seed, _ := r.person(account(), "ada@contoso.example")
	var err error
	for n := range 20 {
		_, err = r.s.ShowCode(t.Context(), mfa.Try{Person: p, Source: fmt.Sprintf("198.51.%d.7", n), What: mfa.OwnPage}, mfa.TOTP, text("000000"))
	}
	r.must(errors.Is(err, problem.TooMany), "the own page does not slow:", err)
	_, err = r.show(p, mfa.TOTP, r.code(seed), "192.0.2.200")
	r.ok(err)
	p, err = r.s.Unlock(t.Context(), p.ID, "local:help")
	r.ok(err)
	_, err = r.s.ShowCode(t.Context(), mfa.Try{Person: p, Source: "198.51.100.7", What: mfa.OwnPage}, mfa.TOTP, text("000000"))
	r.must(errors.Is(err, problem.Forbidden), "the help desk does not end it:", err)
}

// A claim is worth nothing to Entra ID after its five minutes, and none is given then,
// though the answer was judged before.
func TestFinishIsInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.person(account(), "ada@contoso.example")
	c, cookie, err := r.s.Keep(t.Context(), mfa.Challenge{Account: account(), Accept: []string{"otp"}, Asked: r.Now(), Deadline: r.Now().Add(5 * time.Minute)},
		[]byte("x"))
	r.ok(err)
	o, err := r.s.Opened(t.Context(), c.ID, cookie)
	r.ok(err)
	r.Add(5 * time.Minute)
	if _, err := r.s.Finish(t.Context(), &o, mfa.Outcome{AMR: "otp"}); err == nil {
		t.Error("a challenge was passed after its time")
	}
	if _, err := r.s.Finish(t.Context(), &o, mfa.Outcome{Error: "access_denied", Why: "late"}); err != nil {
		t.Errorf("it cannot be refused: %v", err)
	}
}

// A session by an invitation sets factors up, and takes none away: also the one that set
// the first up. A factor is shown first.
func TestInvitedRemovesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	_, link := r.invite(account(), "ada@contoso.example")
	thief, _, err := r.s.BeginInvited(ctx, link)
	r.ok(err)
	x, cookie, err := r.s.BeginInvited(ctx, link)
	r.ok(err)
	p, err := r.s.Of(ctx, account())
	r.ok(err)
	r.app(&x, &p)
	x, _, err = r.s.Session(ctx, cookie)
	r.ok(err)
	r.app(&x, &p)
	list, err := r.s.Factors(ctx, p.ID)
	r.ok(err)
	for _, by := range []*mfa.Session{&thief, &x} {
		for _, f := range list {
			if _, err := r.s.Remove(ctx, by, f.ID); !errors.Is(err, problem.Forbidden) {
				t.Errorf("%s was taken away: %v", f.Kind, err)
			}
		}
	}
	// And it ends: by its time, and when the help desk blocks the account.
	_, err = r.s.Block(ctx, p.ID, true, "local:help", "")
	r.ok(err)
	_, err = r.s.Block(ctx, p.ID, false, "local:help", "")
	r.ok(err)
	_, _, err = r.s.Session(ctx, cookie)
	r.must(errors.Is(err, problem.Unauthenticated), err)
	_, cookie, err = r.s.BeginOwn(ctx, mfa.Shown{Person: p, Factor: list[0].ID})
	r.ok(err)
	_, _, err = r.s.Session(ctx, cookie)
	r.ok(err)
	r.Add(10 * time.Minute)
	_, _, err = r.s.Session(ctx, cookie)
	r.must(errors.Is(err, problem.Unauthenticated), err)
}

// What was set up for one request answers that one, and only where something was set up.
func TestEnrolledAnswersItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), func(m *mfa.Deps) { m.Config = &mfa.Config{Enrol: mfa.EnrolFirst} })
	ctx := t.Context()
	keep := func() (string, secret.Text) {
		c, cookie, err := r.s.Keep(ctx, mfa.Challenge{Account: account(), Login: "ada@contoso.example", Accept: []string{"otp"}, Asked: r.Now(),
			Deadline: r.Now().Add(5 * time.Minute)}, []byte("x"))
		r.ok(err)
		return c.ID, cookie
	}
	open := func(id string, cookie secret.Text) *mfa.Open {
		o, err := r.s.Opened(ctx, id, cookie)
		r.ok(err)
		return &o
	}
	one, oneCookie := keep()
	two, twoCookie := keep()
	x, own, err := r.s.BeginFirst(ctx, open(one, oneCookie))
	r.ok(err)
	idle, _, err := r.s.BeginFirst(ctx, open(one, oneCookie)) // it sets nothing up
	r.ok(err)
	p, err := r.s.Of(ctx, account())
	r.ok(err)
	r.app(&x, &p)
	x, _, err = r.s.Session(ctx, own)
	r.ok(err)
	if _, err := r.s.AnswerEnrolled(ctx, open(two, twoCookie), &x); !errors.Is(err, problem.Forbidden) {
		t.Errorf("another request was answered: %v", err)
	}
	if _, err := r.s.AnswerEnrolled(ctx, open(one, oneCookie), &idle); !errors.Is(err, problem.Forbidden) {
		t.Errorf("by a session that set nothing up: %v", err)
	}
	if _, err := r.s.AnswerEnrolled(ctx, open(one, oneCookie), &x); err != nil {
		t.Error(err)
	}
	if _, err := r.s.AnswerEnrolled(ctx, open(one, oneCookie), &x); err == nil {
		t.Error("the session is good twice")
	}
}
