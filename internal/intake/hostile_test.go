package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/unicode"

	"partnerguard/internal/evidence"
)

// TestHostile: what nobody should send is noted and never believed.
func TestHostile(t *testing.T) {
	t.Parallel()
	nest := func(n int) string {
		return strings.Replace(user(1), `"u1"`, strings.Repeat("[", n)+strings.Repeat("]", n), 1)
	}
	wide := strings.TrimSuffix(strings.Repeat("column,", 10000), ",")
	for _, c := range []struct {
		name   string
		text   string
		status evidence.Status
		kinds  string
		note   string
	}{
		{"empty", "", evidence.Unreadable, "", "the file is empty"},
		{"only a BOM", "\xef\xbb\xbf", evidence.Unreadable, "", "the file is empty"},
		{"only a UTF-16 BOM", "\xff\xfe", evidence.Unreadable, "", "the file is empty"},
		{"white space", " \n\t\r\n", evidence.Unreadable, "", "nothing but white space"},
		{"much white space", strings.Repeat(" \n", 5000), evidence.NotRecognised, "", "nothing in it"},
		{"one brace", "{", evidence.Unreadable, "", "line 1, byte 1: the text ends here, expected a name"},
		{"empty object", "{}", evidence.NotRecognised, "", "an empty object"},
		{"empty array", "[]", evidence.NotRecognised, "", "an empty list"},
		{"deep enough", nest(500), evidence.Read, "1 user", ""},
		{"too deep", nest(513) + "\n" + user(2), evidence.Partial, "1 user", "nested deeper than 512"},
		{"too deep in a list", "[" + nest(513) + "," + user(2) + "]", evidence.Partial, "1 user", "nested deeper than 512"},
		{"endless brackets", strings.Repeat("[", 1<<20), evidence.Unreadable, "", "no nesting deeper than"},
		{"endless objects", strings.Repeat(`{"a":`, 1<<18), evidence.Unreadable, "", "no nesting deeper than"},
		{"a NUL inside a text", `{"id":"` + "\x00" + `"}`, evidence.Unreadable, "", "found a NUL byte"},
		{"NULs behind", user(1) + "\n" + strings.Repeat("\x00", 5000), evidence.Partial, "1 user", "found a NUL byte"},
		{"only NULs", strings.Repeat("\x00", 5000), evidence.NotRecognised, "", "binary data"},
		{"equal keys", `{"id":"a","id":"b","userPrincipalName":"x","displayName":"y"}`, evidence.Read, "1 user", ""},
		{"wrong types", `{"value":[1,"x",null,true,[],{}]}`, evidence.NotRecognised, "", "single values"},
		{"wrong types in a page", `{"@odata.context":7,"@odata.nextLink":{},"value":{"value":[]},"links":[]}`, evidence.NotRecognised, "", "an empty list"},
		{"lone surrogate", `{"id":"\ud800","userPrincipalName":"\udc00\ud800","displayName":"y"}`, evidence.Read, "1 user", ""},
		{"lone surrogate in UTF-16", string(utf16Bytes(`{"id":"`, unicode.LittleEndian, unicode.IgnoreBOM)) + "\x00\xd8" +
			string(utf16Bytes(`","userPrincipalName":"x","displayName":"y"}`, unicode.LittleEndian, unicode.IgnoreBOM)), evidence.Read, "1 user", ""},
		{"UTF-16 cut inside a character", string(utf16Bytes(user(1), unicode.LittleEndian, unicode.IgnoreBOM)) + "\n", evidence.Partial, "1 user", "expected"},
		{"invalid UTF-8", "{\"id\":\"\xff\xfe\",\"userPrincipalName\":\"\xc3\x28\",\"displayName\":\"y\"}", evidence.Read, "1 user", ""},
		{"csv of invalid UTF-8", "userPrincipalName,displayName\nx,\xe4\n", evidence.Partial, "1 user", "not UTF-8"},
		{"10,000 columns", wide + "\n" + wide, evidence.Unreadable, "", "more than 2000 columns"},
		{"10,000 cells", "userPrincipalName,displayName\n" + wide + "\nx,y\n", evidence.Partial, "1 user", "the row was skipped"},
		{"an open quote", "userPrincipalName,displayName\nx,y\nz,\"" + strings.Repeat("q\n", 100), evidence.Partial, "1 user", "never closed"},
		{"comments", `{"id":1, // no` + "\n}", evidence.Unreadable, "", "expected a name in double quotes after ',', found '/'"},
		{"single quotes", `{'id':1}`, evidence.Unreadable, "", "expected a name in double quotes"},
		{"bare words", `{"id":undefined}`, evidence.Unreadable, "", "expected a value, found 'u'"},
		{"NaN", `{"id":NaN}`, evidence.Unreadable, "", "expected a value, found 'N'"},
		{"numbers", `{"id":01}`, evidence.Unreadable, "", "expected ',' or '}', found '1'"},
		{"a bare newline in a text", "{\"id\":\"a\nb\"}", evidence.Unreadable, "", "control character"},
		{"an escape that is none", `{"id":"\x41"}`, evidence.Unreadable, "", "after a backslash"},
		{"half an escape", `{"id":"\u00g0"}`, evidence.Unreadable, "", "four hexadecimal digits"},
		{"two values in a list", `[` + user(1) + ` ` + user(2) + `]`, evidence.Partial, "1 user", "expected ',' or ']', found '{'"},
		{"zip", "PK\x03\x04rest", evidence.Unreadable, "", "a zip archive: unpack it first"},
		{"excel", "PK\x03\x04" + strings.Repeat("\x00", 20) + "xl/workbook.xml", evidence.Unreadable, "", "an Excel workbook"},
		{"pdf", "%PDF-1.7 …", evidence.NotRecognised, "", "a PDF document"},
		{"image", "\x89PNG\r\n\x1a\n", evidence.NotRecognised, "", "a PNG image"},
		{"program", "MZ\x90\x00\x03\x00", evidence.NotRecognised, "", "a Windows program"},
		{"parquet", "PAR1\x15\x04\x15", evidence.Unreadable, "", "a Parquet file"},
		{"UTF-32", "\xff\xfe\x00\x00{\x00\x00\x00", evidence.Unreadable, "", "UTF-32"},
		{"gzip in gzip in gzip", string(gz(gz(gz([]byte(user(1)))))), evidence.NotRecognised, "", "binary data"},
		{"damaged gzip", string(gz([]byte(user(1)))[:12]) + strings.Repeat("\xff", 50), evidence.Unreadable, "", "gzip data"},
		{"gzip header only", "\x1f\x8b\x08", evidence.Unreadable, "", "gzip data ends too early"},
		{"gzip, then garbage", string(gz([]byte(user(1)+"\n"))) + "much longer garbage", evidence.Partial, "1 user", "followed by something"},
		{"zstd header only", "\x28\xb5\x2f\xfd", evidence.Unreadable, "", "zstd data ends too early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, _ := readBytes(t, Options{}, []byte(c.text))
			if in.Status != c.status || counts(in) != c.kinds {
				t.Errorf("got %s, %q; want %s, %q", in.Status, counts(in), c.status, c.kinds)
			}
			if c.note == "" && len(in.Notes) > 0 || c.note != "" && (len(in.Notes) == 0 || !strings.Contains(in.Notes[0].Message, c.note)) {
				t.Errorf("notes %v, want %q", in.Notes, c.note)
			}
		})
	}
}

// TestEveryPrefix: a text cut anywhere gives whole records or none, and says
// that it is cut.
func TestEveryPrefix(t *testing.T) {
	t.Parallel()
	for _, c := range shapes {
		text := []byte(c.text)
		_, all := readBytes(t, Options{}, text)
		packed := gz(text)
		for i := range text {
			if in, recs := readBytes(t, Options{}, text[:i]); len(recs) > len(all) && in.Format != "csv" {
				t.Errorf("%s cut at %d: %d records of %d", c.name, i, len(recs), len(all))
			}
		}
		for i := 0; i < len(packed); i += 3 {
			in, _ := readBytes(t, Options{}, packed[:i])
			if in.Status == evidence.Read {
				t.Errorf("%s: gzip cut at %d of %d was %s", c.name, i, len(packed), in.Status)
			}
		}
	}
}

// TestTruncatedGzip: what came out before the end is kept.
func TestTruncatedGzip(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 2000 {
		b.WriteString(user(i*7919) + "\n")
	}
	for _, pack := range []func([]byte) []byte{gz, zst} {
		z := pack([]byte(b.String()))
		in, recs := readBytes(t, Options{}, z[:len(z)-20])
		if in.Status != evidence.Partial || len(recs) == 0 || len(recs) > 2000 {
			t.Errorf("%s, %d records, %v", in.Status, len(recs), in.Notes)
		}
		if !strings.Contains(in.Notes[len(in.Notes)-1].Message, "ends too early") {
			t.Errorf("notes %v", in.Notes)
		}
	}
}

// TestBomb: expansion out of all proportion stops reading.
func TestBomb(t *testing.T) {
	t.Parallel()
	line := []byte(user(1) + "\n")
	bomb := gz(append(bytes.Repeat(line, 100), bytes.Repeat([]byte{' '}, 4<<20)...))
	o := Options{ExpansionFloor: 1 << 20, Expansion: 50}
	for _, b := range [][]byte{bomb, gz(bomb), zst(bomb)} {
		in, recs := readBytes(t, o, b)
		if in.Status != evidence.Partial || len(recs) != 100 || !strings.Contains(in.Notes[0].Message, "out of all proportion") {
			t.Errorf("%s, %d records, %v", in.Status, len(recs), in.Notes)
		}
	}
	if in, _ := readBytes(t, Options{ExpansionFloor: 16 << 20}, bomb); in.Status != evidence.Read {
		t.Errorf("below the floor: %v", in.Notes)
	}
}

// TestTooLarge: a record over the limit is skipped, the rest is read.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	big := strings.Replace(user(9), "Ada", strings.Repeat("A", 4000), 1)
	o := Options{MaxRecord: 2000}
	for name, text := range map[string]string{
		"list":      "[" + user(1) + "," + big + "," + user(2) + "]",
		"page":      `{"value":[` + user(1) + "," + big + "," + user(2) + "]}",
		"lines":     user(1) + "\n" + big + "\n" + user(2) + "\n",
		"first":     big + "\n" + user(1) + "\n" + user(2),
		"scubagear": `{"conditional_access_policies":[` + big + `],"tenant_details":[` + user(1) + `,` + user(2) + `]}`,
		"csv":       "userPrincipalName,displayName\nx,y\n" + strings.Repeat("z", 3000) + ",y\nz,\"" + strings.Repeat("z\n", 2000) + "\"\na,b\n",
		"composite": `{"a":[` + user(1) + `,` + big + `],"b":{"value":[` + user(2) + `]}}`,
	} {
		in, recs := readBytes(t, o, []byte(text))
		if in.Status != evidence.Partial || len(recs) != 2 || !strings.Contains(in.Notes[0].Message, "larger than 2000 bytes") {
			t.Errorf("%s: %s, %d records, %v", name, in.Status, len(recs), in.Notes)
		}
	}
	// A composite over the limit is no record: it is streamed, and whole.
	text := `{"when":"now","a":[` + strings.Repeat(user(1)+",", 50) + user(2) + `],"b":{"value":[` + strings.Repeat(user(1)+",", 50) + user(2) + `]}}`
	if in, recs := readBytes(t, o, []byte(text)); in.Status != evidence.Read || len(recs) != 102 {
		t.Errorf("large composite: %s, %d records, %v", in.Status, len(recs), in.Notes)
	}
	// A record with an id over the limit is a record that is missing.
	text = `{"id":"g","displayName":"G","members":[` + strings.Repeat(user(1)+",", 50) + user(2) + `]}`
	if in, _ := readBytes(t, o, []byte(text)); in.Status != evidence.Unreadable {
		t.Errorf("large group: %s, %v", in.Status, in.Notes)
	}
}

// endless repeats a text n times between a head and a tail, without holding it.
type endless struct {
	head, body, tail string
	n                int
	cur              *strings.Reader
	step             int
}

func (e *endless) Read(p []byte) (int, error) {
	for {
		if e.cur != nil && e.cur.Len() > 0 {
			return e.cur.Read(p)
		}
		switch {
		case e.step == 0:
			e.cur = strings.NewReader(e.head)
		case e.step <= e.n:
			e.cur = strings.NewReader(e.body)
		case e.step == e.n+1:
			e.cur = strings.NewReader(e.tail)
		default:
			return 0, io.EOF
		}
		e.step++
	}
}

// TestMemory: memory does not grow with the input. Not parallel: it reads the
// whole process's heap.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 40 MB a shape")
	}
	u := user(1)
	const n = 40 << 20 // more than twice MaxRecord
	for _, c := range []struct {
		name    string
		in      *endless
		records int64
		bound   uint64 // MiB
	}{
		{"page", &endless{head: `{"@odata.context":"x#users","value":[` + u, body: "," + u, tail: "]}"}, 1, 8},
		{"page without context", &endless{head: `{"value":[` + u, body: "," + u, tail: "]}"}, 1, 72},
		{"array", &endless{head: "[" + u, body: "," + u, tail: "]"}, 1, 8},
		{"lines", &endless{body: u + "\n"}, 0, 8},
		{"csv", &endless{head: "userPrincipalName,displayName\n", body: "ada@contoso.example,\"Ada, of London\"\n"}, 0, 8},
		{"composite", &endless{head: `{"all":[` + u, body: "," + u, tail: "]}"}, 1, 72},
		{"one endless text", &endless{head: `{"id":"`, body: strings.Repeat("x", 4096), tail: `"}`}, -1, 72},
		{"one endless line of csv", &endless{head: "userPrincipalName,displayName\n", body: strings.Repeat("x", 4096)}, -1, 72},
		{"one endless cell", &endless{head: "userPrincipalName,displayName\n\"", body: strings.Repeat("x\n", 2048)}, -1, 72},
		{"endless unknown records", &endless{head: "[0", body: `,{"colour":1}`, tail: "]"}, -1, 8},
		{"endless different records", &endless{head: "{", body: `"k":{"q":[{"colour":1}]},`, tail: `"z":1}`}, -1, 72},
	} {
		c.in.n = n / len(c.in.body)
		var peak atomic.Uint64
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		before := m.HeapAlloc
		seen := int64(0)
		source := &chunked{c.in}
		watch := readFunc(func(p []byte) (int, error) {
			if seen++; seen%64 == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				if m.HeapAlloc > before {
					peak.Store(max(peak.Load(), m.HeapAlloc-before))
				}
			}
			return source.Read(p)
		})
		s := &countSink{}
		ins, err := Read(context.Background(), Options{Stdin: watch}, []string{"-"}, s)
		if err != nil {
			t.Fatal(err)
		}
		if c.records >= 0 && s.n != int64(c.in.n)+c.records {
			t.Errorf("%s: %d records, want %d (%v)", c.name, s.n, int64(c.in.n)+c.records, ins[0].Notes)
		}
		if got := peak.Load() >> 20; got > c.bound {
			t.Errorf("%s: %d MiB live, want at most %d", c.name, got, c.bound)
		}
		t.Logf("%s: %d records, %d MiB live at most, %s", c.name, s.n, peak.Load()>>20, ins[0].Status)
	}
}

// chunked gives reads of a sensible size, so that the watcher is not called
// for every piece.
type chunked struct{ r io.Reader }

func (c *chunked) Read(p []byte) (int, error) {
	p = p[:min(len(p), 64<<10)]
	n := 0
	for n < len(p) {
		m, err := c.r.Read(p[n:])
		n += m
		if err != nil || m == 0 {
			return n, err
		}
	}
	return n, nil
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// countSink only counts.
type countSink struct{ n int64 }

func (s *countSink) Record(evidence.Kind, []byte, evidence.Source) (string, error) {
	s.n++
	return "", nil
}

func (s *countSink) SignInLines(_ context.Context, r io.Reader, _ string, _ func([]byte, evidence.Source) error, _ func(evidence.Note)) (int, error) {
	n, err := io.Copy(io.Discard, r)
	return int(n), err
}

// TestSlowReader: the size of reads changes nothing.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	for _, c := range shapes {
		_, want := readBytes(t, Options{}, []byte(c.text))
		s := &strictSink{t: t}
		r := rand.New(rand.NewPCG(1, 2))
		text := strings.NewReader(c.text)
		_, err := Read(context.Background(), Options{Stdin: readFunc(func(p []byte) (int, error) {
			return text.Read(p[:min(len(p), 1+r.IntN(3))])
		})}, []string{"-"}, s)
		if err != nil || len(s.recs) != len(want) {
			t.Errorf("%s: %d records, want %d (%v)", c.name, len(s.recs), len(want), err)
		}
	}
}

// TestStreamFails: an error of the system is noted, what came before stays.
func TestStreamFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	s := &strictSink{t: t}
	for _, text := range []string{user(1) + "\n" + user(2)[:20], "[" + user(1) + ",", signInN(1) + "\n" + signInN(2)[:20], "userPrincipalName,id\na,b\nc,"} {
		r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		ins, err := Read(context.Background(), Options{Stdin: r}, []string{"-"}, s)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if ins[0].Status != evidence.Partial || strings.Contains(fmt.Sprint(ins[0].Notes), "fire") {
			t.Errorf("%q: %s %v", text, ins[0].Status, ins[0].Notes)
		}
	}
}

// TestPlaceOfFault: line and byte are right far behind the start, whatever was
// read before, and in every compression.
func TestPlaceOfFault(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 9000} { // 9000 users are more than the scanner holds
		text := "[\n" + strings.Repeat(user(1)+",\n", n) + user(2) + ",\n oops]"
		in, _ := readBytes(t, Options{}, gz([]byte(text)))
		at := int64(strings.Index(text, "oops"))
		if len(in.Notes) != 1 || in.Notes[0].Source.Line != n+3 || in.Notes[0].Offset != at {
			t.Errorf("%d users: %+v, want line %d, byte %d", n, in.Notes, n+3, at)
		}
	}
	in, _ := readBytes(t, Options{}, []byte("\n\n"+signInN(1)+"\n{\n"+signInN(2)))
	if len(in.Notes) != 1 || in.Notes[0].Source.Line != 4 {
		t.Errorf("a broken sign-in line: %+v, want line 4", in.Notes)
	}
}

// TestOneNoteForOneUnknown: what was looked for inside an unknown object and
// not found is not told.
func TestOneNoteForOneUnknown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"colour":"red","parts":[{"size":1},{"size":2}],"more":{"value":[{"x":1}]}}`,
		`[{"colour":"red","parts":[{"size":1},{"size":2}]}]`,
		`{"event":{"colour":"red","parts":[{"size":1},{"size":2}]}}`,
	} {
		in, _ := readBytes(t, Options{}, []byte(text))
		if in.NoteCount != 1 || in.Status != evidence.NotRecognised {
			t.Errorf("%s: %s %v", text, in.Status, in.Notes)
		}
	}
}

// TestCancel: a cancelled context stops reading with its error.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, in := range []*endless{
		{head: "[" + user(1), body: "," + user(1), n: 1 << 20},
		{body: user(1) + "\n", n: 1 << 20},
		{body: signInN(1) + "\n", n: 1 << 20},
		{head: "userPrincipalName,id\n", body: "a,b\n", n: 1 << 22},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		reads := 0
		_, err := Read(ctx, Options{Stdin: readFunc(func(p []byte) (int, error) {
			if reads++; reads == 3000 {
				cancel()
			}
			return in.Read(p)
		})}, []string{"-"}, &strictSink{t: t, drop: true})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%.10s: %v", in.body, err)
		}
		cancel()
	}
}

// TestNotesAreBounded: millions of faults cost no memory.
func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	in, _ := readBytes(t, Options{}, []byte(strings.Repeat("{]\n", 5000)+user(1)))
	if in.NoteCount != 5000 || len(in.Notes) != evidence.MaxNotes || in.Status != evidence.Partial {
		t.Errorf("%d notes, %d kept, %s", in.NoteCount, len(in.Notes), in.Status)
	}
	var b bytes.Buffer
	for i := range 500 {
		fmt.Fprintf(&b, `{"unknown%d":1}`+"\n", i)
	}
	in, _ = readBytes(t, Options{}, b.Bytes())
	if in.NoteCount != maxOthers+1 || in.Status != evidence.NotRecognised {
		t.Errorf("%d notes, %s", in.NoteCount, in.Status)
	}
	if !json.Valid([]byte(user(1))) {
		t.Fatal("the fixture is not JSON")
	}
}
