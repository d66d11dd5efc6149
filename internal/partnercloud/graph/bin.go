package graph

import (
	"net/http"

	"partnerguard/internal/partnercloud/world"
)

// Policies and named locations that were deleted can be restored for 30 days
// (contracts-2026-11.md section 5).

const deletedBase = "identity/conditionalAccess/deletedItems/"

// putAside moves a settings object to the deleted ones.
func (c *call) putAside(s *world.State, t *world.Tenant, live, aside *documents, d *world.Document) {
	gone := *d
	gone.Deleted = c.now
	live.Delete(d.ID)
	for _, old := range aside.List() { // what can no longer be restored
		if !c.held(old) {
			aside.Delete(old.ID)
		}
	}
	aside.Put(&gone)
	s.Touch(t)
}

// bin is what deleted objects of a kind are, and were.
type bin struct {
	live, gone *documents
	kind       settings
	shape      *shape
	show       func(*world.Document) any
}

func (c *call) bin(t *world.Tenant) *bin {
	if c.route.parts[3] == "policies" {
		return &bin{&t.Policies, &t.DeletedPolicies, policySettings, c.g.sh.policy, func(d *world.Document) any { return c.shownPolicy(t, d) }}
	}
	return &bin{&t.Locations, &t.DeletedLocations, locationSettings, c.g.sh.location, func(d *world.Document) any { return shownLocation(d) }}
}

// held reports a deleted object that can still be restored.
func (c *call) held(d *world.Document) bool { return c.now.Sub(d.Deleted) < world.DeletedFor }

func (c *call) binContext() string { return deletedBase + c.route.parts[3] }

func binItems(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	b := c.bin(t)
	return c.show(t, c.binContext(), b.shape, rowsAs(b.gone, func(d *world.Document) any {
		if !c.held(d) {
			return nil
		}
		return b.show(d)
	}))
}

func findInBin(c *call, _ *world.State, t *world.Tenant) (*world.Document, error) {
	if d := c.bin(t).gone.Get(c.params[0]); d != nil && c.held(d) {
		return d, nil
	}
	return nil, notFound(c.params[0])
}

func restoreFromBin(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	if len(c.in) > 0 {
		return nil, badRequest("The action restore takes no parameters.")
	}
	b := c.bin(t)
	if b.kind == policySettings && str(decodeObject(d.Raw), "state") == "enabled" && t.SecurityDefaults {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Security Defaults is enabled in the tenant: an enabled policy cannot be restored.")
	}
	b.gone.Delete(d.ID)
	back := world.Document{ID: d.ID, Raw: d.Raw, Created: d.Created, Changed: d.Changed, ETag: d.ETag}
	b.live.Put(&back)
	s.Touch(t)
	c.auditDocument(s, t, b.kind, "Restore", d, &back)
	return c.one(t, b.context(), b.shape, b.show(&back))
}

func (b *bin) context() string {
	if b.kind == policySettings {
		return policiesPath
	}
	return locationsPath
}

// emptyBin deletes for good.
func emptyBin(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	b := c.bin(t)
	b.gone.Delete(d.ID)
	s.Touch(t)
	c.auditDocument(s, t, b.kind, "Hard delete", d, nil)
	return noContent()
}
