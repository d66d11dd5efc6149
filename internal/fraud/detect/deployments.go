package detect

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Limits of a file of deployments.
const (
	maxWindowFile = 4 << 20
	maxWindows    = 20_000
	maxWindowList = 500 // of regions, sizes and the like of one
)

// Members of a declared deployment, in lower case, and what each is.
var windowMembers = map[string]string{
	"customer": "customer", "customertenantid": "customer", "tenant": "customer", "tenantid": "customer", "customerid": "customer",
	"subscription": "subs", "subscriptionid": "subs", "subscriptionids": "subs", "subscriptions": "subs",
	"from": "from", "start": "from", "begin": "from", "since": "from", "to": "to", "until": "to", "end": "to",
	"region": "regions", "regions": "regions", "location": "regions", "locations": "regions",
	"resourcetype": "types", "resourcetypes": "types", "type": "types", "types": "types", "sku": "sizes", "skus": "sizes", "size": "sizes", "sizes": "sizes",
	"vmsizes": "sizes", "meter": "meters", "meters": "meters", "caller": "callers", "callers": "callers", "by": "callers",
	"note": "note", "reason": "note", "description": "note", "ticket": "note", "owner": "note", "name": "note", "title": "note", "id": "note",
	"change": "note", "contact": "note", "approvedby": "note", "expectedcost": "note",
}

// ReadDeployments reads declared deployments, YAML or JSON: a list of them, or one under
// deployments. What it does not know, or what has no times or says of nobody, is refused with
// its line. name is for its errors. Kind problem.BadInput.
func ReadDeployments(name string, raw []byte) (out []Window, err error) {
	bad := func(line int, format string, args ...any) error {
		where := name
		if line > 0 {
			where = fmt.Sprintf("%s, line %d", name, line)
		}
		return problem.New(problem.BadInput, "%s: %s", where, fmt.Sprintf(format, args...)).
			WithHint("write deployments: and under it - customer: TENANT, subscription: ID, from: 2026-11-01, to: 2026-11-08; regions, skus, types, callers are optional")
	}
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			out, err = nil, bad(0, "not readable as YAML")
		}
	}()
	if len(raw) > maxWindowFile || !utf8.Valid(raw) {
		return nil, bad(0, "not UTF-8, or of more than 4 MiB")
	}
	if line := yamlguard.TooDeep(raw, 20, 60); line > 0 {
		return nil, bad(line, "nested deeper than deployments are")
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil || len(tree.Docs) > 1 {
		return nil, bad(0, "not readable as YAML")
	}
	if line, _ := yamlguard.First(tree, yamlguard.Expanding()...); line > 0 {
		return nil, bad(line, "anchors, aliases and tags have no place among deployments")
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil, nil
	}
	body := tree.Docs[0].Body
	if pairs := pairsOf(body); len(pairs) == 1 && strings.EqualFold(keyOf(pairs[0]), "deployments") {
		body = pairs[0].Value
	}
	list, ok := body.(*ast.SequenceNode)
	if !ok {
		if _, null := body.(*ast.NullNode); null {
			return nil, nil
		}
		return nil, bad(lineOf(body), "expected a list of deployments")
	}
	if len(list.Values) > maxWindows {
		return nil, bad(0, "it has at most %d deployments", maxWindows)
	}
	for _, n := range list.Values {
		w, line, why := readWindow(n)
		if why != "" {
			return nil, bad(line, "%s", why)
		}
		out = append(out, w)
	}
	return out, nil
}

// pairsOf are the members of a mapping.
func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func keyOf(p *ast.MappingValueNode) string {
	if t := p.Key.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// readWindow reads one deployment; why says what is wrong with it, and at which line.
func readWindow(n ast.Node) (w Window, line int, why string) {
	pairs := pairsOf(n)
	w.Line = lineOf(n)
	if len(pairs) == 0 {
		return w, w.Line, "expected a deployment"
	}
	w.Line = lineOf(pairs[0].Key)
	seen := map[string]bool{}
	for _, p := range pairs {
		key, line := keyOf(p), lineOf(p.Key)
		what := windowMembers[strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))]
		if what == "" {
			return w, line, fmt.Sprintf("%.40q is no member of a deployment", key)
		}
		if seen[what] && what != "note" {
			return w, line, fmt.Sprintf("%.40q says again what was said", key)
		}
		seen[what] = true
		texts, ok := textsOf(p.Value)
		if !ok && what != "note" || len(texts) > maxWindowList {
			return w, line, fmt.Sprintf("%.40q is neither a text nor a list of them", key)
		}
		if why := w.set(what, texts); why != "" {
			return w, line, why
		}
	}
	switch {
	case w.From.IsZero() || w.To.IsZero():
		return w, w.Line, "it lacks from or to"
	case !w.From.Before(w.To):
		return w, w.Line, "it ends before it begins"
	case w.Customer == "" && len(w.Subscriptions) == 0:
		return w, w.Line, "it names neither a customer nor a subscription"
	}
	return w, 0, ""
}

// textsOf is a scalar, or a list of them.
func textsOf(n ast.Node) (out []string, ok bool) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			s, ok := textsOf(v)
			if !ok || len(s) != 1 {
				return nil, false
			}
			out = append(out, s...)
		}
		return out, true
	case *ast.NullNode:
		return nil, true
	case *ast.LiteralNode:
		return []string{strings.TrimSpace(n.Value.Value)}, true
	case ast.ScalarNode:
		return []string{strings.TrimSpace(n.GetToken().Value)}, true
	}
	return nil, false
}

// set takes a member.
func (w *Window) set(what string, texts []string) string {
	lower := make([]string, 0, len(texts))
	for _, t := range texts {
		if t = strings.ToLower(t); t != "" && t != "*" {
			lower = append(lower, t)
		}
	}
	switch what {
	case "customer":
		if len(texts) > 1 {
			return "a deployment is of one customer: write one for each"
		}
		if len(lower) == 1 {
			w.Customer = lower[0]
		}
	case "subs":
		for _, s := range lower {
			w.Subscriptions = append(w.Subscriptions, lowerID(s))
		}
	case "regions":
		for _, s := range lower {
			w.Regions = append(w.Regions, regionName(s))
		}
	case "types":
		w.Types = lower
	case "sizes":
		w.Sizes = lower
	case "meters":
		w.Meters = lower
	case "callers":
		w.Callers = lower
	case "note":
		w.Note = strings.Join(texts, ", ")
	case "from", "to":
		return w.time(what, texts)
	}
	return ""
}

// time reads an end of the window; a day is meant to its end.
func (w *Window) time(what string, texts []string) string {
	if len(texts) != 1 {
		return what + " is one time"
	}
	t, ok := clock(texts[0])
	if !ok {
		return fmt.Sprintf("%s is %.40q, which is no time", what, texts[0])
	}
	if what == "from" {
		w.From = t
		return ""
	}
	if len(texts[0]) == len("2006-01-02") {
		t = t.Add(24 * time.Hour)
	}
	w.To = t
	return ""
}
