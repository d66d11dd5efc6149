package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/cli"
	"partnerguard/internal/config"
	"partnerguard/internal/posture"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/rollup"
)

// keptPosture is a data folder in which a tenant was judged twice: in between somebody
// left an account out of a policy.
func keptPosture(t *testing.T) (dir string, now time.Time) {
	t.Helper()
	dir, now = t.TempDir(), time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	env := func(name string) string { return map[string]string{"HOME": dir, "XDG_CONFIG_HOME": dir}[name] }
	c, err := config.Load(config.Source{Flags: map[string]string{"data": dir, "cloud": "public"}, Getenv: env})
	if err != nil {
		t.Fatal(err)
	}
	s, err := app.Open(t.Context(), app.Options{Config: c, Actor: "local:ada", Now: func() time.Time { return now }, Getenv: env})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const tenant, policy, bo = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", "p1", "b1"
	st := &posture.State{Tenant: tenant, AsOf: now.AddDate(0, 0, -5), Judged: now.AddDate(0, 0, -5), Book: "2026-11-01", Program: "partnerguard test",
		Position: posture.Position{Segment: "seg-1"},
		Requirements: []posture.Requirement{{ID: "mfa-every-user", Title: "MFA for every user", Verdict: posture.Met,
			Reason: "the settings ask both accounts for MFA",
			Unit:   "accounts", Kinds: []string{"conditionalAccessPolicy", "user"}}},
		Accounts: []posture.Account{{ID: bo, Name: "bo@contoso.com", InScope: true, Enabled: true, Verdict: posture.Met, Cover: posture.Covered,
			By:     []string{policy},
			ByName: []string{"MFA for all"}, Factor: "app", DirectoryKnown: true}},
		Settings: []posture.Setting{{Kind: "conditionalAccessPolicy", ID: policy, Name: "MFA for all", Members: map[string]string{"state": `"enabled"`}}},
		Lists:    []posture.List{{Kind: "conditionalAccessPolicy", State: posture.ListWhole}, {Kind: "user", State: posture.ListWhole}},
	}
	keep := func() {
		t.Helper()
		if _, err := s.Posture.Keep(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	st.AsOf, st.Judged, st.Position.Segment = now.Add(-2*time.Hour), now.Add(-2*time.Hour), "seg-2"
	st.Requirements[0].Verdict, st.Requirements[0].Affected, st.Requirements[0].Reason = posture.NotMet, 1, "1 account is not asked for MFA"
	st.Accounts[0].Verdict, st.Accounts[0].Cover, st.Accounts[0].By, st.Accounts[0].ByName = posture.NotMet, posture.NotCovered, nil, nil
	st.Settings[0].Members = map[string]string{"state": `"enabled"`, "conditions.users.excludeUsers": `["` + bo + `"]`}
	keep()
	var f rollup.Fold
	v := f.Visitor()
	for i := range 3 {
		v.See(&signin.Sighting{ID: "s", UserID: bo, Verdict: signin.NotChallenged, At: now.AddDate(0, 0, -i%2)})
	}
	if _, err := s.Posture.KeepDays(t.Context(), tenant, f.Days()); err != nil {
		t.Fatal(err)
	}
	return dir, now
}

// TestPostureAsShown: what changed and why comes first, with who and the exception
// beside it; history tells stretches and the trend.
func TestPostureAsShown(t *testing.T) {
	t.Parallel()
	dir, now := keptPosture(t)
	run := func(words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		env := map[string]string{"HOME": dir, "XDG_CONFIG_HOME": dir, "LANG": "C.UTF-8", "PARTNERGUARD_DATA": dir, "PARTNERGUARD_CLOUD": "public"}
		code := cli.Main(t.Context(), cli.Env{Args: words, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
			Getenv: func(name string) string { return env[name] }, Now: func() time.Time { return now }})
		if code != 0 {
			t.Fatalf("%v: %d %s", words, code, &errs)
		}
		return out.String()
	}
	for _, c := range []struct {
		words string
		want  []string
	}{
		{"changes --since 3d", []string{"1 requirement got worse", "MFA for every user  met -> not met", "1 account is not asked for MFA",
			"MFA for all: the policy was edited: conditions.users.excludeUsers gained bo@contoso.com", "who did it is not known"}},
		{"changes --since 2026-11-20 --output json", []string{`"schema": "partnerguard.changes/1"`, `"kind": "policy_edited"`, `"sure": true`}},
		{"changes --since 3d --output csv", []string{"requirement,mfa-every-user,MFA for every user,met,not_met,yes,"}},
		{"changes --since 60d", []string{"nothing was judged as of 2026-09-22"}},
		{"history", []string{"mfa-every-user", "not met", "2026-11-21", "····▁▁▁▁▁█", "at most 2 a day"}},
		{"history --requirement mfa-every-user", []string{"mfa-every-user: not met since 2026-11-21", "2026-11-16 09:00", "seg-1", "seg-2", "2026-11-01"}},
		{"history --account BO@contoso.com", []string{"MFA for all", "not covered", "app"}},
		{"history --requirement mfa-every-user --output csv", []string{"mfa-every-user,not_met,2026-11-21T07:00:00Z,,"}},
		{"history --output json", []string{`"schema": "partnerguard.history/1"`, `"unasked": 2`}},
		{"history --disagreements", []string{"nothing of it was seen"}},
	} {
		got := run(strings.Fields(c.words)...)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", c.words, want, got)
			}
		}
	}
}
