package world

import (
	"slices"
	"testing"
	"time"

	"partnerguard/internal/entra"
)

// What becomes of a relationship by itself is written down once, at its moment.
func TestRelationshipsComeDue(t *testing.T) {
	t.Parallel()
	w, now := lab(t)
	roles := []string{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}
	add := func(r *Relationship) {
		w.Read(func(s *State) {
			p := s.PartnerTenant()
			r.Customer, r.Roles = "c-1", roles
			p.Relationships.Put(r)
			s.Touch(p)
		})
	}
	var records []*AuditRecord
	seen := func() (out []string) {
		w.Read(func(s *State) { records = slices.Clone(s.PartnerTenant().Records) })
		for _, r := range records {
			out = append(out, r.Operation)
		}
		return out
	}
	add(&Relationship{
		ID: "one", Status: "activating", Due: start.Add(30 * time.Second), Ends: start.Add(48 * time.Hour),
		Assignments: []AccessAssignment{{ID: "a", Group: "g-gdap", Roles: roles, Status: "pending", Due: start.Add(time.Minute)},
			{ID: "b", Group: "g-desk", Roles: roles, Status: "deleting", Due: start.Add(time.Minute)}},
	})
	add(&Relationship{ID: "two", Status: "terminationRequested", Due: start.Add(2 * time.Hour)})
	add(&Relationship{ID: "three", Status: "active", Ends: start.Add(24 * time.Hour), AutoExtend: "P180D"})
	if got := seen(); len(got) != 0 {
		t.Fatalf("too early: %v", got)
	}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{29 * time.Second, nil},
		{30 * time.Second, []string{"granular_admin_relationship_activated"}},
		{time.Minute, []string{"granular_admin_access_assignment_activated"}},
		{90 * time.Minute, nil},
		{2 * time.Hour, []string{"granular_admin_relationship_terminated"}},
		{47 * time.Hour, nil},
		{48 * time.Hour, []string{"granular_admin_relationship_expired"}},
		{300 * 24 * time.Hour, nil},
	} {
		before := len(records)
		*now = start.Add(step.after)
		if got := seen()[before:]; !slices.Equal(got, step.want) {
			t.Errorf("after %s: %v, want %v", step.after, got, step.want)
		}
		for _, r := range records[before:] {
			if !r.At.Equal(*now) || r.Customer != "c-1" || len(r.Data) == 0 || r.Data[0].Key != "RelationshipId" {
				t.Errorf("record: %+v", r)
			}
		}
	}
	w.Read(func(s *State) {
		r := s.PartnerTenant().Relationships.Get("one")
		if r.Assignments[0].Status != "active" || r.Assignments[1].StatusAt(*now) != "deleted" || r.Status != "expired" {
			t.Errorf("%s %+v", r.Status, r.Assignments)
		}
		if st := s.PartnerTenant().Relationships.Get("three").StatusAt(*now); st != "active" {
			t.Errorf("one that extends itself is %s", st)
		}
	})
	// One that comes while others are looked at is not forgotten.
	before := len(records)
	add(&Relationship{ID: "four", Status: "activating", Due: now.Add(5 * time.Second)})
	*now = now.Add(5 * time.Second)
	if got := seen()[before:]; !slices.Equal(got, []string{"granular_admin_relationship_activated"}) {
		t.Errorf("a new one: %v", got)
	}
}

// An assignment that lost its last role gives nothing, and hides no DAP.
func TestAssignmentWithoutRoles(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	w.Read(func(s *State) {
		p := s.PartnerTenant()
		for _, c := range []string{"c-1", "c-2"} { // with DAP and without
			p.Relationships.Put(&Relationship{ID: "r" + c, Customer: c, Status: "active",
				Assignments: []AccessAssignment{{ID: "a", Group: "g-gdap", Status: "active"}}})
		}
		s.Touch(p)
		u := p.Users.Get("u-both")
		if d, ok := s.Delegated(u, s.Tenant("c-1")); !ok || d.GDAP || !slices.Equal(d.Roles, []string{entra.RoleGlobalAdministrator}) {
			t.Errorf("beside DAP: %+v %v", d, ok)
		}
		if d, ok := s.Delegated(u, s.Tenant("c-2")); ok {
			t.Errorf("alone: %+v", d)
		}
	})
}

func TestEndSessions(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	w.Read(func(s *State) {
		p := s.Partner
		s.Sessions.Put(&Session{Hash: "mine", TenantID: p, UserID: "u-both"})
		s.Sessions.Put(&Session{Hash: "other", TenantID: p, UserID: "u-desk"})
		s.Refresh.Put(&RefreshToken{Hash: "live", Tenant: p, User: "U-both"})
		s.Refresh.Put(&RefreshToken{Hash: "dead", Tenant: p, User: "u-both", Revoked: "code redeemed twice"})
		s.Refresh.Put(&RefreshToken{Hash: "elsewhere", Tenant: "c-1", User: "u-both"})
		s.EndSessions(p, "u-both", "revoked")
		if s.Sessions.Get("mine") != nil || s.Sessions.Get("other") == nil {
			t.Error("sessions")
		}
		for hash, want := range map[string]string{"live": "revoked", "dead": "code redeemed twice", "elsewhere": ""} {
			if got := s.Refresh.Get(hash).Revoked; got != want {
				t.Errorf("%s: %q, want %q", hash, got, want)
			}
		}
	})
}

// A user's own consent is the user's alone.
func TestGrantedToOneUser(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	w.Read(func(s *State) {
		p := s.PartnerTenant()
		p.Grants.Put(&Grant{ID: "1", Client: "c", Resource: "r", Principal: "u-both", Scopes: []string{"Mine"}})
		p.Grants.Put(&Grant{ID: "2", Client: "C", Resource: "R", Scopes: []string{"Ours"}})
		for user, want := range map[string][]string{"u-both": {"Mine", "Ours"}, "u-desk": {"Ours"}} {
			if got := s.Granted(p, "c", "r", user); !slices.Equal(got, want) {
				t.Errorf("%s: %v", user, got)
			}
		}
	})
}
