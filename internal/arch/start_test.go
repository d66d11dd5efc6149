package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What a package of ours, and all of them together, may allocate before main begins, in
// bytes: every command pays for it. A page table or a set of patterns is made when it is
// first used instead (sync.OnceValue, pattern.Later).
const (
	mostInit    = 256 << 10
	mostAllInit = 2 << 20
)

var initLine = regexp.MustCompile(`(?m)^init (partnerguard/\S+) @.* (\d+) bytes,`)

// TestStart holds our packages to what they may allocate in init. Allocations are
// counted, not time, because they are the same on every machine.
func TestStart(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "partnerguard")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "../../cmd/partnerguard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), bin, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1", "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all, seen := 0, 0
	for _, m := range initLine.FindAllStringSubmatch(string(out), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if all += n; n > mostInit {
			t.Errorf("%s allocates %d bytes before main, %d are allowed: make it when it is first used", m[1], n, mostInit)
		}
	}
	if seen < 20 {
		t.Fatalf("only %d packages of ours in the trace", seen)
	}
	if all > mostAllInit {
		t.Errorf("our packages allocate %d bytes before main, %d are allowed", all, mostAllInit)
	}
}

// TestPatterns compiles every expression that is compiled when it is first used, so that
// none fails in use.
func TestPatterns(t *testing.T) {
	t.Parallel()
	tried := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || fun.Sel.Name != "Later" {
				return true
			}
			// Constants stand for parts of expressions; a dot is one of every kind of part.
			if _, err := regexp.Compile(textOf(call.Args[0])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			tried++
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tried < 70 {
		t.Fatalf("only %d expressions found", tried)
	}
}

// textOf joins the texts of an expression.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	}
	return "."
}
