package attack

import (
	"context"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/jobs"
	"partnerguard/internal/posture"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/rollup"
	"partnerguard/internal/vouch"
)

const (
	excepted = "scanner@contoso.com" // is under an approved exception
	asksFor  = "nomfa@contoso.com"   // is under one that waits
	needs    = "mfa-every-user"
)

// posture keeps a judgement, a day's sign-ins, an exception of each standing, an
// attestation, and a judging again.
func (h *house) posture(s *app.Installation) {
	h.Helper()
	ctx, now := h.Context(), s.Now()
	tenant := h.lab().Info.Tenant.ID
	st := &posture.State{Tenant: tenant, AsOf: now, Judged: now, Book: "2026-11-29", Program: "test",
		Requirements: []posture.Requirement{{ID: needs, Title: "MFA for every user", Verdict: posture.NotMet}}}
	_, err := s.Posture.Keep(ctx, st)
	h.ok(err)
	var f rollup.Fold
	f.Visitor().See(&signin.Sighting{ID: "s", UserID: "u", Verdict: signin.NotChallenged, At: now})
	_, err = s.Posture.KeepDays(ctx, tenant, f.Days())
	h.ok(err)
	for _, account := range []string{excepted, asksFor} {
		x, err := s.Posture.AddException(ctx, posture.Exception{Requirement: needs, Accounts: []string{account}, Owner: "Cleo", Reason: "a scanner",
			Control: "one address",
			Expires: now.AddDate(0, 2, 0)}, "local:ada")
		h.ok(err)
		if account == excepted {
			_, err = s.Posture.Approve(ctx, x.ID, "local:ravi")
			h.ok(err)
		}
	}
	_, err = s.Posture.KeepStatement(ctx, tenant, vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada", Reason: "looked",
		Since: now.Format(time.DateOnly), Until: now.AddDate(0, 3, 0).Format(time.DateOnly)}, "local:ada")
	h.ok(err)
	q, err := jobs.Open(ctx, s.DB, jobs.Options{})
	h.ok(err)
	_, err = s.Posture.Begin(ctx, q, posture.RejudgeOf{Since: now.Add(-time.Hour), Actor: "local:owner"})
	h.ok(err)
}

// exceptions tells which alerts are silent, and what is vouched for.
func (h *house) exceptions(ctx context.Context, s *app.Installation, d *day) {
	h.whoIsIn(ctx, s, d)
	d.silent = map[string]bool{}
	for _, account := range []string{excepted, asksFor, "somebody@contoso.com", ""} {
		x, err := s.Posture.Silenced(ctx, needs, account, account)
		if err != nil {
			d.tell("exceptions: %v", err)
		}
		d.silent[account] = x != nil
	}
	list, err := s.Posture.Exceptions(ctx)
	if err != nil {
		d.tell("exceptions: %v", err)
	}
	for i := range list {
		if list[i].Refused != "" {
			d.tell("exception %s: %s", list[i].ID, list[i].Refused)
		}
	}
	said, err := s.Posture.Vouched(ctx, h.lab().Info.Tenant.ID, time.Time{})
	if err != nil {
		d.tell("attestations: %v", err)
	}
	for i := range said {
		if said[i].Kind == vouch.Attestation {
			d.silent["vouched: "+said[i].Requirement+" until "+said[i].Until] = true
		}
	}
}
