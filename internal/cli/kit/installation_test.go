package kit

import (
	"errors"
	"os/user"
	"testing"
)

// TestLoginName: who logged in, and nobody where the kernel does not know.
func TestLoginName(t *testing.T) {
	t.Parallel()
	lookup := func(id string) (*user.User, error) {
		if id != "1000" {
			return nil, errors.New("unknown")
		}
		return &user.User{Username: "ada"}, nil
	}
	for raw, want := range map[string]string{"1000": "ada", "1000\n": "ada", "4294967295": "", "-1": "", "": "", "ada": "", "7": "", "99999999999": ""} {
		if got := loginName(raw, lookup); got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}
