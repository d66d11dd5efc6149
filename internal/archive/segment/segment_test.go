package segment_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/problem"
)

const tenant = "11111111-2222-3333-4444-555555555555"

var at = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// memory is an object in memory.
type memory []byte

func (m memory) Range(_ context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off > int64(len(m)) {
		return nil, errors.New("no such range")
	}
	return io.NopCloser(bytes.NewReader(m[off:min(int64(len(m)), off+n)])), nil
}

func page(n int, body string) *segment.Page {
	return &segment.Page{Tenant: tenant, Resource: "users", Run: "r1", Number: n, Request: "GET /v1.0/users", Status: 200, At: at, Body: []byte(body)}
}

func write(t testing.TB, bodies ...string) ([]byte, segment.Done) {
	t.Helper()
	var out bytes.Buffer
	w, err := segment.NewWriter(&out, "s1", tenant, at)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bodies {
		if err := w.Page(page(i, b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(&segment.Run{ID: "r1", Tenant: tenant, Resource: "users", Way: segment.Whole, Ended: at, Whole: true, Pages: len(bodies)}); err != nil {
		t.Fatal(err)
	}
	d, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), d
}

// read reads everything of an object that is held to nothing but itself.
func read(b []byte, root string) (pages []string, err error) {
	r, err := segment.NewReader(context.Background(), memory(b), int64(len(b)), root)
	if err != nil {
		return nil, err
	}
	err = r.All(context.Background(), func(e *segment.Entry) error {
		if err := e.Check(); err != nil {
			return err
		}
		if e.Page != nil {
			pages = append(pages, string(e.Page.Body))
		}
		return nil
	})
	return pages, err
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 3000 {
		many = append(many, strings.Repeat(fmt.Sprintf(`{"id":"%d"}`, i), i%50))
	}
	for name, bodies := range map[string][]string{
		"none": {}, "empty": {""}, "one": {"{}"}, "many": many, "large": {strings.Repeat("x", 5<<20), "y"}, "lines": {"\n\n{\n}\n"},
	} {
		b, d := write(t, bodies...)
		got, err := read(b, d.Root)
		if err != nil || strings.Join(got, "|") != strings.Join(bodies, "|") || len(got) != len(bodies) || int64(len(b)) != d.Size {
			t.Errorf("%s: %d pages, %v", name, len(got), err)
		}
		// The whole object is a stream that any zstd reads.
		z, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); err != nil || !bytes.HasPrefix(text, []byte(`{"format":1,"name":"s1"`)) {
			t.Errorf("%s: %.60q %v", name, text, err)
		}
		z.Close()
	}
}

// What is read back is bounded, and refused with words, whatever it is.
func TestHostile(t *testing.T) {
	t.Parallel()
	good, d := write(t, `{"value":[1]}`, `{"value":[2]}`)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	manifest := func(text string) []byte {
		b := append([]byte{}, good[:60]...)
		m := enc.EncodeAll([]byte(text), nil)
		tail := append([]byte{}, good[len(good)-32:]...)
		binary.BigEndian.PutUint64(tail[16:], 60)
		binary.BigEndian.PutUint64(tail[24:], uint64(len(m)))
		return append(append(b, m...), tail...)
	}
	tail := func(at, size uint64) []byte {
		b := append([]byte{}, good...)
		binary.BigEndian.PutUint64(b[len(b)-16:], at)
		binary.BigEndian.PutUint64(b[len(b)-8:], size)
		return b
	}
	bomb := enc.EncodeAll(make([]byte, 200<<20), nil)
	frames := `{"format":1,"name":"s1","tenant":"` + tenant + `","pages":1,"bytes":1,"root":"x","leaves":"","parts":[],"frames":`
	for name, c := range map[string]struct {
		b    []byte
		says string
	}{
		"nothing":           {nil, "no segment has"},
		"too short":         {good[:20], "no segment has"},
		"text":              {bytes.Repeat([]byte("text "), 100), "does not end as a segment does"},
		"cut":               {good[:len(good)-1], "does not end as a segment does"},
		"manifest behind":   {tail(1<<40, 1), "where it cannot"},
		"manifest overflow": {tail(1<<63, 1<<63), "where it cannot"},
		"no zstd":           {append(bytes.Repeat([]byte{1}, 100), tail(0, 100)[len(good)-32:]...), "cannot be decompressed"},
		"no JSON":           {manifest("{"), "not what this program writes"},
		"unknown member":    {manifest(frames + `[],"more":1}`), "not what this program writes"},
		"twice":             {manifest(frames + `[],"frames":[]}`), "not what this program writes"},
		"other format":      {manifest(strings.Replace(frames, `"format":1`, `"format":2`, 1) + `[]}`), "of the form 2"},
		"no name":           {manifest(strings.Replace(frames, "s1", "../x", 1) + `[]}`), "no name"},
		"huge frame":        {manifest(frames + `[{"at":15,"size":9223372036854775807,"raw":1,"entries":1}]}`), "lies where it cannot"},
		"negative frame":    {manifest(frames + `[{"at":15,"size":-1,"raw":1,"entries":1}]}`), "lies where it cannot"},
		"huge raw":          {manifest(frames + `[{"at":15,"size":45,"raw":1099511627776,"entries":1}]}`), "lies where it cannot"},
		"gap":               {manifest(frames + `[{"at":15,"size":4,"raw":9,"entries":1}]}`), "do not fill it"},
		"entries":           {manifest(frames + `[{"at":15,"size":45,"raw":9,"entries":1000000}]}`), "do not fill it"},
		"no leaves":         {manifest(frames + `[{"at":15,"size":45,"raw":9,"entries":1}]}`), "are no list of hashes"},
		"other root":        {good, "root is not the recorded one"},
		"bomb":              {append(append([]byte{}, bomb...), tail(0, uint64(len(bomb)))[len(good)-32:]...), "cannot be decompressed"},
	} {
		root := ""
		if name == "other root" {
			root = strings.Repeat("0", 64)
		}
		if name == "bomb" {
			binary.BigEndian.PutUint64(c.b[len(c.b)-16:], 0)
		}
		_, err := read(c.b, root)
		if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := read(good, d.Root); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*segment.Page){
		"no tenant":       func(p *segment.Page) { p.Tenant = "" },
		"path for tenant": func(p *segment.Page) { p.Tenant = "../../etc" },
		"other tenant":    func(p *segment.Page) { p.Tenant = "other" },
		"resource":        func(p *segment.Page) { p.Resource = "Users/x" },
		"run":             func(p *segment.Page) { p.Run = "a b" },
		"number":          func(p *segment.Page) { p.Number = -1 },
		"status":          func(p *segment.Page) { p.Status = 0 },
		"no moment":       func(p *segment.Page) { p.At = time.Time{} },
		"a far moment":    func(p *segment.Page) { p.At = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
		"control":         func(p *segment.Page) { p.Request = "GET /\n" },
		"no text":         func(p *segment.Page) { p.Of = "\xff" },
		"long":            func(p *segment.Page) { p.Request = strings.Repeat("x", 20<<10) },
		"a token":         func(p *segment.Page) { p.Request = "GET /v1.0/users?access_token=abc" },
		"a signature":     func(p *segment.Page) { p.Request = "GET /x?sv=1&sig=abc" },
		"a JWT":           func(p *segment.Page) { p.RequestID = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOi" },
		"a large body":    func(p *segment.Page) { p.Body = make([]byte, segment.MaxBody+1) },
	} {
		var out bytes.Buffer
		w, err := segment.NewWriter(&out, "s1", tenant, at)
		if err != nil {
			t.Fatal(err)
		}
		p := page(0, "{}")
		change(p)
		if err := w.Page(p); err == nil || !w.Empty() {
			t.Errorf("%s is taken: %v", name, err)
		}
		if err := w.Page(page(0, "{}")); err != nil || w.Pages() != 1 { // and the rest is as it was
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead: whatever an object holds, reading it ends, with an error or with pages
// that fit its root.
func FuzzRead(f *testing.F) {
	b, _ := write(f, `{"value":[1]}`, "", strings.Repeat("y", 1000))
	f.Add(b)
	f.Add(b[:len(b)-5])
	for i := 0; i < len(b); i += 7 {
		c := bytes.Clone(b)
		c[i] ^= 0x55
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pages, err := read(b, "")
		if err == nil {
			total := 0
			for _, p := range pages {
				total += len(p)
			}
			if total > 1<<30 {
				t.Error("so much of so little")
			}
		} else if !errors.Is(err, problem.BadInput) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// FuzzLine: a line of an entry is read strictly.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"page":{"tenant":"t","resource":"users","run":"r1","number":0,"request":"GET /","status":200,"at":"2026-01-01T00:00:00Z","bytes":2,"sha256":"x"}}`))
	f.Add([]byte(`{"run":{"id":"r1","tenant":"t","resource":"users","way":"whole","ended":"2026-01-01T00:00:00Z","whole":true,"pages":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := segment.ParseLine(b)
		if err != nil {
			return
		}
		if size := e.Said().Bytes; size < 0 || size > segment.MaxBody || (e.Page == nil) == (e.Run == nil) {
			t.Errorf("%+v %d", e, size)
		}
	})
}
