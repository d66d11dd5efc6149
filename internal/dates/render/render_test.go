package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/dates"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

func report(t *testing.T) *dates.Report {
	t.Helper()
	asOf := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	r := &dates.Report{Schema: dates.SchemaID, AsOf: asOf, Partner: "Contoso\x1b[31m\u202e",
		Changes: dates.Look(facts.New(), nil, asOf, partner.DirectBill, partner.Public)}
	for i := range r.Changes {
		if o := &r.Changes[i]; o.ID == "sms-voice-end" {
			o.Answer, o.Count, o.More = partner.Hit, 14, 12
			o.Names = []string{"=cmd|' /C calc'!A0", "evil\x1b]0;x\x07\nname"}
			o.Text = "14 users lose their only second factor"
		}
	}
	return r
}

func TestForms(t *testing.T) {
	t.Parallel()
	r := report(t)
	for _, width := range []int{40, 80, 200} {
		var b bytes.Buffer
		if err := Text(&b, r, print.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.ContainsAny(text, "\x1b\x07\u202e") || !strings.Contains(text, "14 users lose") || !strings.Contains(text, "12 more") {
			t.Errorf("width %d:\n%s", width, text)
		}
		for line := range strings.Lines(text) {
			if print.Width(strings.TrimRight(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
	var b bytes.Buffer
	if err := CSV(&b, r); err != nil || strings.Count(b.String(), "\r\n") != len(r.Changes)+1 || strings.Contains(b.String(), ",=cmd") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := JSON(&b, r); err != nil || !json.Valid(b.Bytes()) || strings.Contains(b.String(), ": null") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
