package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// technician gives the object id in a technician's name, "" for anybody else.
func technician(upn string) string {
	hexa, ok := strings.CutPrefix(strings.ToLower(upn), "user_")
	hexa, _, _ = strings.Cut(hexa, "@")
	if !ok || len(hexa) != 32 {
		return ""
	}
	return hexa[:8] + "-" + hexa[8:12] + "-" + hexa[12:16] + "-" + hexa[16:20] + "-" + hexa[20:]
}

// couldDo are the roles that could have done what a row says; a refused row is one about
// an administrator.
func couldDo(row *world.DirectoryAudit) (roles []string) {
	for _, a := range acts() {
		if a.activity == row.Activity && (a.target == "Admin") == (row.Result == "failure") {
			roles = a.roles
		}
	}
	return roles
}

// Everybody of the partner who is said to have done something may do it: by the roles of
// GDAP, or by DAP; what was refused may not be done.
func TestWorkCouldBeDone(t *testing.T) {
	t.Parallel()
	build(t, Options{Customers: 60}).Read(func(s *world.State) {
		p := s.PartnerTenant()
		seen, dap, refused, locals := 0, 0, 0, 0
		for c := range p.Customers.All() {
			k := s.Tenant(c.TenantID)
			var last time.Time
			for _, row := range k.Audits {
				if row.At.Before(last) || row.At.After(start) || start.Sub(row.At.Time) > 91*24*time.Hour {
					t.Fatalf("%s: %s at %s after %s", k.Name, row.Activity, row.At, last)
				}
				last = row.At.Time
				u := p.Users.Get(technician(row.By.User.UPN))
				if u == nil {
					locals++
					if k.Users.Get(row.By.User.ID) == nil {
						t.Errorf("%s: %s by nobody: %s", k.Name, row.Activity, row.By.User.UPN)
					}
					continue
				}
				d, _ := s.Delegated(u, k)
				could := append(couldDo(row), entra.RoleGlobalAdministrator)
				if able := slices.ContainsFunc(d.Roles, func(r string) bool { return slices.Contains(could, r) }); able != (row.Result == "success") {
					t.Errorf("%s: %s did %q (%s) with %v", k.Name, u.UPN, row.Activity, row.Result, d.Roles)
				}
				seen++
				if !d.GDAP {
					dap++
				}
				if row.Result == "failure" {
					refused++
				}
			}
		}
		if seen < 300 || dap < 6 || refused == 0 || locals == 0 {
			t.Errorf("%d acts, %d by DAP, %d refused, %d of locals", seen, dap, refused, locals)
		}
	})
}

// The same world is made with the same rows, whichever tenant is asked first.
func TestWorkIsSeeded(t *testing.T) {
	t.Parallel()
	ids := func() (out []string) {
		build(t, Options{}).Read(func(s *world.State) {
			for _, row := range s.Tenant("fabrikam.example").Audits {
				out = append(out, row.ID+row.At.String()+row.Targets[0].ID)
			}
		})
		return out
	}
	if a, b := ids(), ids(); !slices.Equal(a, b) || len(a) < 70 {
		t.Errorf("%d rows, then %d", len(a), len(b))
	}
}
