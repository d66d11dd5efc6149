package app_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/assess"
	"partnerguard/internal/labtest"
	"partnerguard/internal/posture"
	"partnerguard/internal/vouch"
)

// TestRollupLeadsBack: each entry of a day's roll-up leads to the page of the archive
// that has its first and its last row; and all rows that were judged are counted.
func TestRollupLeadsBack(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	j, _, err := w.s.KeepRound(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]map[int][]byte{}
	for s, err := range w.s.Archive.Segments(t.Context(), archive.Query{Tenant: tenant}) {
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		pages[s.Name] = map[int][]byte{}
		if err := w.s.Archive.Read(t.Context(), s, func(p *archive.Page) error {
			n++
			pages[s.Name][n] = bytes.Clone(p.Body)
			return nil
		}, func(*archive.Run) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var rows int64
	for at := j.Report.AsOf.AddDate(0, 0, -30); !at.After(j.Report.AsOf); at = at.AddDate(0, 0, 1) {
		d, err := w.s.Posture.Day(t.Context(), tenant, at.Format(time.DateOnly))
		if err != nil {
			t.Fatal(err)
		}
		if d == nil {
			continue
		}
		rows += d.Rows()
		for _, e := range d.Entries {
			if !bytes.Contains(pages[e.First.In.Segment][e.First.In.Entry], []byte(e.First.ID)) ||
				!bytes.Contains(pages[e.Last.In.Segment][e.Last.In.Entry], []byte(e.Last.ID)) {
				t.Fatalf("%s is not where it leads: %+v", e.Name, e)
			}
		}
	}
	if rows == 0 || rows != j.Facts.SignIns.Rows {
		t.Errorf("%d rows are rolled up, and %d were judged", rows, j.Facts.SignIns.Rows)
	}
}

// TestExceptedInReports: an approved exception and a kept attestation stand in the
// report of what was collected. The first changes no verdict; the second counts until
// its day, and when it ends changes says so.
func TestExceptedInReports(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	judge := func() *app.Judged {
		t.Helper()
		j, _, err := w.s.KeepRound(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	account := func(j *app.Judged) assess.Account {
		for _, a := range j.Report.Accounts {
			if a.UserPrincipalName == labtest.NoMFA {
				return a
			}
		}
		t.Fatal("no account")
		return assess.Account{}
	}
	before := account(judge())
	x, err := w.s.Posture.AddException(t.Context(), posture.Exception{Requirement: "mfa-every-user", Accounts: []string{labtest.NoMFA}, Owner: "Cleo Park",
		Reason: "a service account", Control: "one address", Expires: w.s.Now().AddDate(0, 0, 20)}, "local:ada")
	if err != nil {
		t.Fatal(err)
	}
	if a := account(judge()); a.Exception != "" {
		t.Errorf("it counts before it was approved: %s", a.Exception)
	}
	if _, err := w.s.Posture.Approve(t.Context(), x.ID, "local:ravi"); err != nil {
		t.Fatal(err)
	}
	until := w.s.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	if _, err := w.s.KeepStatement(t.Context(), vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada", Reason: "looked",
		Since: w.s.Now().Format(time.DateOnly), Until: until}); err != nil {
		t.Fatal(err)
	}
	verdict := func(j *app.Judged) assess.Verdict {
		for _, q := range j.Report.Requirements {
			if q.ID == "app-passwords" {
				return q.Verdict
			}
		}
		return ""
	}
	j := judge()
	if a := account(j); a.MFA != before.MFA || a.MFA == assess.Met || a.Exception == "" {
		t.Errorf("%+v", a)
	}
	if verdict(j) != assess.Attested {
		t.Errorf("app-passwords is %s", verdict(j))
	}
	w.lab.Jump(5 * 24 * time.Hour)
	w.lab.Graph(http.MethodGet, "/v1.0/organization", "")
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	if got := verdict(judge()); got != assess.Unknown {
		t.Errorf("past its day app-passwords is %s", got)
	}
	c, err := w.s.Posture.Changes(t.Context(), tenant, w.s.Now().AddDate(0, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, x := range c.Turned {
		if x.ID == "app-passwords" && x.From == posture.Attested && x.Sure {
			found = true
		}
	}
	if !found {
		t.Errorf("%+v", c.Turned)
	}
}
