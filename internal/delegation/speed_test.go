package delegation_test

import (
	"fmt"
	"testing"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/facts"
)

// large are 2,000 customers with 20,000 assignments to 40 groups of 30 people.
func large(tb testing.TB) *facts.Facts {
	tb.Helper()
	list := make([]record, 0, 5000)
	for n := range 300 {
		list = append(list, user(100_000+n, fmt.Sprint("Person ", n), ""))
	}
	roles := []string{entra.RoleHelpdeskAdministrator, entra.RoleUserAdministrator, entra.RoleGlobalReader, entra.RoleDirectoryReaders,
		entra.RoleServiceSupportAdministrator, entra.RoleLicenseAdministrator, entra.RoleSecurityReader, entra.RolePrivilegedAuthenticationAdministrator}
	for n := range 40 {
		var members []int
		for k := range 30 {
			members = append(members, 100_000+(n*7+k)%300)
		}
		list = append(list, group(1000+n, fmt.Sprint("Group ", n), "", members...))
	}
	for n := range 2000 {
		var g []gives
		for k := range 10 {
			g = append(g, gives{1000 + (n+k)%40, roles[:5+k%4]})
		}
		list = append(list, relationship(fmt.Sprint("rel", n), id(200_000+n), "", g...))
	}
	return read(tb, list...)
}

// TestLarge: nothing of a large partner is lost.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("a large world")
	}
	t.Parallel()
	inv := delegation.Build(large(t), now)
	n := 0
	for i := range inv.Customers {
		n += len(inv.Customers[i].Relationships[0].Assignments)
	}
	ways := delegation.Ask(inv, delegation.Question{Roads: true, Role: entra.RoleGlobalAdministrator})
	if len(inv.Customers) != 2000 || n != 20_000 || len(inv.People) != 300 || len(ways.Paths) < 50_000 {
		t.Errorf("%d customers, %d assignments, %d people, %d ways", len(inv.Customers), n, len(inv.People), len(ways.Paths))
	}
}

func BenchmarkBuild(b *testing.B) {
	f := large(b)
	b.ReportAllocs()
	for b.Loop() {
		delegation.Build(f, now)
	}
}

func BenchmarkAsk(b *testing.B) {
	inv := delegation.Build(large(b), now)
	b.ReportAllocs()
	for b.Loop() {
		delegation.Ask(inv, delegation.Question{Roads: true, Role: entra.RoleGlobalAdministrator})
	}
}
