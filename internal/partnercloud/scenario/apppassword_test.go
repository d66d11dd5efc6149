package scenario

import (
	"os"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// TestAppPasswords: who has one, what the audit log has of it, and how its sign-ins
// look.
func TestAppPasswords(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/app-passwords.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := Build(load(t, text), Options{Clock: still()})
	if err != nil {
		t.Fatal(err)
	}
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		holds := map[string]int{}
		for u := range p.Users.All() {
			holds[u.Name] = len(u.AppPasswords)
		}
		if holds["Scanner"] != 1 || holds["Till"] != 1 || holds["Ivo Peeters"] != 0 {
			t.Errorf("%v", holds)
		}
		var said []string
		for i, a := range p.Audits {
			if i > 0 && a.At.Before(p.Audits[i-1].At.Time) {
				t.Error("the rows are not in order")
			}
			said = append(said, strings.Fields(a.Activity)[0]+" "+*a.Targets[0].Name+" by "+*a.By.User.Name)
		}
		want := "Create Scanner by Scanner, Delete Scanner by Scanner, Create Scanner by Scanner, Create Ivo Peeters by Ivo Peeters, " +
			"Delete Ivo Peeters by Ada Admin"
		if got := strings.Join(said, ", "); got != want {
			t.Errorf("%s", got)
		}
	})
	for name, c := range map[string][2]string{
		"per-user MFA off": {"perUserMfa: enabled", "app passwords live only where per-user MFA is on"},
		"too many":         {"      - {} # made before the audit log begins", "41 app passwords are too many"},
	} {
		other := "perUserMfa: disabled"
		if name == "too many" {
			other = strings.Repeat("      - {}\n", 41)
		}
		if _, err := Parse([]byte(strings.Replace(string(text), c[0], other, 1))); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
