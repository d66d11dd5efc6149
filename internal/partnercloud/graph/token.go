package graph

import (
	"encoding/json"
	"partnerguard/internal/partnercloud/graph/odata"
	"strings"
)

// position is what a page or delta token says. It is signed and bound to the
// query and the tenant it was made for.
type position struct {
	After string `json:"a,omitempty"` // key of the last row given
	At    int    `json:"i"`           // where it was
	Time  int64  `json:"t,omitempty"` // of the last row, Unix nanoseconds
	// Delta is the change number that a delta query has come to; Phase says
	// whether rows or deletions are being read.
	Delta int64  `json:"d,omitempty"`
	Upto  int64  `json:"u,omitempty"`
	Phase int    `json:"p,omitempty"`
	Made  int64  `json:"m,omitempty"` // Unix seconds, of delta tokens
	Query string `json:"q,omitempty"` // of delta tokens: the options to keep
}

// goodFor is what a token is good for: tenant and path, and a page's query too.
func (c *call) goodFor(kind string) string {
	bind := kind + "\x00" + c.caller.Tenant + "\x00" + c.version() + "\x00" + strings.ToLower(strings.Join(c.path, "/"))
	if kind == "page" {
		bind += "\x00" + c.q.Canonical
	}
	return bind
}

func (c *call) seal(kind string, p position) string {
	payload, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return c.g.tokens.Seal(c.goodFor(kind), payload)
}

// open reads a token of ours; ok is false for any other.
func (c *call) open(kind, token string) (p position, ok bool) {
	payload, ok := c.g.tokens.Open(c.goodFor(kind), token)
	return p, ok && json.Unmarshal(payload, &p) == nil
}

// resume is where a page begins; the zero position without a token.
func (c *call) resume() (position, error) {
	if !c.q.Has("$skiptoken") {
		return position{}, nil
	}
	p, ok := c.open("page", c.q.SkipToken)
	if !ok {
		return p, refuse(400, "BadRequest", "The skip token is not valid for this request.")
	}
	return p, nil
}

// nextLink is the URL of the next page: the same query with a token.
func (c *call) nextLink(p position) string {
	raw := c.r.URL.RawQuery
	var keep []string
	for part := range strings.SplitSeq(raw, "&") {
		k, _, _ := strings.Cut(part, "=")
		if k = odata.Option(strings.ReplaceAll(k, "%24", "$"), c.beta); part != "" && k != "$skiptoken" {
			keep = append(keep, part)
		}
	}
	keep = append(keep, "$skiptoken="+c.seal("page", p))
	return c.here() + "?" + strings.Join(keep, "&")
}

// here is the request's URL without its query.
func (c *call) here() string { return c.base + "/" + strings.Trim(c.r.URL.EscapedPath(), "/") }
