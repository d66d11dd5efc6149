package attack

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tests gives the names of all tests and fuzz targets of the tree, with the
// folders they are in.
func tests(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, root := range []string{"../../internal", "../../conformance", "../../e2e", "../../cmd", "../../verify"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, d := range f.Decls {
				if x, ok := d.(*ast.FuncDecl); ok && x.Recv == nil && (strings.HasPrefix(x.Name.Name, "Test") || strings.HasPrefix(x.Name.Name, "Fuzz")) {
					out[x.Name.Name] = append(out[x.Name.Name], filepath.Base(filepath.Dir(path)))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var (
	named = regexp.MustCompile(`(?:\b(\w+)(?:\.|: ))?\b((?:Test|Fuzz)[A-Z]\w*)`)
	row   = regexp.MustCompile(`^\|.*\|$`)
	rule  = regexp.MustCompile(`^\|[ |:-]+\|$`)
)

// TestNamedTestsExist reads what docs/security*.md promises: each test that is
// named exists, and each row of a table of what somebody cannot do names one.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	have := tests(t)
	list, err := filepath.Glob("../../docs/security*.md")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	seen := 0
	for _, path := range list {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n, inside, head := 1, false, ""; lines.Scan(); n++ {
			text := lines.Text()
			if rule.MatchString(text) {
				inside = strings.Contains(head, "cannot")
				continue
			}
			head = text
			all := named.FindAllStringSubmatch(text, -1)
			if inside = inside && row.MatchString(text); inside && len(all) == 0 {
				t.Errorf("%s:%d: a row without a test: %s", filepath.Base(path), n, text)
			}
			for _, m := range all {
				seen++
				if !found(have[m[2]], m[1]) {
					t.Errorf("%s:%d: there is no test %s in %q (it is in %q)", filepath.Base(path), n, m[2], m[1], have[m[2]])
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d tests were found to be named", seen)
	}
}

// found says whether a package, or any when it is not named, has it.
func found(packages []string, want string) bool {
	for _, p := range packages {
		if want == "" || p == want {
			return true
		}
	}
	return false
}
