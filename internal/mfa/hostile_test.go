package mfa_test

import (
	"errors"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/problem"
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
