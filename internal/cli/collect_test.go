package cli_test

import (
	"strings"
	"testing"

	"partnerguard/internal/labtest"
)

// TestCollect: what a partner does with a live tenant: connect, look at the plan, read,
// and see what was read and what was not.
func TestCollect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if _, stdout, stderr, code := h.connect(labtest.SAMAgent, "--feature", "customers,forecast,collect"); code != 0 {
		t.Fatalf("%d %s %s", code, stdout, stderr)
	}
	for _, args := range []string{"collect status", "collect plan", "collect --now", "collect status", "collect status --tenant partner", "gaps", "collect", "trail verify"} {
		out, errs, code := h.run(strings.Fields(args)...)
		t.Logf("%s: %d\n%s\n%s", args, code, out, errs)
	}
}
