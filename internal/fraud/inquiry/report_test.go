//go:build !judge

package inquiry_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/fraud/inquiry/inquirytest"
)

// A report tells what happened and what it cost; the inquirytest.Customer's has no note of the house, no
// name of the partner's people, and nothing of the partner's own lists.
func TestReport(t *testing.T) {
	t.Parallel()
	al := inquirytest.Alert()
	al.Name, al.CustomerName = `</style><script>alert(1)</script>`, "Fabrikam \x1b[31m<b>"
	al.Status, al.Reason, al.ResolvedAt = fraud.Resolved, fraud.Fraud, inquirytest.Night.Add(10*time.Hour)
	al.ResolvedBy = "local:ada"
	done := []inquiry.Done{{At: inquirytest.Night.Add(8 * time.Hour), By: "local:ada", What: "noted: they are slow payers", Private: true},
		{At: inquirytest.Night.Add(9 * time.Hour), By: "local:ada", What: "contained: stopped 20 machines", Outcome: "done", Contain: true, Ended: true}}
	x := inquirytest.Fold(t, inquirytest.Attack(), inquiry.Options{Alert: al, Known: al.Detected, Reads: inquirytest.Whole(), Done: done}, inquirytest.AsItIs)
	x.Places = []inquiry.Segment{{Name: "seg", Tenant: inquirytest.Customer, Seq: 7, SHA256: "aa", Root: "bb"}, {Name: "own", Tenant: "99999999-0000-4000-8000-000000000009", Seq: 8}}
	for _, who := range inquiry.Audiences() {
		r, err := inquiry.ReportOf(x, done, who)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := r.HTML(&page); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if name := os.Getenv("REPORT"); name != "" && who == inquiry.ForInsurer {
			_ = os.WriteFile(name, page.Bytes(), 0o600)
		}
		for form, s := range map[string]string{"page": page.String(), "json": string(raw)} {
			if strings.Contains(s, "slow payers") {
				t.Errorf("%s for the %s has a note of the house", form, who)
			}
			if who == inquiry.ForCustomer && (strings.Contains(s, "local:ada") || strings.Contains(s, "99999999-0000")) {
				t.Errorf("%s for the inquirytest.Customer names what is the partner's", form)
			}
			if who != inquiry.ForCustomer && !strings.Contains(s, "local:ada") {
				t.Errorf("%s for the %s does not say who acted", form, who)
			}
		}
		if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "\x1b") {
			t.Error("the page holds what others wrote as it was")
		}
		for _, want := range []string{"What happened", "seg/", "entry 7 of the trail", "Until Microsoft", "gave svc@fabrikam.example the right Owner"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("the page for the %s lacks %q", who, want)
			}
		}
		m := r.Money
		if m.Usual == nil || *m.Usual < 29 || *m.Usual > 31 || m.ToStopped == nil || m.Saved == nil || *m.ToStopped <= *m.ToDetected || m.Currency != "EUR" {
			t.Errorf("money: %+v", m)
		}
	}
	if _, err := inquiry.ReportOf(x, nil, "press"); err == nil {
		t.Error("a report for nobody we know")
	}
	r, err := inquiry.ReportOf(inquirytest.Fold(t, inquirytest.Deployment(), inquiry.Options{Alert: inquirytest.Alert(), Reads: inquirytest.Whole()}, inquirytest.AsItIs), nil, inquiry.ForPolice)
	if err != nil || r.Money.Saved != nil || r.Money.ToStopped != nil {
		t.Errorf("what is not contained is not saved: %+v %v", r.Money, err)
	}
}
