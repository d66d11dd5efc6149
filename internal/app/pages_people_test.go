package app_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/posture"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// house is the pages of an installation as somebody who may do everything sees them.
func (w *watched) house() *screentest.House {
	var screens []screen.Screen
	screens = append(screens, w.s.Posture.Screens()...)
	screens = append(screens, w.s.People.Screens()...)
	return &screentest.House{Screens: screens, Now: w.s.Now(),
		Tenants: []screen.Tenant{{ID: strings.ToLower(w.lab.Info.Tenant.ID), Name: "Contoso", Partner: true, Local: true}}}
}

var rowLink = regexp.MustCompile(`row=[0-9a-f-]+%2F([0-9a-f-]{36})`)

// graceID is the id of the first account that a page links to.
func graceID(html string) string {
	if m := rowLink.FindStringSubmatch(html); m != nil {
		return m[1]
	}
	return ""
}

// TestPagesOfALab: what was collected of a partner and judged twice, with a policy edited
// in between, is on the pages: what turned and who did it, who is open and where, and
// what to do.
func TestPagesOfALab(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 30 })
	tenant, id := w.lab.Info.Tenant.ID, w.policy("CA002 - All users - Require MFA")
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(20 * time.Hour)
	w.as(labtest.Admin, mayWrite, http.MethodPatch, read0+"/"+id, `{"state":"enabledForReportingButNotEnforced"}`)
	w.lab.Jump(3 * time.Hour)
	w.collect(w.lab.Now().AddDate(0, 0, -31))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	h := w.house()
	status := h.HTML(t, "/status")
	for _, want := range []string{"Contract", "mandatory hold", "Fix first", "CA002", labtest.Admin, "Microsoft’s score",
		"partnerguard rehearse --from archive:"} {
		if !strings.Contains(status, want) {
			t.Errorf("the status does not say %q", want)
		}
	}
	row := h.HTML(t, "/status?row=mfa-every-user")
	for _, want := range []string{"What decided it", "Where Microsoft writes it", "Open what it counts", "/people?"} {
		if !strings.Contains(row, want) {
			t.Errorf("the requirement does not say %q", want)
		}
	}
	people := h.HTML(t, "/people?q="+labtest.NoMFA)
	if !strings.Contains(people, labtest.NoMFA) || !strings.Contains(people, "open") {
		t.Error("who is open is not on the page")
	}
	past := h.HTML(t, "/status?at="+w.s.Now().AddDate(0, 0, -1).Format(time.DateOnly))
	if !strings.Contains(past, "A day of the past") && !strings.Contains(past, "Nothing was judged by") {
		t.Error("a day of the past is not marked as one")
	}
	h.Shoot(t, "status", "/status")
	h.Shoot(t, "status-row", "/status?row=mfa-every-user")
	h.Shoot(t, "people", "/people")
	h.Shoot(t, "people-row", "/people?q=grace&row="+url.QueryEscape(strings.ToLower(tenant)+"/"+graceID(h.HTML(t, "/people?q=grace"))))
	x, err := w.s.Posture.AddException(t.Context(), posture.Exception{Requirement: "mfa-every-user", Accounts: []string{labtest.NoMFA}, Owner: "Li Chen",
		Reason: "the SMTP relay is ordered", Control: "one address, one mailbox", Expires: w.s.Now().AddDate(0, 0, 11)}, "oidc:idris.cole@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	if html := h.HTML(t, "/exceptions?row="+x.ID); !strings.Contains(html, "SMTP relay") || !strings.Contains(html, "/exceptions/approve") {
		t.Error("what was asked for is not on the page")
	}
	if html := h.HTML(t, "/status"); !strings.Contains(html, "Next deadlines") {
		t.Error("no deadlines are on the page")
	}
	h.Shoot(t, "exceptions", "/exceptions?row="+x.ID)
}
