package graph

import (
	"net/http"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

func newOperationShape(c *call) *shape {
	type o = world.RelationshipOperation
	return newShape("delegatedAdminRelationshipOperation", func(x any) string { return x.(o).ID },
		f("id", func(x o) any { return x.ID }),
		f("operationType", func(x o) any {
			if x.Type == "delegatedAdminRelationshipUpdate" && !c.unknown {
				return futureValue
			}
			return x.Type
		}),
		f("status", func(x o) any {
			switch {
			case !c.now.Before(x.Due) && x.Failed:
				return "failed"
			case !c.now.Before(x.Due):
				return "succeeded"
			case c.now.Equal(x.Created):
				return "notStarted"
			}
			return "running"
		}),
		f("createdDateTime", func(x o) any { return x.Created }),
		f("lastModifiedDateTime", func(x o) any {
			if c.now.Before(x.Due) {
				return x.Created
			}
			return x.Due
		}),
		f("data", func(x o) any { return x.Data }),
	)
}

func operationsContext(id string) string { return gdapBase + "('" + id + "')/operations" }

func listOperations(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	sh := newOperationShape(c)
	return c.list(t, operationsContext(r.ID), sh, slice(r.Operations, sh.key))
}

func getOperation(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	for _, x := range r.Operations {
		if strings.EqualFold(x.ID, c.params[1]) {
			rep, err := c.one(t, operationsContext(r.ID), newOperationShape(c), x)
			if err == nil && c.now.Before(x.Due) {
				rep.header = http.Header{"Retry-After": {"10"}}
			}
			return rep, err
		}
	}
	return nil, notFound(c.params[1])
}
