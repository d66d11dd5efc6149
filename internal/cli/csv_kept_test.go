package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/notify"
	"partnerguard/internal/posture"
)

// csvKept are the arguments of the commands that print what an installation keeps.
var csvKept = map[string][]string{
	"partnerguard changes csv":         {"--since", "10d"},
	"partnerguard exceptions list csv": {"--all"},
	"partnerguard history csv":         {},
	"partnerguard notify history csv":  {},
	"partnerguard notify list csv":     {},
}

// csvElsewhere print nothing that others chose: moments, ids and verdicts.
var csvElsewhere = map[string]bool{"partnerguard rejudge csv": true, "partnerguard rejudge show csv": true}

// spitefulHouse is a data folder in which others chose names that begin with sign.
func spitefulHouse(t *testing.T, sign string) string {
	t.Helper()
	dir, now := t.TempDir(), time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	getenv := func(name string) string { return map[string]string{"HOME": dir, "XDG_CONFIG_HOME": dir}[name] }
	c, err := config.Load(config.Source{Flags: map[string]string{"data": dir, "cloud": "public"}, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	s, err := app.Open(t.Context(), app.Options{Config: c, Actor: "local:ada", Now: func() time.Time { return now }, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	said := sign + "cmd|' /C calc'!A1"
	st := &posture.State{Tenant: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", Book: said, Program: said,
		Requirements: []posture.Requirement{{ID: "mfa-every-user", Title: said, Verdict: posture.Met, Reason: said, Unit: "accounts",
			Kinds: []string{"conditionalAccessPolicy"}}},
		Accounts: []posture.Account{{ID: "b1", Name: said, InScope: true, Enabled: true, Verdict: posture.Met, Cover: posture.Covered, By: []string{"p1"},
			ByName: []string{said}, Factor: said, DirectoryKnown: true}},
		Settings: []posture.Setting{{Kind: "conditionalAccessPolicy", ID: "p1", Name: said, Members: map[string]string{"state": `"enabled"`}}},
		Lists:    []posture.List{{Kind: "conditionalAccessPolicy", State: posture.ListWhole}}}
	for n, verdict := range []string{posture.Met, posture.NotMet} {
		st.AsOf = now.AddDate(0, 0, n-5)
		st.Judged = st.AsOf
		st.Requirements[0].Verdict, st.Accounts[0].Verdict = verdict, verdict
		st.Settings[0].Members = map[string]string{said: `"` + verdict + `"`}
		if _, err := s.Posture.Keep(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Posture.AddException(t.Context(), posture.Exception{Requirement: "mfa-every-user", Accounts: []string{said}, Owner: said, Reason: said,
		Control: said, Expires: now.AddDate(0, 1, 0)}, "local:ada"); err != nil {
		// A sign that cannot be seen is refused, which is as well.
		if _, err := s.Posture.AddException(t.Context(), posture.Exception{Requirement: "mfa-every-user", Accounts: []string{"b1"}, Owner: "Cleo",
			Reason: "r", Control: "c", Expires: now.AddDate(0, 1, 0)}, "local:ada"); err != nil {
			t.Fatal(err)
		}
	}
	body, err := json.Marshal(&alert.Finding{Title: said, Cause: said, Since: now, Count: 1, Unit: said, Subjects: []string{said}, Command: said, Fix: said})
	if err == nil {
		_, err = s.DB.Exec(`INSERT INTO alerts (id, source, key, kind, severity, tenant, state, opened, changed, resolved, told, body, steps)
VALUES ('al-1', 'judged', 'k', 'requirement', 'high', '', 'open', 1, 1, 0, 0, $1, '{}')`, string(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Notify.Put(t.Context(), &notify.Message{ID: "m1", Event: "alert.opened", At: now, Title: said, Text: said}, "gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "partnerguard.yaml"), []byte("data: "+dir+"\ncloud: public\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
