package yamlguard

import (
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

func TestTooDeep(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                                      0,
		"a: [1, [2]]\n":                         0,
		"a: 1\nb: " + strings.Repeat("[", 6):    2,
		"a: " + strings.Repeat("[]", 100):       0,
		"a:\n" + strings.Repeat(" ", 11) + "b:": 2,
		strings.Repeat("- ", 6) + "x":           1,
		"a: x                  y":               0, // not at the beginning
	} {
		if got := TooDeep([]byte(text), 5, 10); got != want {
			t.Errorf("%q: line %d, want %d", text, got, want)
		}
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"a: 1\nb: two\n":                 0,
		"a: &x 1\nb: 2\n":                1,
		"a: 1\nb: *x\n":                  2,
		"a: 1\nb:\n  - c: !!str d\n":     3,
		"a: {b: 1}\nc:\n  <<: {d: 2}\n":  3,
		"---\na: 1\n---\nb: &y [1, 2]\n": 4,
	} {
		f, err := parser.ParseBytes([]byte(text), 0)
		if err != nil {
			t.Fatal(text, err)
		}
		line, kind := First(f, Expanding()...)
		if line != want || want > 0 && !slices.Contains(Expanding(), kind) {
			t.Errorf("%q: %s on line %d, want line %d", text, kind, line, want)
		}
	}
	f, _ := parser.ParseBytes([]byte("a: x\nb: 17\n"), 0)
	if line, kind := First(f, ast.IntegerType); line != 2 || kind != ast.IntegerType {
		t.Errorf("%s on line %d", kind, line)
	}
}

func FuzzTooDeep(f *testing.F) {
	f.Add("a: [[1]]\n  - b")
	f.Fuzz(func(t *testing.T, s string) {
		line := TooDeep([]byte(s), 20, 60)
		if line < 0 || line > 1+strings.Count(s, "\n") {
			t.Errorf("line %d", line)
		}
	})
}
