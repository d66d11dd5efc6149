package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

// The requests of a relationship: the partner offers and ends, the customer's
// Global Administrator approves or rejects (in production in the admin center;
// here by the same request with a token of the customer's tenant).

func newRequestShape(c *call) *shape {
	type q = world.RelationshipRequest
	return newShape("delegatedAdminRelationshipRequest", func(x any) string { return x.(q).ID },
		f("id", func(x q) any { return x.ID }),
		f("action", func(x q) any {
			if x.Action == "reject" && !c.unknown {
				return futureValue
			}
			return x.Action
		}),
		f("status", func(x q) any { return x.Status }),
		f("createdDateTime", func(x q) any { return x.Created }),
		f("lastModifiedDateTime", func(x q) any { return later(x.Changed, x.Created) }),
	)
}

func requestsContext(id string) string { return gdapBase + "('" + id + "')/requests" }

func requests(c *call, _ *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	sh := newRequestShape(c)
	return c.show(t, requestsContext(r.ID), sh, slice(r.Asks, sh.key))
}

// mayMove: admin agents of the partner, and of a customer its Global Administrators
// and who administers its relationships.
func mayMove(c *call, s *world.State, t *world.Tenant) error {
	if t.Kind != world.PartnerTenant {
		if c.caller.AppOnly() || c.caller.AOBO || !c.hasRole(entra.RoleGlobalAdministrator, entra.RoleCustomerRelationshipAdministrator) {
			return denied()
		}
		return nil
	}
	if c.caller.AppOnly() {
		if sp := t.SP(entra.AppGDAP); sp == nil || !sp.Enabled {
			return denied()
		}
		return nil
	}
	u, _ := c.user(s, t)
	return c.adminAgent(t, u)
}

func createRequest(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := (fields{"action": enum("lockForApproval approve reject terminate").need()}).check("", c.in); err != nil {
		return nil, err
	}
	partner := t
	if t.Kind != world.PartnerTenant {
		partner = s.PartnerTenant()
	}
	r, err := findRelationship(c, s, partner)
	if err != nil {
		return nil, err
	}
	next := *r
	action, status := str(c.in, "action"), r.StatusAt(c.now)
	if partner != t {
		err = customerAction(c, t, &next, action, status)
	} else {
		err = partnerAction(c, &next, action, status)
	}
	if err != nil {
		return nil, err
	}
	ask := world.RelationshipRequest{ID: world.NewGUID(), Action: action, Status: "created", Created: c.now, Changed: c.now}
	kept := ask
	kept.Status = "succeeded"
	next.Asks = append(slices.Clone(r.Asks), kept)
	next.ETag++
	next.Changed = c.now
	partner.Relationships.Put(&next)
	s.Touch(partner)
	c.auditGDAP(s, partner, "Delegated admin relationship request: "+action, "Update", &next, r, &next)
	if op := map[string]string{"approve": "approved", "terminate": "termination_requested"}[action]; op != "" {
		c.recordGDAP(s, &next, "granular_admin_relationship", op, "", r.Roles, next.Roles)
	}
	if partner != t {
		c.auditGDAP(s, t, "Delegated admin relationship request: "+action, "Update", &next, r, &next)
	}
	return c.created(t, requestsContext(r.ID), newRequestShape(c), ask)
}

// partnerAction moves a relationship as the partner asks.
func partnerAction(c *call, r *world.Relationship, action, status string) error {
	wrong := conflict("The action %s is not possible in the status %s.", action, status)
	switch action {
	case "lockForApproval":
		if status != "created" {
			return wrong
		}
		r.Status, r.Offered = "approvalPending", c.now
	case "terminate":
		if status != "active" {
			return wrong
		}
		r.Status, r.Due = "terminationRequested", c.whenDone(terminatingTakes)
	default:
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The action %s is for the customer.", action)
	}
	return nil
}

// customerAction moves a relationship as its customer asks. An offer without a
// customer belongs to the first who accepts it.
func customerAction(c *call, t *world.Tenant, r *world.Relationship, action, status string) error {
	if r.Customer != "" && !strings.EqualFold(r.Customer, t.ID) {
		return refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin relationship '%s' does not exist.", clip(r.ID))
	}
	wrong := conflict("The action %s is not possible in the status %s.", action, status)
	switch action {
	case "approve":
		if status != "approvalPending" {
			return wrong
		}
		d, ok := isoDuration(r.Duration)
		if !ok {
			return wrong
		}
		r.Answer(t, true, d, c.now)
		if gate.FateOf(c.r.Context()) == gate.NeverEnds {
			r.Due = c.whenDone(activatingTakes)
			r.Activated = r.Due
		}
	case "reject":
		if status != "approvalPending" {
			return wrong
		}
		r.Answer(t, false, 0, c.now)
	case "terminate":
		if status != "active" {
			return wrong
		}
		r.Status, r.Due = "terminationRequested", c.whenDone(terminatingTakes)
	default:
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The action %s is for the partner.", action)
	}
	return nil
}
