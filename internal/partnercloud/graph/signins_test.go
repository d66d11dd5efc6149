package graph

import (
	"slices"
	"strings"
	"testing"
)

// The log can be read from its older end, page by page, with nothing twice.
func TestSignInsInEitherOrder(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	read := func(order string) (out []string) {
		path := "/v1.0/auditLogs/signIns?$top=2&$orderby=createdDateTime" + order
		for path != "" {
			a := l.get(path, tok)
			for _, r := range a.rows() {
				out = append(out, str(r, "createdDateTime"))
			}
			path = strings.TrimPrefix(str(a.body, "@odata.nextLink"), "http://graph.test")
		}
		return out
	}
	up, down := read(" asc"), read(" desc")
	if len(up) != 4 || !slices.IsSorted(up) {
		t.Fatalf("ascending: %v", up)
	}
	slices.Reverse(down)
	if !slices.Equal(up, down) || !slices.Equal(up, read("")) {
		t.Errorf("%v and %v", up, down)
	}
	l.get("/v1.0/auditLogs/signIns?$orderby=userDisplayName", tok).want(400)
}
