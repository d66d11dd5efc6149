package scenario

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// A scenario can have relationships of every kind: a provider's, tenant governance's, with
// retired roles, long ended; groups within groups, and people who are in for a time.
func TestDelegationOfEveryKind(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/delegation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := Build(load(t, text), Options{Clock: still()})
	if err != nil {
		t.Fatal(err)
	}
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		rels := map[string]*world.Relationship{}
		for r := range p.Relationships.All() {
			rels[r.Name] = r
		}
		if r := rels["Provider_Desk"]; r == nil || r.Provider != "0f3c2a10-5b7d-4e21-9c64-8d1f5a2b7e90" {
			t.Errorf("the provider's: %+v", r)
		}
		if r := rels["Old_Support"]; !slices.Contains(r.Roles, entra.RolePartnerTier2Support) || r.StatusAt(start) != "active" {
			t.Errorf("the retired role's: %+v", r)
		}
		if !rels["Ended_long_ago"].CleanedUp(start) || rels["Old_Support"].CleanedUp(start) {
			t.Error("what ended two years ago is still listed, or what is active is not")
		}
		bo, cy := p.UserByName("bo@lamna.example"), p.UserByName("cy@lamna.example")
		k := s.Tenant("byprovider.example")
		if d, ok := s.Delegated(bo, k); !ok || !slices.Contains(d.Roles, entra.RoleHelpdeskAdministrator) {
			t.Errorf("within a group of the group: %+v", d)
		}
		if d, ok := s.Delegated(cy, k); ok {
			t.Errorf("eligible alone: %+v", d)
		}
		desk := p.GroupByName("Desk")
		s.JoinFor(p, &world.RoleAssignment{ID: "x", Principal: cy.ID, Role: desk.ID, Start: start, End: start.Add(time.Hour)})
		if _, ok := s.Delegated(cy, k); !ok {
			t.Error("activated, and without a right")
		}
		if len(k.Audits) != 3 || technician(k.Audits[0].By.User.UPN) != bo.ID {
			t.Errorf("%d rows", len(k.Audits))
		}
	})
	for what, bad := range map[string]string{
		"nobody is called":    strings.Replace(string(text), "eligible: [cy]", "eligible: [zoe]", 1),
		"no work is called":   strings.Replace(string(text), "did: reset password", "did: nothing", 1),
		"nobody is called \"": strings.Replace(string(text), "who: bo", "who: zoe", 1),
		"provider":            strings.Replace(string(text), "provider: 0f3c2a10", "provider: x", 1),
	} {
		if _, err := Parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
