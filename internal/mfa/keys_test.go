package mfa_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/problem"
)

// keyed sets a security key up for the person of an invitation.
func (r *rig) keyed(a mfa.Account, login string) (mfa.Person, *software) {
	r.Helper()
	_, link := r.invite(a, login)
	x, _, err := r.s.BeginInvited(r.Context(), link)
	r.ok(err)
	p, err := r.s.Of(r.Context(), a)
	r.ok(err)
	k := newSoftware(r)
	asked, err := r.s.AskNewKey(r.Context(), &x, &p)
	r.ok(err)
	_, _, err = r.s.AddKey(r.Context(), &x, &p, "blue key", k.create(r, asked))
	r.ok(err)
	return p, k
}

func (r *rig) challenge(a mfa.Account, accept ...string) (*mfa.Open, func() *mfa.Open) {
	r.Helper()
	c, browser, err := r.s.Keep(r.Context(), mfa.Challenge{Account: a, Login: "ada@contoso.example", Where: "Contoso", Source: inside, Accept: accept,
		Asked: r.Now(), Deadline: r.Now().Add(5 * time.Minute)}, []byte("payload"))
	r.ok(err)
	open := func() *mfa.Open {
		o, err := r.s.Opened(r.Context(), c.ID, browser)
		r.ok(err)
		return &o
	}
	return open(), open
}

// A key answers what it was asked, once, for its person, with its user verified, and never
// with a counter that goes backwards.
func TestKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		p, k := r.keyed(account(), "ada@contoso.example")
		o, open := r.challenge(account(), "fido", "otp")
		asked, err := r.s.AskKeyFor(ctx, o)
		r.ok(err)
		answer := k.get(t, asked)
		shown, err := r.s.AnswerKey(ctx, open(), answer, text(""), inside)
		r.ok(err)
		r.must(shown.Kind.AMR() == "fido" && shown.Person.ID == p.ID, shown.Kind)
		refused := func(what string, answer func(asked []byte) []byte, because string) {
			t.Helper()
			o := open()
			asked, err := r.s.AskKeyFor(ctx, o)
			r.ok(err)
			before := len(r.trail.Of(audit.MFARefused))
			if _, err := r.s.AnswerKey(ctx, open(), answer(asked), text(""), inside); !errors.Is(err, problem.Forbidden) {
				t.Errorf("%s: %v", what, err)
			}
			if e := r.trail.Of(audit.MFARefused)[before:]; len(e) != 1 || !bytes.Contains([]byte(e[0].Reason), []byte(because)) {
				t.Errorf("%s: the trail says %+v", what, e)
			}
			_, err = r.s.Unlock(ctx, p.ID, "local:help")
			r.ok(err)
		}
		refused("the answer of before", func([]byte) []byte { return answer }, "does not verify")
		refused("no user verification", func(a []byte) []byte { k.uv = false; defer func() { k.uv = true }(); return k.get(t, a) }, "does not verify")
		refused("another origin", func(a []byte) []byte {
			k.origin = "https://guard.contoso.example.evil.example"
			defer func() { k.origin = home }()
			return k.get(t, a)
		}, "does not verify")
		refused("a counter of before", func(a []byte) []byte { k.counter = 0; return k.get(t, a) }, "backwards")
		k.counter = 100
		refused("nonsense", func([]byte) []byte { return []byte("{}") }, "no key")
		notes, err := r.s.Notes(ctx, p.ID, time.Time{})
		r.ok(err)
		found := false
		for _, n := range notes {
			found = found || n.Kind == mfa.NoteCopied
		}
		r.must(found, "a copied key is no note:", notes)
		// Another person's key, at this person's challenge.
		_, other := r.keyed(mfa.Account{Tenant: tenant, Object: "bbbbbbbb-2222-3333-4444-555555555555"}, "bob@contoso.example")
		refused("another's key", func(a []byte) []byte { return other.get(t, a) }, "another person")
		// A key that says itself whose it is.
		c, err := r.s.AskKey(ctx, nil)
		r.ok(err)
		response := other.get(t, c.Options)
		q, err := r.s.Whose(ctx, response)
		r.ok(err)
		_, err = r.s.ShowKey(ctx, mfa.Try{Person: q, Source: inside, What: "own"}, c.Kept, response)
		r.ok(err)
	})
}

// A challenge is answered once, in its time, by its browser, with what it takes.
func TestChallenge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		_, seed, _ := r.person(account(), "ada@contoso.example")
		o, open := r.challenge(account(), "otp")
		r.must(o.Has(mfa.TOTP) && o.Has(mfa.Recovery) && !o.Has(mfa.Key) && !o.Has(mfa.Pass), "what may answer")
		if _, err := r.s.Opened(ctx, o.ID, text("another")); !errors.Is(err, problem.NotFound) {
			t.Errorf("another browser: %v", err)
		}
		if _, err := r.s.AnswerCode(ctx, o, mfa.TOTP, r.code(seed), text(""), inside); err != nil {
			t.Error(err)
		}
		if _, err := r.s.Finish(ctx, o, mfa.Outcome{AMR: "fido"}); err == nil {
			t.Error("an amr that was not accepted is answered")
		}
		payload, err := r.s.Finish(ctx, o, mfa.Outcome{AMR: "otp"})
		r.ok(err)
		r.must(string(payload) == "payload", string(payload))
		if _, err := r.s.Finish(ctx, o, mfa.Outcome{AMR: "otp"}); !errors.Is(err, problem.NotFound) {
			t.Errorf("answered twice: %v", err)
		}
		o, open = r.challenge(account(), "fido")
		if _, err := r.s.AnswerCode(ctx, o, mfa.TOTP, r.code(seed), text(""), inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("a passcode where only a key may answer: %v", err)
		}
		o, open = r.challenge(account(), "otp")
		r.Add(5 * time.Minute)
		late := open()
		r.must(late.Late, "it is not late")
		if _, err := r.s.AnswerCode(ctx, late, mfa.TOTP, r.code(seed), text(""), inside); !errors.Is(err, problem.Conflict) {
			t.Errorf("too late: %v", err)
		}
		_, err = d.ExecContext(ctx, "UPDATE mfa_challenges SET ends = ends + 1 WHERE id = $1", o.ID)
		r.ok(err)
		r.Add(time.Hour)
		r.ok(r.s.Sweep(ctx))
		var n int
		r.ok(d.QueryRowContext(ctx, "SELECT COUNT(*) FROM mfa_challenges").Scan(&n))
		r.must(n == 0, n, "challenges stay")
	})
}

// Passcodes that fit at another time only are refused like any other, and told: of three
// people on one side it is our clock.
func TestClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for _, o := range []string{"1", "2", "3"} {
		p, seed, _ := r.person(mfa.Account{Tenant: tenant, Object: "aaaaaaaa-2222-3333-4444-55555555555" + o}, "u"+o+"@contoso.example")
		c, err := seed.Code(seed.Step(r.Now().Add(4 * time.Minute)))
		r.ok(err)
		if _, err := r.show(p, mfa.TOTP, c, inside); !errors.Is(err, problem.Forbidden) {
			t.Fatal(err)
		}
	}
	c, err := r.s.Clock(t.Context())
	r.ok(err)
	r.must(c.Ahead == 3 && c.Behind == 0 && c.Wrong() && c.Off == 4*time.Minute, c)
}

// Without a database nothing is taken for proven, and it is told in words.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d)
	p, seed, _ := r.person(account(), "ada@contoso.example")
	r.ok(d.Close())
	if _, err := r.show(p, mfa.TOTP, r.code(seed), inside); !errors.Is(err, problem.Unavailable) {
		t.Errorf("%v", err)
	}
}
