package app_test

import (
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/collect"
)

// TestDatabaseOfPagesGone takes the database away under the running server: nobody is told
// that something went wrong, but what, and that pages come back.
func TestDatabaseOfPagesGone(t *testing.T) {
	t.Parallel()
	rig, screens := operator(t)
	rig.ok(rig.s.Collect.Known(t.Context(), []collect.Tenant{{ID: rig.of["zzp"], Domain: "contoso.example", Partner: true}}, true))
	v := rig.in()
	rig.ok(rig.s.DB.Close())
	for i := range screens {
		for _, accept := range []string{"text/html", "application/json"} {
			w := v.do("GET", "/"+screens[i].Name, nil, "Accept", accept)
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "database") {
				t.Errorf("%s as %s: %d %.200s", screens[i].Name, accept, w.Code, tagOf.ReplaceAllString(w.Body.String(), ""))
			}
		}
	}
}
