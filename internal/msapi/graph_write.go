package msapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/token"
)

// Write is one change of an object of Graph.
type Write struct {
	Method  string // POST, PATCH or DELETE
	Path    string // begins with a slash and the version
	IfMatch string // the ETag that the object had when it was read; "" for none
	Body    any    // as JSON; nil for none
}

// Reply is an answer of Graph with what its headers say.
type Reply struct {
	Status     int             // of HTTP
	Body       json.RawMessage // nil where it is empty
	ETag       string          // of the object; from the header, else from @odata.etag
	Location   string          // path of what goes on or was made, beginning with a slash and the version; "" for none
	RetryAfter time.Duration
}

// Write sends a change once: after a lost reply nobody knows whether it was done, and the
// caller looks before it asks again. What was throttled was not done, and is sent again.
// A refusal is an [APIError]; its Status tells 409 (it is so already, or cannot be) from
// 412 (the object is not the one that was read).
//
// Source: Microsoft Graph v1.0, delegatedAdminRelationship (contracts.md section 3.11).
func (g *Graph) Write(ctx context.Context, w Write) (Reply, error) {
	header := map[string]string{"client-request-id": token.GUID()}
	if w.IfMatch != "" {
		header["If-Match"] = w.IfMatch
	}
	return g.answer(ctx, w.Method, w.Path, header, w.Body, false)
}

// Read reads one object with its ETag. A path that counts is an advanced query, which
// directory objects want a header for (contracts.md section 3.0).
func (g *Graph) Read(ctx context.Context, path string) (Reply, error) {
	header := map[string]string{"client-request-id": token.GUID(), "Prefer": "include-unknown-enum-members"}
	if strings.Contains(path, "$count=true") {
		header["ConsistencyLevel"] = "eventual"
	}
	return g.answer(ctx, http.MethodGet, path, header, nil, true)
}

func (g *Graph) answer(ctx context.Context, method, path string, header map[string]string, body any, again bool) (Reply, error) {
	where := g.cloud.Graph + path
	kind, pc := graphPace(where)
	res, err := g.c.ask(ctx, call{
		service: graph, method: method, where: where, bearer: g.bearer, header: header, body: body,
		how: conduct{what: "graph", tenant: g.tenant, kind: kind, pace: pc, again: again},
	})
	if err != nil {
		return Reply{}, err
	}
	return g.readReply(res)
}

func (g *Graph) readReply(res *sent) (Reply, error) {
	out := Reply{Status: res.status, Body: res.body, ETag: clip(res.header.Get("ETag")), RetryAfter: res.after}
	if len(res.body) == 0 {
		out.Body = nil
	} else {
		var in struct {
			ETag string `json:"@odata.etag"`
		}
		if json.Unmarshal(res.body, &in) != nil {
			return Reply{}, unreadable(graph)
		}
		if out.ETag == "" {
			out.ETag = clip(in.ETag)
		}
	}
	if strings.ContainsAny(out.ETag, "\r\n\x00") {
		out.ETag = ""
	}
	if at := res.header.Get("Location"); at != "" {
		if whole, ok := within(g.cloud.Graph, at, ""); ok { // a token is sent nowhere else
			out.Location = strings.TrimPrefix(whole, g.cloud.Graph)
		}
	}
	return out, nil
}
