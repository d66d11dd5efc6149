package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// parts of a backup, as the hostile put them together.
type parts []struct{ name, body string }

func (p parts) tar(change ...func(*tar.Header)) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, x := range p {
		h := &tar.Header{Name: x.name, Mode: 0o600, Size: int64(len(x.body))}
		for _, f := range change {
			f(h)
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(x.body))
	}
	_ = w.Close()
	return out.Bytes()
}

// good is a small one that is read.
func good() parts {
	m := Manifest{Form: 1, Made: time.Unix(1, 0).UTC(), Database: db.SQLite, Schema: 1, Files: []File{{"settings", "/x"}},
		Tables: []db.Table{{Name: "told", Columns: []db.Column{{Name: "key", Kind: db.Text}, {Name: "at", Kind: db.Integer}}}}}
	raw, _ := json.Marshal(m)
	sum := func(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }
	a, b, f := "[\"a\",1]\n", "[\"b\",2]\n[\"c\",null]\n", "x"
	sums, _ := json.Marshal([]Sum{{"db/told", 3, int64(len(a + b)), sum(a + b)}, {"files/settings", 0, 1, sum(f)}})
	return parts{{manifestName, string(raw)}, {"db/told/000001.jsonl", a}, {"db/told/000002.jsonl", b}, {"files/settings", f}, {sumsName, string(sums)}}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	if b, err := readTar(bytes.NewReader(good().tar()), Sink{}); err != nil || b.Rows != 3 {
		t.Fatal(b, err)
	}
	edit := func(n int, from, to string) parts {
		p := good()
		was := p[n].body
		if p[n].body = strings.Replace(was, from, to, 1); p[n].body == was {
			t.Fatalf("part %d has no %q: %s", n, from, was)
		}
		return p
	}
	without := func(n int) parts { p := good(); return append(p[:n:n], p[n+1:]...) }
	named := func(n int, name string) parts { p := good(); p[n].name = name; return p }
	for name, raw := range map[string][]byte{
		"nothing":                  nil,
		"only an end":              parts{}.tar(),
		"no manifest":              without(0).tar(),
		"no sums":                  without(4).tar(),
		"a piece is missing":       without(1).tar(),
		"the last piece":           without(2).tar(),
		"no file":                  without(3).tar(),
		"a part more":              append(good(), parts{{"db/more/000001.jsonl", "[]\n"}}...).tar(),
		"a second manifest":        append(good(), good()[0]).tar(),
		"a name upwards":           named(3, "../../etc/passwd").tar(),
		"a name from the root":     named(3, "/etc/passwd").tar(),
		"a piece of another table": named(2, "db/settings/000002.jsonl").tar(),
		"a piece out of order":     named(2, "db/told/000003.jsonl").tar(),
		"a piece twice":            named(2, "db/told/000001.jsonl").tar(),
		"a newer form":             edit(0, `"form":1`, `"form":2`).tar(),
		"a table that is none":     edit(0, `"told"`, `"told; DROP TABLE told"`).tar(),
		"a column that is none":    edit(0, `"key"`, `"key) --"`).tar(),
		"a kind that is none":      edit(0, `"integer"`, `"real"`).tar(),
		"another database":         edit(0, `"sqlite"`, `"oracle"`).tar(),
		"a file that is none":      edit(0, `"settings"`, `"../x"`).tar(),
		"no JSON":                  edit(0, `{`, `[`).tar(),
		"a row too short":          edit(1, `,1`, ``).tar(),
		"a row too long":           edit(1, `1]`, `1,2]`).tar(),
		"a number as text":         edit(1, `1]`, `"1"]`).tar(),
		"a number too large":       edit(1, `1]`, `99999999999999999999]`).tar(),
		"a text as number":         edit(1, `"a"`, `5`).tar(),
		"a row without end":        edit(1, "]\n", "]").tar(),
		"another row":              edit(2, `"b"`, `"x"`).tar(),
		"another file":             edit(3, "x", "y").tar(),
		"another sum":              edit(4, `"rows":3`, `"rows":4`).tar(),
		"a link":                   good().tar(func(h *tar.Header) { h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, "/etc/passwd", 0 })[:2048],
		"cut":                      good().tar()[:1800],
		"bytes behind":             append(good().tar(), 1),
	} {
		if b, err := readTar(bytes.NewReader(raw), Sink{}); !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" {
			t.Errorf("%s: %v %+v", name, err, b.Sums)
		}
	}
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	_ = w.WriteHeader(&tar.Header{Name: manifestName, Size: 1 << 40})
	if _, err := readTar(bytes.NewReader(head.Bytes()), Sink{}); !errors.Is(err, problem.BadInput) {
		t.Errorf("a terabyte: %v", err)
	}
}

// TestBomb: little that unpacks to very much is given up early.
func TestBomb(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	begin := good()[:1].tar()
	_, _ = z.Write(begin[:len(begin)-1024])
	piece := "[\"" + strings.Repeat("a", pieceBytes-20) + "\",1]\n"
	const pieces = 60
	for i := range pieces {
		raw := parts{{fmt.Sprintf("db/told/%06d.jsonl", i+1), piece}}.tar()
		_, _ = z.Write(raw[:len(raw)-1024])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	in := &counted{ctx: t.Context(), r: &out}
	unpacked, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	rows := 0
	_, err = readTar(&bounded{r: unpacked, in: in, free: 1 << 20}, Sink{Row: func(db.Table, []any) error { rows++; return nil }})
	if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "times its size") || rows >= pieces-1 {
		t.Errorf("after %d rows: %v", rows, err)
	}
}

func FuzzTar(f *testing.F) {
	f.Add(good().tar())
	f.Add(good()[:2].tar())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := int64(0)
		b, err := readTar(bytes.NewReader(raw), Sink{Row: func(x db.Table, v []any) error {
			n++
			line, err := encodeRow(x, v)
			if err != nil {
				t.Errorf("%q was read and is not written: %v", v, err)
				return nil
			}
			again, err := decodeRow(x, bytes.TrimSuffix(line, []byte("\n")))
			if diff := cmp.Diff(v, again); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			return nil
		}})
		if err == nil && (n != b.Rows || b.check() != nil) {
			t.Errorf("%d rows of %d", n, b.Rows)
		}
	})
}
