package app_test

import (
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	frauddesk "partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/jobs"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/screen/screentest"
)

// TestInquiryOfALab: an alert of the local cloud is looked into: what it is about is read into
// the archive, each row says where it lies, and what was refused is named.
func TestInquiryOfALab(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it collects two tenants")
	}
	_, i, done := inside(t, t.TempDir(), func(o *partnercloud.Options) { o.Days = 8 })
	defer done()
	if _, _, err := i.ConnectLab(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Collect.Meet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.CollectNow(t.Context(), "partner", collect.Ask{Only: []string{"customers"}, Now: true}, func(collect.Round, error) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Fraud.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := i.Fraud.List(t.Context(), frauddesk.Filter{Open: true})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d alerts, %v", len(list), err)
	}
	c := &list[0]
	// Microsoft answers five requests for a log of Entra ID in ten seconds: these are left out here.
	i.Config.Collect.Skip = []string{"directoryAudits", "signIns.interactiveUser", "signIns.nonInteractiveUser", "signIns.servicePrincipal"}
	taken, err := i.Inquiry.Take(t.Context(), c.ID, "local:test")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range taken.Reads {
		if r.State == inquiry.ReadRefused && (r.Why == "" || r.Needs == "") {
			t.Errorf("%s was refused, and it is not said why, or what it needs: %+v", r.Resource, r)
		}
	}
	if taken.Left != 7 || taken.Read < 10 {
		t.Errorf("%d read, %d refused, %d left", taken.Read, taken.Refused, taken.Left)
	}
	line, err := i.Inquiry.Timeline(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	rows := line.Rows
	for _, c := range line.Costs {
		rows = append(rows, inquiry.Row{What: "a cost", Places: []inquiry.Place{c.Place}})
	}
	proven := 0
	for _, r := range rows {
		for _, p := range r.Places {
			if p.Segment == "" {
				continue
			}
			if s, err := i.Archive.Segment(t.Context(), p.Segment); err != nil || s.Seq != p.Seq {
				t.Fatalf("%s lies in %+v: %v", r.What, p, err)
			}
			found := false
			s, _ := i.Archive.Segment(t.Context(), p.Segment)
			n := int64(-1)
			if err := i.Archive.Read(t.Context(), s, func(x *archive.Page) error {
				if n++; n == p.Entry {
					found = p.ID == "" || strings.Contains(strings.ToLower(string(x.Body)), strings.ToLower(p.ID))
				}
				return nil
			}, func(*archive.Run) error { n++; return nil }); err != nil || !found {
				t.Errorf("%s is not at %s/%d: %v", p.ID, p.Segment, p.Entry, err)
			}
			proven++
		}
	}
	if proven == 0 {
		t.Error("no row says where it lies")
	}
	q, err := jobs.Open(t.Context(), i.DB, jobs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := app.TenantsOf(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	h := &screentest.House{Screens: app.Screens(i, q), Viewer: screentest.Viewer(), Tenants: tenants, Now: i.Now()}
	for address, want := range map[string]string{"/fraud": "left", "/fraud/case?alert=" + c.ID: "What speaks for and against"} {
		if !strings.Contains(h.HTML(t, address), want) {
			t.Errorf("%s does not say %q", address, want)
		}
	}
	r, err := i.Inquiry.Report(t.Context(), c.ID, inquiry.ForPolice, "local:test")
	if err != nil || r.Alert.ID != c.ID {
		t.Errorf("the report: %v", err)
	}
	h.Shoot(t, "lab-case", "/fraud/case?alert="+c.ID)
}
