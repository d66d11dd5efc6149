package graph

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

// How long the passing states of delegated admin relationships take here (ours).
const (
	activatingTakes  = world.ActivatingTakes
	terminatingTakes = 2 * time.Minute
	assigningTakes   = 30 * time.Second
	operationTakes   = 20 * time.Second
)

const gdapBase = "tenantRelationships/delegatedAdminRelationships"

func etag(id string, n int64) string {
	return `W/"` + base64.StdEncoding.EncodeToString([]byte("'"+world.HashSecret(id)[:12]+"-"+strconv.FormatInt(n, 16)+"'")) + `"`
}

// ifMatch checks If-Match against an object's version.
func (c *call) ifMatch(id string, n int64) error {
	v := strings.TrimSpace(c.r.Header.Get("If-Match"))
	switch {
	case v == "":
		return refuse(http.StatusBadRequest, "BadRequest", "The If-Match header with the last known ETag is required.")
	case v != "*" && v != etag(id, n):
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed",
			"The ETag in the If-Match header is not that of the object: it was changed in the meantime.")
	}
	return nil
}

// shownStatus is a relationship's status with the states that it passes through.
func shownStatus(r *world.Relationship, now time.Time) string {
	st := r.StatusAt(now)
	if st == "terminationRequested" && !r.Due.IsZero() && r.Due.Sub(now) <= terminatingTakes/2 {
		return "terminating"
	}
	return st
}

func unifiedRoles(ids []string) object {
	out := make([]object, 0, len(ids))
	for _, id := range ids {
		out = append(out, object{{"roleDefinitionId", id}})
	}
	return object{{"unifiedRoles", out}}
}

func newRelationshipShape(now func() time.Time) *shape {
	type r = *world.Relationship
	sh := newShape("delegatedAdminRelationship", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("displayName", func(x r) any { return x.Name }),
		f("duration", func(x r) any { return x.Duration }),
		f("customer", func(x r) any {
			if x.Customer == "" {
				return nil
			}
			return object{{"tenantId", x.Customer}, {"displayName", x.CustomerName}}
		}),
		f("accessDetails", func(x r) any { return unifiedRoles(x.Roles) }),
		f("status", func(x r) any { return shownStatus(x, now()) }),
		f("autoExtendDuration", func(x r) any {
			if x.AutoExtend == "" {
				return "PT0S"
			}
			return x.AutoExtend
		}),
		f("createdDateTime", func(x r) any { return x.Created }),
		f("lastModifiedDateTime", func(x r) any { return later(x.Changed, x.Created) }),
		f("activatedDateTime", func(x r) any {
			if x.Activated.After(now()) {
				return nil
			}
			return x.Activated
		}),
		f("endDateTime", func(x r) any { return x.EndAt(now()) }),
		f("indirectProviderTenantId", func(x r) any { return x.Provider }),
		f("isPartnerConsentPending", func(x r) any { return x.ConsentPending }),
	)
	sh.etag = func(x any) string { return etag(x.(r).ID, x.(r).ETag) }
	sh.kind = func(x any) string {
		if x.(r).Provider != "" {
			return resellerRelationship
		}
		return "delegatedAdminRelationship"
	}
	return sh
}

// resellerRelationship is the derived type of what an indirect provider made for its
// reseller.
const resellerRelationship = "resellerDelegatedAdminRelationship"

func newAssignmentShape(now func() time.Time) *shape {
	type a = *world.AccessAssignment
	sh := newShape("delegatedAdminAccessAssignment", func(x any) string { return x.(a).ID },
		f("id", func(x a) any { return x.ID }),
		f("status", func(x a) any { return x.StatusAt(now()) }),
		f("createdDateTime", func(x a) any { return x.Created }),
		f("lastModifiedDateTime", func(x a) any { return later(x.Changed, x.Created) }),
		f("accessContainer", func(x a) any {
			return object{{"accessContainerId", x.Group}, {"accessContainerType", "securityGroup"}}
		}),
		f("accessDetails", func(x a) any { return unifiedRoles(x.Roles) }),
	)
	sh.etag = func(x any) string { return etag(x.(a).ID, x.(a).ETag) }
	return sh
}

func findRelationship(c *call, _ *world.State, t *world.Tenant) (*world.Relationship, error) {
	if r := t.Relationships.Get(c.params[0]); r != nil && !r.CleanedUp(c.now) {
		return r, nil
	}
	return nil, refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin relationship '%s' does not exist.", clip(c.params[0]))
}

func relationshipShape(c *call) *shape {
	return newRelationshipShape(func() time.Time { return c.now })
}

func listRelationships(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, gdapBase, relationshipShape(c), rowsWhere(&t.Relationships, func(r *world.Relationship) bool {
		return !r.CleanedUp(c.now)
	}))
}

// whenDone is when something that takes so long is done: never, where a fault says so.
func (c *call) whenDone(takes time.Duration) time.Time {
	if gate.FateOf(c.r.Context()) == gate.NeverEnds {
		return c.now.AddDate(100, 0, 0)
	}
	return c.now.Add(takes)
}

// fails reports a fault by which what is begun ends in failure.
func (c *call) fails() bool { return gate.FateOf(c.r.Context()) == gate.EndsBadly }

func getRelationship(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	rep, err := c.one(t, gdapBase, relationshipShape(c), r)
	if err == nil {
		rep.header = http.Header{"Etag": {etag(r.ID, r.ETag)}}
	}
	return rep, err
}
