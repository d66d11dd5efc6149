package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/practice"
	"partnerguard/internal/print"
)

// hostile is a report whose every text comes from somebody else.
func hostile() *practice.Report {
	evil := "=cmd|' /C calc'!A0 <script>alert(1)</script>\x1b[31m\n\u202e"
	at := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	r := &practice.Report{Schema: practice.SchemaID, AsOf: at, Partner: assess.Partner{DisplayName: evil}, RuleBook: "2026-11-30", Customers: 3}
	for i, v := range []assess.Verdict{assess.Met, assess.NotMet, assess.Unknown, assess.Attested, assess.NotApplicable} {
		q := practice.Row{Area: "identity", Mode: "auto+attest", Text: evil, Settles: evil, Remedy: practice.Remedy{Command: evil, Check: evil}}
		q.ID, q.Title, q.Verdict, q.Reason, q.Action = "P0"+string(rune('1'+i)), evil, v, evil, evil
		q.Evidence = []assess.Evidence{{Subject: evil, Detail: evil, RecordID: evil, Observed: &at}}
		q.AttestedBy, q.AttestedUntil, q.Source, q.Total, q.Affected, q.Unit, q.More = evil, "2027-01-01", "javascript:alert(1)", 9, 2, "accounts", 4
		r.Practices = append(r.Practices, q)
	}
	return r
}

// TestHostileTexts: nothing that was read becomes a command of a terminal, a formula or
// markup, at any width.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	r := hostile()
	for _, width := range []int{0, 40, 80, 200} {
		var b bytes.Buffer
		if err := Text(&b, r, print.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if err := One(&b, r, &r.Practices[4], print.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("width %d: control characters came through", width)
		}
	}
	var page, sheet, raw bytes.Buffer
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if s := page.String(); strings.Contains(s, "<script") || strings.Contains(s, `href="javascript`) || !strings.Contains(s, "Content-Security-Policy") {
		t.Error("the page holds what it was given")
	}
	if err := CSV(&sheet, r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sheet.String(), "\n=") || strings.Contains(sheet.String(), ",=") || strings.Contains(sheet.String(), `,"=`) {
		t.Error("a cell became a formula")
	}
	if err := JSON(&raw, r); err != nil {
		t.Fatal(err)
	}
	var back practice.Report
	if err := json.Unmarshal(raw.Bytes(), &back); err != nil || len(back.Practices) != 5 || strings.Contains(raw.String(), "null") {
		t.Errorf("%v: %.300s", err, raw.String())
	}
}
