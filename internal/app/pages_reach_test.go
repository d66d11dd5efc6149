package app_test

import (
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/jobs"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/screen/screentest"
)

// TestReachOfALab: a partner and its customers, connected at the pages and collected whole,
// are on the pages of customers, connections, collection, automation and the trail.
func TestReachOfALab(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it collects thirteen tenants")
	}
	_, i, done := inside(t, t.TempDir(), func(o *partnercloud.Options) { o.Days = 8 })
	defer done()
	if _, _, err := i.ConnectLab(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.CollectNow(t.Context(), "", collect.Ask{Now: true}, func(r collect.Round, err error) {
		if err != nil {
			t.Errorf("%s: %v", r.Tenant.Domain, err)
		}
	}); err != nil {
		t.Fatal(err)
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
	for address, want := range map[string][]string{
		"/customers":                 {"12 customers", "DAP is in place", "Global Admin", "sign-ins without MFA", "its sign-ins were not read"},
		"/customers?dap=yes":         {"4 of 12"},
		"/connections":               {"sam-agent@contoso.com", "proven", "90 days"},
		"/collection":                {"conditionalAccessPolicies", "whole", "Throttle budgets", "Graph reports and sign-ins", "SQLite at"},
		"/collection/tenants":        {"13 tenants", "refused"},
		"/automation":                {"ropc", "svc-billing@contoso.com"},
		"/trail?action=archive.kept": {"archive.kept", "is not known yet"},
		"/trail?row=1":               {"It is in the tree of the checkpoint"},
	} {
		html := h.HTML(t, address)
		for _, w := range want {
			if !strings.Contains(html, w) {
				t.Errorf("%s does not say %q", address, w)
			}
		}
	}
	// Who is limited to one customer learns the name of no other, on any of the pages.
	only := tenants[len(tenants)-1]
	h.Viewer.Customers = []string{only.ID}
	for _, address := range []string{"/customers", "/customers/one?tenant=" + only.ID, "/connections", "/collection", "/collection/tenants", "/collection/gaps",
		"/collection/jobs", "/trail"} {
		html := h.HTML(t, address)
		for _, x := range tenants[:len(tenants)-1] {
			if !x.Partner && strings.Contains(html, x.ID) || // a relationship's own id has the partner's in it
				strings.Contains(html, ">"+x.Name+"<") || x.Domain != "" && strings.Contains(html, x.Domain) {
				at := max(strings.Index(html, x.ID), strings.Index(html, x.Domain), 120)
				t.Errorf("%s names %s to who may not know of it: …%s…", address, x.Domain, html[at-120:min(at+120, len(html))])
			}
		}
	}
}
