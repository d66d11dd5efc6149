package cloud

import (
	"strings"
	"testing"
)

func TestEnforcementChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want, bad string }{
		{"", "", ""},
		{"history", `{"preset":"history"}`, ""},
		{"api=0.3 portal=on", `{"api":0.3,"portal":"on"}`, ""},
		{"off aobo=history", `{"aobo":"history","preset":"off"}`, ""},
		{"aobo=0", `{"aobo":0}`, ""},
		{"0.3", "", "0.3"},
		{"api=1.1", "", "api=1.1"},
		{"api=-1", "", "api=-1"},
		{"api=maybe", "", "api=maybe"},
		{"graph=on", "", `no check "graph"`},
		{"api=on api=off", "", "twice"},
		{"on off", "", "twice"},
		{"api=", "", "api="},
	} {
		got, err := enforcementChange(strings.Fields(c.args))
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%q: %v, want an error with %q", c.args, err, c.bad)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%q: %s %v, want %s", c.args, got, err, c.want)
		}
	}
}
