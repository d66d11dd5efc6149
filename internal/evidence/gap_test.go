package evidence_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
)

// A gap becomes a cut that says what is missing, why, and how it can be had.
func TestGapCut(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	for name, g := range map[string]evidence.Gap{
		"lacks 2026-11-03T09:00:00Z to 2026-11-03T10:00:00Z: it failed; it is asked again": {
			From: at, To: at.Add(time.Hour), Why: "it failed", Can: "it is asked again"},
		"was not read: the tenant has no Entra ID P1":     {Why: "the tenant has no Entra ID P1"},
		"lacks what belongs to g1: the answer is no JSON": {Of: "g1", Why: "the answer is no JSON"},
	} {
		g.Kind, g.Resource = evidence.SignIn, "signIns.interactiveUser"
		c := g.Cut()
		if c.Why != name || c.Kind != evidence.SignIn || c.Source.Path != "archive:signIns.interactiveUser" {
			t.Errorf("got %+v, want %s", c, name)
		}
		if !strings.HasPrefix(c.Settle(), "GET /") {
			t.Errorf("nothing settles it: %q", c.Settle())
		}
	}
}
