package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Limits of the house.
const (
	maxLines   = 500 // of a file
	maxFunc    = 80  // lines of a function, unless its comment says why it is long
	maxColumns = 160 // of a line; a tab is four
)

// TestLimits holds files, functions and lines to what a reader can take in. Tests
// may have long tables; their lines and files are held too.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(s.path)))
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range limits(string(text), s.test || strings.HasSuffix(s.dir, "test")) {
			t.Errorf("%s: %s", s.path, fault)
		}
	}
}

func TestLimitsAreSeen(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("\t_ = 0\n", maxFunc)
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"a long file":               {"package p\n" + strings.Repeat("\n", maxLines), 1},
		"a long function":           {"package p\n\n// f does.\nfunc f() {\n" + body + "}\n", 1},
		"one that says why":         {"package p\n\n// f does. It is long because it is a table.\nfunc f() {\n" + body + "}\n", 0},
		"a long line":               {"package p\n\n// " + strings.Repeat("x ", maxColumns/2) + "\n", 1},
		"tabs are wide":             {"package p\n\nvar (\n" + strings.Repeat("\t", maxColumns/4+1) + "x int\n)\n", 1},
		"a raw text may be as wide": {"package p\n\nvar x = `" + strings.Repeat("x", maxColumns) + "`\n", 0},
	} {
		if got := limits(c.text, false); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// limits says what of a file is too long.
func limits(text string, test bool) (faults []string) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > maxLines {
		faults = append(faults, "it has more than 500 lines: cut it at a seam")
	}
	raw := map[int]bool{} // lines that a raw text or a tag stands on
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.STRING && strings.HasPrefix(n.Value, "`") {
				for l := fset.Position(n.Pos()).Line; l <= fset.Position(n.End()).Line; l++ {
					raw[l] = true
				}
			}
		case *ast.FuncDecl:
			long := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line
			if !test && long > maxFunc && !strings.Contains(strings.Join(strings.Fields(n.Doc.Text()), " "), "is long because") {
				faults = append(faults, n.Name.Name+" has more than 80 lines, and its comment does not say that it is long because")
			}
		}
		return true
	})
	for i, l := range lines {
		if w := utf8.RuneCountInString(l) + 3*strings.Count(l, "\t"); w > maxColumns && !raw[i+1] {
			faults = append(faults, "a line of more than 160 columns: "+fmt.Sprintf("%.40s", strings.TrimSpace(l)))
		}
	}
	return faults
}
