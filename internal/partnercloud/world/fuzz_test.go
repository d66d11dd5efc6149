package world

import (
	"bytes"
	"testing"
)

// FuzzLoad says that a state file is taken whole or refused, and that what was
// taken can be asked.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"version":1,"spec":{},"state":{"partner":"p"},"tenants":[{"id":"p","domains":["Contoso.com"],"users":[{"id":"u","upn":"u@contoso.com"}],"groups":[{"id":"g","members":["u","g"]}],"policies":[{"id":"x","raw":{"state":"enabled"}}]}]}`))
	f.Add([]byte(`{"version":1,"state":{},"tenants":[null]}`))
	f.Add([]byte(`{"version":1,"state":{"sessions":[{"hash":"h"}]},"tenants":[{"id":"p","held":[{"id":"h","principal":"u","role":"r"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, _, err := Load(bytes.NewReader(b), nil)
		if (w == nil) == (err == nil) {
			t.Fatal("neither a world nor an error, or both")
		}
		if w == nil {
			return
		}
		w.Read(func(s *State) {
			for tenant := range s.Made() {
				s.Engine(tenant)
				for u := range tenant.Users.All() {
					tenant.RolesOf(u.ID, s.Clock.Now())
					s.Delegated(u, tenant)
				}
			}
		})
	})
}
