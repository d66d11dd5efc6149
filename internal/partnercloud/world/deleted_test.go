package world

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestDeletedComesBackWithWhatHungOnIt(t *testing.T) {
	clock := NewClock(func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) })
	w := New(1, clock)
	setUp := func(s *State) *Tenant {
		te := &Tenant{ID: "t", Domains: []string{"x.example"}, SKUs: []SKU{{ID: "sku", Enabled: 5, Consumed: 1}}}
		te.Users.Put(&User{ID: "u", UPN: "u@x.example", Licences: []string{"sku"}})
		te.Groups.Put(&Group{ID: "g", Members: []string{"u"}, Owners: []string{"u"}})
		te.Groups.Put(&Group{ID: "m365", Unified: true, Members: []string{"u"}})
		te.Held.Put(&RoleAssignment{ID: "h", Principal: "u", Role: "r"})
		te.Units.Put(&Unit{ID: "au", Members: []string{"u"}})
		te.SPs.Put(&ServicePrincipal{ID: "sp", AppID: "app"})
		te.SPs.Put(&ServicePrincipal{ID: "api", AppID: "api"})
		te.Grants.Put(&Grant{ID: "gr", Client: "sp", Resource: "api", Principal: "u"})
		te.AppRoles.Put(&AppRoleAssignment{ID: "ar", Principal: "sp", Resource: "api"})
		s.Put(te)
		s.PutApp(te, &Application{ID: "obj", AppID: "app"})
		return te
	}
	w.Read(func(s *State) {
		te := setUp(s)
		if !s.Delete(te, "user", "U") || te.Users.Get("u") != nil || te.Held.Len() != 0 || te.Grants.Len() != 0 ||
			len(te.Groups.Get("g").Members)+len(te.Groups.Get("g").Owners)+len(te.Units.Get("au").Members) != 0 || te.SKUs[0].Consumed != 0 {
			t.Errorf("something of the user is left: %+v", te)
		}
		if d := s.Restore(te, "u"); d == nil || te.Users.Get("u") == nil || te.Held.Len() != 1 || te.Grants.Len() != 1 ||
			len(te.Groups.Get("g").Members)+len(te.Groups.Get("g").Owners)+len(te.Units.Get("au").Members) != 3 || te.SKUs[0].Consumed != 1 {
			t.Errorf("the user did not come back whole: %+v", d)
		}
		s.Delete(te, "group", "g")
		s.Delete(te, "group", "m365")
		s.Delete(te, "servicePrincipal", "sp")
		s.Delete(te, "application", "obj")
		if _, a := s.App("app"); a != nil || te.AppRoles.Len() != 0 {
			t.Error("the app is still there")
		}
		if got := len(s.DeletedItems(te)); got != 3 {
			t.Errorf("%d deleted items, want 3: a security group is gone at once", got)
		}
		if s.Restore(te, "g") != nil || s.Restore(te, "obj") == nil || s.Restore(te, "sp") == nil {
			t.Error("restored what is gone, or not what is there")
		}
		if _, a := s.App("app"); a == nil || te.AppRoles.Len() != 1 {
			t.Error("the app did not come back")
		}
		// A principal's consents come back only while both ends exist.
		s.Delete(te, "servicePrincipal", "sp")
		s.Delete(te, "servicePrincipal", "api")
		s.Restore(te, "sp")
		if te.Grants.Len() != 0 {
			t.Error("a consent to what does not exist")
		}
		if !s.Purge(te, "api") || s.Purge(te, "api") || s.Restore(te, "api") != nil {
			t.Error("purged is not gone")
		}
		// What was saved is loaded.
		var back Tenant
		b, _ := json.Marshal(te)
		if err := json.Unmarshal(b, &back); err != nil || back.Deleted.Get("m365").Group == nil {
			t.Errorf("lost when saved: %v", err)
		}
		if bytes.Contains(b, []byte(`"units":[]`)) {
			t.Error("empty tables are written")
		}
	})
	_, _ = clock.Jump(DeletedFor - time.Second)
	w.Read(func(s *State) {
		if s.DeletedItem(s.Tenant("t"), "m365") == nil {
			t.Error("forgotten a second early")
		}
	})
	_, _ = clock.Jump(time.Second)
	w.Read(func(s *State) {
		if te := s.Tenant("t"); len(s.DeletedItems(te)) != 0 || !te.Deletions[len(te.Deletions)-1].Gone {
			t.Error("not forgotten after 30 days")
		}
	})
}
