package claim

import (
	"errors"
	"testing"
)

// A further type of token is taken where it is expected, and nowhere else.
func TestExpectType(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]map[string]bool{
		"logout+jwt":             {"": false, "logout+jwt": true, "secevent+jwt": false},
		"application/logout+jwt": {"": false, "logout+jwt": true},
		"Logout+JWT":             {"logout+jwt": true},
		"JWT":                    {"": true, "logout+jwt": true},
		"":                       {"": false, "logout+jwt": false},
	} {
		for kind, taken := range want {
			h, err := strictObject([]byte(`{"alg":"RS256","kid":"k","typ":"` + typ + `"}`))
			if err != nil {
				t.Fatal(err)
			}
			flaw, _ := checkHeader(h, kind)
			if (flaw == "") != taken || !taken && !errors.Is(flaw, BadHeader) {
				t.Errorf("%q where %q is expected: %q", typ, kind, flaw)
			}
		}
	}
}
