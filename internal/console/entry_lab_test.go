package console_test

import (
	"net/url"
	"strings"
	"testing"

	"partnerguard/internal/labtest"
)

// Somebody with MFA comes in by the real pages, and is where they wanted to be.
func TestEntry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.get("/posture/see?sort=-age")
	b.leads("/signin?to=%2Fposture%2Fsee%3Fsort%3D-age")
	b.get(b.last.Header().Get("Location"))
	b.is(200, "Sign in", "Continue with Entra ID", "contoso.com")
	b.get(b.walk(l, labtest.Admin, "/posture/see?sort=-age"))
	b.leads("/posture/see?sort=-age")
	b.get("/posture/see?sort=-age")
	b.is(200, "entra:ravi.menon@contoso.com Administrator")
	b.get("/signin")
	b.leads("/")
	if got := strings.Join(l.said(), ", "); got != "entered" {
		t.Error(got)
	}
	b.post("/signout", url.Values{})
	b.leads("/signin?why=left")
	b.get("/signin?why=left")
	b.is(200, "You are signed out here")
	b.get("/posture/see")
	b.leads("/signin?to=%2Fposture%2Fsee")
}
