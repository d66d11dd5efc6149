package app_test

import (
	"testing"

	"partnerguard/internal/console"
)

// TestFeedSees: a calendar is limited by the roles of its owner, and by nobody's whose
// id is only within their name.
func TestFeedSees(t *testing.T) {
	t.Parallel()
	s := newPlace(t).must(false)
	give := func(id, name string, customers []string) {
		t.Helper()
		if _, err := s.Console.Give(t.Context(), console.Grant{Tenant: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", Kind: console.KindUser, Subject: id, Name: name,
			Role: console.RoleEngineer, Customers: customers}, "local:ada"); err != nil {
			t.Fatal(err)
		}
	}
	const fabrikam = "44444444-4444-4444-8444-444444444444"
	const all, some = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	give(all, "ada", nil)
	give(some, "bea", []string{fabrikam})
	for owner, everything := range map[string]bool{"entra:a@contoso.com " + all: true, "entra:b@contoso.com " + some: false,
		"entra:" + all + "@contoso.com " + some: false, "local:ada": true} {
		sees, ok, err := s.FeedSees(t.Context(), owner)
		if err != nil || !ok {
			t.Fatal(owner, ok, err)
		}
		if !sees(fabrikam) || sees("other") != everything {
			t.Errorf("%s sees Fabrikam: %v, others: %v", owner, sees(fabrikam), sees("other"))
		}
	}
}
