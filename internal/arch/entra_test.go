package arch

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// spelled lists files that may spell what entra has, each with its reason.
// Packages for tests may too.
var spelled = map[string]string{}

var (
	guids  = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	host   = regexp.MustCompile(`^(?:https://)?((?:[a-z0-9-]+\.)+[a-z]{2,})/?$`)
	aadsts = regexp.MustCompile(`aadsts[0-9]{5,}`)
)

// microsofts are the ids, hosts and numbers that entra's own source spells.
func microsofts(t *testing.T, all []source) (ids, hosts, codes map[string]bool) {
	t.Helper()
	ids, hosts, codes = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range all {
		if s.dir != "entra" || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			if lit.Kind == token.INT && len(lit.Value) >= 5 {
				codes[lit.Value] = true
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, id := range guids.FindAllString(text, -1) {
				ids[id] = true
			}
			if m := host.FindStringSubmatch(text); m != nil {
				hosts[m[1]] = true
			}
			return true
		})
	}
	if len(ids) < 200 || len(hosts) < 20 || len(codes) < 120 {
		t.Fatalf("only %d ids, %d hosts and %d codes in entra: the walk is broken", len(ids), len(hosts), len(codes))
	}
	return ids, hosts, codes
}

// TestMicrosoftsConstantsStandInEntra fails where a well-known id, a host of
// Microsoft's or an AADSTS number is spelled instead of named.
func TestMicrosoftsConstantsStandInEntra(t *testing.T) {
	t.Parallel()
	all := sources(t)
	ids, hosts, codes := microsofts(t, all)
	used := map[string]bool{}
	for _, s := range all {
		if s.test || s.dir == "entra" || strings.HasSuffix(s.dir, "test") {
			continue
		}
		fault := func(format string, args ...any) {
			for _, where := range []string{s.path, s.dir} {
				if spelled[where] != "" {
					used[where] = true
					return
				}
			}
			t.Errorf("%s: "+format+": take it from entra", append([]any{s.path}, args...)...)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			switch {
			case !ok:
			case lit.Kind == token.INT && codes[lit.Value]:
				fault("the AADSTS code %s", lit.Value)
			case lit.Kind == token.STRING:
				text := strings.ToLower(lit.Value)
				if s.top == "cli" && strings.Contains(text, " ") {
					return true // help and examples show what people paste
				}
				for _, id := range guids.FindAllString(text, -1) {
					if ids[id] {
						fault("the well-known id %s", id)
					}
				}
				if code := aadsts.FindString(text); code != "" {
					fault("the code %s", code)
				}
				for h := range hosts {
					if strings.Contains(text, h) {
						fault("the host %s in %.60s", h, lit.Value)
						break
					}
				}
			}
			return true
		})
	}
	for where := range spelled {
		if !used[where] {
			t.Errorf("%s spells nothing of Microsoft's: it needs no leave", where)
		}
	}
}
