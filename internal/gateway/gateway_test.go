package gateway

import "testing"

func TestReasonsAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range append(Reasons(), Passed) {
		if r.String() == "" || r.Title() == "" || (r.Fix() == "") != (r == Passed) || (r.Kind() == Serve) != (r == Passed) || seen[r.String()] {
			t.Errorf("reason %d is not whole: %q %q %q", r, r, r.Title(), r.Fix())
		}
		seen[r.String()] = true
		if back, ok := ReasonOf(r.String()); !ok || back != r {
			t.Errorf("%s is found as %s", r, back)
		}
	}
	if Reason(200).Kind() == Serve {
		t.Error("what is no reason passes")
	}
}
