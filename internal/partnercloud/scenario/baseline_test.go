package scenario

import (
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// The rule for baseline scopes is that of today unless the scenario says otherwise.
func TestBaselineScopesAreASetting(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "\n  baselineScopes: enabled": "", "\n  baselineScopes: disabled": world.BaselineOff} {
		w, err := Build(load(t, []byte(strings.Replace(small, "licence: p1", "licence: p1"+text, 1))), Options{Clock: still()})
		if err != nil {
			t.Fatal(err)
		}
		w.Read(func(s *world.State) {
			if got := s.PartnerTenant().BaselineScopes; got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		})
	}
	if _, err := Parse([]byte(strings.Replace(small, "licence: p1", "licence: p1\n  baselineScopes: customised", 1))); err == nil {
		t.Error("a setting that the cloud does not know is taken")
	}
}
