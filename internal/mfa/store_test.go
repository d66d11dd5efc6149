package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Of eight callers with the same passcode one gets in, on each dialect.
func TestOneStepOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		p, seed, _ := r.person(account(), "ada@contoso.example")
		code := r.code(seed)
		var in, not atomic.Int32
		var wg sync.WaitGroup
		begin := make(chan bool)
		for range 8 {
			wg.Go(func() {
				<-begin
				// A browser that is known waits for its own mistakes alone: here each has its own source.
				_, err := r.show(p, mfa.TOTP, code, inside)
				switch {
				case err == nil:
					in.Add(1)
				case errors.Is(err, problem.Forbidden), errors.Is(err, problem.TooMany):
					not.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(begin)
		wg.Wait()
		if in.Load() != 1 || not.Load() != 7 {
			t.Errorf("%d got in, %d were refused", in.Load(), not.Load())
		}
		if n := len(r.trail.Of(audit.MFAPassed)); n != 1 {
			t.Errorf("the trail has %d", n)
		}
	})
}

// A first factor comes by an invitation, once, and brings recovery codes, each good once.
func TestEnrolAndRecover(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		_, link := r.invite(account(), "ada@contoso.example")
		x, cookie, err := r.s.BeginInvited(ctx, link)
		r.ok(err)
		other, _, err := r.s.BeginInvited(ctx, link) // the link is opened twice, and used once
		r.ok(err)
		_, p, err := r.s.Session(ctx, cookie)
		r.ok(err)
		seed, codes := r.app(&x, &p)
		r.must(len(codes) == 10, "recovery codes", len(codes))
		setup, err := r.s.AskPasscodes(ctx, &other, &p)
		r.ok(err)
		_ = setup
		if _, _, err := r.s.AddPasscodes(ctx, &other, "second", text("000000")); err == nil {
			t.Error("a wrong passcode enrolled")
		}
		if _, _, err = r.s.BeginInvited(ctx, link); !errors.Is(err, problem.NotFound) {
			t.Errorf("the invitation is good again: %v", err)
		}
		if _, _, err = r.s.Invite(ctx, account(), "", "", "local:help"); !errors.Is(err, problem.Conflict) {
			t.Errorf("who has a factor was invited by one person: %v", err)
		}
		if _, err := r.show(p, mfa.TOTP, r.code(seed), inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("the passcode of the set-up was taken again: %v", err)
		}
		r.Step()
		shown, err := r.show(p, mfa.TOTP, r.code(seed), inside)
		r.ok(err)
		r.must(shown.Kind.AMR() == "otp" && !shown.New, shown)
		shown, err = r.show(p, mfa.Recovery, text(" "+strings.ToUpper(codes[3].Reveal())), "198.51.100.9")
		r.ok(err)
		r.must(shown.Left == 9 && shown.New, shown.Left, shown.New)
		if _, err := r.show(p, mfa.Recovery, codes[3], inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("a recovery code was taken twice: %v", err)
		}
		notes, err := r.s.Notes(ctx, p.ID, time.Time{})
		r.ok(err)
		r.must(len(notes) == 1 && notes[0].Kind == mfa.NoteNewPlace && notes[0].Source == "198.51.100.0/24", notes)
		for _, e := range r.trail.Events() {
			for _, c := range append(codes, seed.Secret, link) {
				for _, v := range append([]string{e.Reason, e.Object, e.Actor}, values(e.Details)...) {
					r.must(!strings.Contains(v, c.Reveal()), "a secret is in the trail:", e.Action)
				}
			}
		}
	})
}

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// Wrong answers slow who gives them, and let a browser that is known alone.
func TestLockout(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		p, seed, _ := r.person(account(), "ada@contoso.example")
		known, err := r.s.Known(ctx, &p)
		r.ok(err)
		var at int
		for n := range 30 {
			_, err := r.show(p, mfa.TOTP, text("000000"), "203.0.113.5")
			if errors.Is(err, problem.TooMany) {
				at = n
				break
			}
			r.must(errors.Is(err, problem.Forbidden), err)
		}
		r.must(at == 5, "the attacker waits after", at)
		if _, err := r.show(p, mfa.TOTP, r.code(seed), "203.0.113.5"); !errors.Is(err, problem.TooMany) {
			t.Errorf("a right answer was looked at while it waits: %v", err)
		}
		locked, err := r.s.Locked(ctx)
		r.ok(err)
		r.must(!locked[p.ID].IsZero(), "nobody is locked")
		// More networks: the account's strangers together.
		for n := range 20 {
			_, err = r.show(p, mfa.TOTP, text("000000"), fmt.Sprintf("203.0.113.%d", 10+n%10))
		}
		r.must(errors.Is(err, problem.TooMany), "strangers do not wait:", err)
		_, err = r.s.ShowCode(ctx, mfa.Try{Person: p, Source: inside, Known: known}, mfa.TOTP, r.code(seed))
		r.ok(err) // the victim, in the browser of always
		forged := text(known.Reveal()[:len(known.Reveal())-1] + "x")
		r.Step()
		if _, err := r.s.ShowCode(ctx, mfa.Try{Person: p, Source: "192.0.2.99", Known: forged}, mfa.TOTP, r.code(seed)); !errors.Is(err, problem.TooMany) {
			t.Errorf("a cookie that is none was taken: %v", err)
		}
		_, err = r.s.Unlock(ctx, p.ID, "local:help")
		r.ok(err)
		_, err = r.show(p, mfa.TOTP, r.code(seed), "192.0.2.99")
		r.ok(err)
		r.must(len(r.trail.Of(audit.MFALocked)) > 0 && len(r.trail.Of(audit.MFAUnlocked)) == 1, r.trail.Actions())
	})
}

// Who writes the database enrols no factor, and brings none back that was taken away.
func TestForged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		p, seed, _ := r.person(account(), "ada@contoso.example")
		q, _, _ := r.person(mfa.Account{Tenant: tenant, Object: "bbbbbbbb-2222-3333-4444-555555555555"}, "bob@contoso.example")
		list, err := r.s.Factors(ctx, p.ID)
		r.ok(err)
		id := list[0].ID
		r.must(list[0].Kind == mfa.TOTP, list[0].Kind)
		// Given to another person, it is nobody's.
		_, err = d.ExecContext(ctx, "UPDATE mfa_factors SET person = $1 WHERE id = $2", q.ID, id)
		r.ok(err)
		theirs, err := r.s.Factors(ctx, q.ID)
		r.ok(err)
		refused := 0
		for _, f := range theirs {
			if f.ID == id && f.Refused != "" {
				refused++
			}
		}
		r.must(refused == 1, theirs)
		if _, err := r.show(q, mfa.TOTP, r.code(seed), inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("another's passcode got in: %v", err)
		}
		_, err = d.ExecContext(ctx, "UPDATE mfa_factors SET person = $1 WHERE id = $2", p.ID, id)
		r.ok(err)
		_, err = r.show(p, mfa.TOTP, r.code(seed), inside)
		r.ok(err)
		// A row that was taken away and put back, with the mark that it had.
		a, err := r.s.Ask(ctx, p.ID, mfa.ActReset, "phone lost, called back", "local:help")
		r.ok(err)
		_, err = d.ExecContext(ctx, "CREATE TABLE kept AS SELECT * FROM mfa_factors")
		r.ok(err)
		_, _, err = r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
		_, err = d.ExecContext(ctx, "INSERT INTO mfa_factors SELECT * FROM kept WHERE id NOT IN (SELECT id FROM mfa_factors)")
		r.ok(err)
		r.trail.Take()
		// Take forgets the trail: tell it again what it said.
		r.ok(r.trail.Record(ctx, audit.Event{Action: audit.MFARemoved, Outcome: audit.Done, Object: id}))
		list, err = r.s.Factors(ctx, p.ID)
		r.ok(err)
		for _, f := range list {
			r.must(f.Refused != "", "a factor is back:", f.ID)
		}
		r.must(len(r.trail.Of(audit.RowForged)) > 0, r.trail.Actions())
		// A blocked person who is unblocked by the database.
		_, err = d.ExecContext(ctx, "UPDATE mfa_people SET state = 'blocked' WHERE id = $1", q.ID)
		r.ok(err)
		if _, err := r.s.Person(ctx, q.ID); !errors.Is(err, vault.ErrForged) {
			t.Errorf("a changed person: %v", err)
		}
	})
}

// A factor that goes between its row was read and the trail was asked is no forgery.
func TestRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := dbtest.SQLite(t)
	var between func()
	r := newRig(t, d, func(deps *mfa.Deps) {
		last := deps.Last
		deps.Last = func(ctx context.Context) (func(string) (audit.Action, error), error) {
			if do := between; do != nil {
				between = nil
				do()
			}
			return last(ctx)
		}
	})
	p, _, _ := r.person(account(), "ada@contoso.example")
	a, err := r.s.Ask(ctx, p.ID, mfa.ActReset, "phone lost, called back", "local:help")
	r.ok(err)
	between = func() {
		_, _, err := r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
	}
	list, err := r.s.Factors(ctx, p.ID)
	r.ok(err)
	for _, f := range list {
		r.must(f.Refused != "", "a factor that is gone counts")
	}
	r.must(len(list) > 0 && len(r.trail.Of(audit.RowForged)) == 0, list, r.trail.Actions())
}

// A stolen database has no seed, no recovery code and no link in it.
func TestStolen(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d)
	_, seed, codes := r.person(account(), "ada@contoso.example")
	for _, table := range []string{"mfa_people", "mfa_factors", "mfa_sessions", "mfa_invitations", "vault_rows"} {
		rows, err := d.QueryContext(t.Context(), "SELECT * FROM "+table)
		r.ok(err)
		cols, _ := rows.Columns()
		n := 0
		for rows.Next() {
			n++
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new([]byte)
			}
			r.ok(rows.Scan(vals...))
			for _, v := range vals {
				b, _ := v.(*[]byte)
				for _, c := range append(codes, seed.Secret) {
					r.must(!strings.Contains(string(*b), c.Reveal()), table, "holds a secret")
				}
			}
		}
		r.ok(rows.Err())
		r.ok(rows.Close())
		r.must(n > 0, table, "is empty: this test looks where nothing is")
	}
	var hash string
	r.ok(d.QueryRowContext(t.Context(), "SELECT purpose FROM vault_rows WHERE purpose = 'mfa-totp'").Scan(&hash))
}

// A reset, a pass and recovery codes want two people, neither of them the person.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		p, seed, codes := r.person(account(), "ada@contoso.example")
		if _, err := r.s.Ask(ctx, p.ID, mfa.ActPass, "x", "entra:Ada@contoso.example"); !errors.Is(err, problem.Forbidden) {
			t.Errorf("asked for themselves: %v", err)
		}
		a, err := r.s.Ask(ctx, p.ID, mfa.ActPass, "phone at home; called back", "entra:help@contoso.example")
		r.ok(err)
		for _, same := range []string{"entra:help@contoso.example", "local:HELP", "entra:ada@contoso.example", ""} {
			if _, _, err := r.s.Approve(ctx, a.ID, same); err == nil {
				t.Errorf("%s approved it", same)
			}
		}
		_, g, err := r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
		if _, _, err := r.s.Approve(ctx, a.ID, "local:third"); !errors.Is(err, problem.Conflict) {
			t.Errorf("approved twice: %v", err)
		}
		shown, err := r.show(p, mfa.Pass, g.Pass, inside)
		r.ok(err)
		if _, err := r.show(p, mfa.Pass, g.Pass, inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("a pass was used twice: %v", err)
		}
		// The pass opens the person's own page: the last factor stays, another may come.
		x, _, err := r.s.BeginOwn(ctx, shown)
		r.ok(err)
		list, err := r.s.Factors(ctx, p.ID)
		r.ok(err)
		if _, err := r.s.Remove(ctx, &x, list[0].ID); !errors.Is(err, problem.Conflict) {
			t.Errorf("the last factor was taken away: %v", err)
		}
		a, err = r.s.Ask(ctx, p.ID, mfa.ActRecovery, "codes lost", "local:help")
		r.ok(err)
		_, g, err = r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
		r.must(len(g.Codes) == 10, len(g.Codes))
		if _, err := r.show(p, mfa.Recovery, codes[0], inside); !errors.Is(err, problem.Forbidden) {
			t.Errorf("an old recovery code was taken: %v", err)
		}
		a, err = r.s.Ask(ctx, p.ID, mfa.ActReset, "phone stolen", "local:help")
		r.ok(err)
		_, g, err = r.s.Approve(ctx, a.ID, "local:second")
		r.ok(err)
		r.must(strings.HasPrefix(g.Link.Reveal(), home+"/mfa/enrol/"), "no new invitation")
		for _, try := range []struct {
			k mfa.Kind
			c secret.Text
		}{{mfa.TOTP, r.code(seed)}, {mfa.Recovery, g.Link}} {
			if _, err := r.show(p, try.k, try.c, "192.0.2.44"); err == nil {
				t.Errorf("a %s works after the reset", try.k)
			}
		}
		x, _, err = r.s.BeginInvited(ctx, text(strings.TrimPrefix(g.Link.Reveal(), home+"/mfa/enrol/")))
		r.ok(err)
		r.app(&x, &p)
		acts, err := r.s.Acts(ctx)
		r.ok(err)
		r.must(len(acts) == 3, acts)
		for _, a := range acts {
			r.must(a.Refused == "", a.ID, a.Refused)
		}
	})
}

// A pass that is out of time opens nothing, and its key is gone after the sweep.
func TestPassEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	p, _, _ := r.person(account(), "ada@contoso.example")
	a, err := r.s.Ask(ctx, p.ID, mfa.ActPass, "phone at home", "local:help")
	r.ok(err)
	_, g, err := r.s.Approve(ctx, a.ID, "local:second")
	r.ok(err)
	r.Add(time.Hour)
	if _, err := r.show(p, mfa.Pass, g.Pass, inside); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a pass out of time: %v", err)
	}
	r.ok(r.s.Sweep(ctx))
	acts, err := r.s.Acts(ctx)
	r.ok(err)
	r.must(acts[0].State == mfa.Withdrawn && acts[0].Refused == "", acts[0])
}
