package kit

import (
	"bytes"
	"testing"
)

func TestTableIsSafeAndAligned(t *testing.T) {
	t.Parallel()
	type row struct{ a, b, c string }
	var out bytes.Buffer
	Table(&out, Paint{}, []row{{"x\x1b[31m", "", "1"}, {"日本", "", "22"}, {"", "", ""}},
		Col("a", func(r *row) string { return r.a }), Col("empty", func(r *row) string { return r.b }), Col("c", func(r *row) string { return r.c }))
	if want := "  a     c\n  x     1\n  日本  22\n  -     -\n"; out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
}
