package directory_test

import (
	"testing"

	"partnerguard/internal/directory"
)

// A list of per-user MFA states is about users by id or name; what two sources
// say differently is not known.
func TestPerUserMFA(t *testing.T) {
	t.Parallel()
	d := directory.New()
	for _, r := range []directory.PerUserMFA{
		{ID: "A", State: "Enforced"}, {UserPrincipalName: "B@x", State: "disabled"},
		{ID: "c", UserPrincipalName: "c@x", State: "enabled"}, {UserPrincipalName: "C@X", State: "disabled"}, {UserPrincipalName: "c@x", State: "disabled"},
		{ID: "d", State: "enabled"}, {State: "enabled"}, {ID: "e"},
	} {
		d.AddPerUserMFA(r)
	}
	for want, list := range map[string][]directory.User{
		"enforced": {{ID: "a"}, {ID: "a", UserPrincipalName: "a@x", PerUserMFAState: "Enforced"}, {ID: "z", PerUserMFAState: "enforced"}},
		"disabled": {{ID: "b", UserPrincipalName: "b@X"}, {UserPrincipalName: "b@x"}},
		"enabled":  {{ID: "D"}},
		"":         {{ID: "e"}, {UserPrincipalName: "c@x"}, {ID: "d", PerUserMFAState: "disabled"}, {}},
	} {
		for _, u := range list {
			if got := d.PerUserMFAOf(&u); got != want {
				t.Errorf("%+v: %q, want %q", u, got, want)
			}
		}
	}
	if len(d.Users) > 0 {
		t.Error("a state made a user")
	}
}
