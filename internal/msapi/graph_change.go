package msapi

import (
	"context"
	"encoding/json"
	"net/http"

	"partnerguard/internal/token"
)

// Change writes to Graph: a POST, PATCH or DELETE of a path, which begins with a slash
// and the version, and body as JSON, or none. It gives the answer's body. A POST is sent
// once: after a lost reply nobody knows whether it was done.
func (g *Graph) Change(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	where := g.cloud.Graph + path
	kind, pc := graphPace(where)
	res, err := g.c.ask(ctx, call{
		service: graph, method: method, where: where, bearer: g.bearer, header: map[string]string{"client-request-id": token.GUID()}, body: body,
		how: conduct{what: "graph", tenant: g.tenant, kind: kind, pace: pc, again: method != http.MethodPost},
	})
	if err != nil {
		return nil, err
	}
	return res.body, nil
}
