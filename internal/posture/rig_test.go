package posture_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/posture"
	"partnerguard/internal/snapshot"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

const (
	tenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	policy = "11111111-0000-4000-8000-000000000001"
	ada    = "22222222-0000-4000-8000-000000000001"
	bo     = "22222222-0000-4000-8000-000000000002"
)

var monday = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// rig is a store with a clock, marks and a trail of its own.
type rig struct {
	testing.TB
	*posture.Store
	d     *db.DB
	at    time.Time
	deps  posture.Deps
	rows  []posture.AuditRow
	whole bool

	snapshot *snapshot.Store
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{TB: t, d: d, at: monday}
	now := func() time.Time { return r.at }
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: now})
	r.must(err)
	key := filepath.Join(t.TempDir(), "key")
	_, err = vault.MakeKeyFile(key)
	r.must(err)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(key), vault.Options{Now: now, Record: tr, Actor: "local:test", Books: posture.Books()})
	r.must(err)
	r.deps = posture.Deps{DB: d, Now: now, Record: tr, Marks: v,
		Last: func(ctx context.Context) (func(string) (audit.Action, error), error) {
			return func(object string) (audit.Action, error) {
				f, err := tr.Search(ctx, trail.Query{Object: object, Limit: 1})
				if err != nil || len(f.Entries) == 0 {
					return "", err
				}
				return f.Entries[0].Action, nil
			}, nil
		},
		Audits: func(_ context.Context, _ string, from, to time.Time) (out []posture.AuditRow, whole bool, err error) {
			for _, x := range r.rows {
				if !x.At.Before(from) && x.At.Before(to) {
					out = append(out, x)
				}
			}
			return out, r.whole, nil
		}}
	r.Store, err = posture.New(r.deps)
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) keep(st *posture.State) posture.Kept {
	r.Helper()
	k, err := r.Keep(r.Context(), st)
	r.must(err)
	return k
}

// lists are all whole.
func lists() []posture.List {
	var out []posture.List
	for _, k := range []string{"conditionalAccessPolicy", "user", "userRegistrationDetails", "roleAssignment", "signIn"} {
		out = append(out, posture.List{Kind: k, State: posture.ListWhole})
	}
	return out
}

// good is a tenant in order, on a day.
func good(day int) *posture.State {
	at := monday.AddDate(0, 0, day)
	kinds := []string{"conditionalAccessPolicy", "user", "signIn", "userRegistrationDetails", "roleAssignment"}
	account := func(id, name string) posture.Account {
		return posture.Account{ID: id, Name: name, Class: "member", InScope: true, Enabled: true, Verdict: posture.Met, Cover: posture.Covered,
			By: []string{policy}, ByName: []string{"MFA for all"}, Factor: "app", DirectoryKnown: true}
	}
	return &posture.State{Tenant: tenant, AsOf: at, Judged: at.Add(time.Minute), Book: "2026-11-29", Program: "partnerguard 1",
		Position: posture.Position{Segment: "s1", Root: "r1"},
		Requirements: []posture.Requirement{
			{ID: "mfa-every-user", Title: "MFA for every user", Level: "mandatory", Binding: "enforced", Verdict: posture.Met, Reason: "fine", Total: 2,
				Unit: "accounts", Kinds: kinds},
			{ID: "alerts-answered", Title: "Alerts answered", Level: "mandatory", Binding: "contract", Verdict: posture.Met, Unit: "alerts",
				Kinds: []string{"partnerSecurityAlert"}},
		},
		Accounts: []posture.Account{account(ada, "ada@contoso.com"), account(bo, "bo@contoso.com")},
		Settings: []posture.Setting{{Kind: "conditionalAccessPolicy", ID: policy, Name: "MFA for all", Members: posture.Flatten([]byte(
			`{"displayName":"MFA for all","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":[]}}}`))}},
		Lists: lists(),
	}
}

// excluded is good with bo left out of the policy.
func excluded(day int) *posture.State {
	st := good(day)
	st.Settings[0].Members = posture.Flatten([]byte(
		`{"displayName":"MFA for all","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["` + bo + `"]}}}`))
	st.Requirements[0].Verdict, st.Requirements[0].Affected, st.Requirements[0].Reason = posture.NotMet, 1, "1 account is not asked for MFA"
	st.Requirements[0].Subjects = []string{"bo@contoso.com"}
	b := &st.Accounts[1]
	b.Verdict, b.Cover, b.By, b.ByName = posture.NotMet, posture.NotCovered, nil, nil
	return st
}

// recorder for stores without a trail.
var _ audit.Recorder = (*audittest.Recorder)(nil)
