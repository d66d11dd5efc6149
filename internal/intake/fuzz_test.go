package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// FuzzSplit: the scanner cuts a stream exactly where encoding/json does, and
// refuses what it refuses.
func FuzzSplit(f *testing.F) {
	for _, c := range shapes {
		f.Add([]byte(c.text))
	}
	for _, s := range []string{"", "1 2", "truefalse", "[1,]", `{"a":1,}`, `{"a" 1}`, "-", "-x", "[-]", "-0.1e+5", "\"\x1f\"", "\"12345678\x1f90123456\"",
		"\"1234567\\\"90123456\"", "01", "1.", "1e", `"\u12`, `"\ud800"`, "[[[[]]]]", "nul", "{\"a\":\"\x01\"}", "\"\x7f\"", "[1}", "\xff", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []string
		dec := json.NewDecoder(bytes.NewReader(data))
		var wantErr error
		for {
			var raw json.RawMessage
			if wantErr = dec.Decode(&raw); wantErr != nil {
				break
			}
			want = append(want, string(raw))
		}
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)), nil} {
			s := text.InMemory(data)
			if r != nil {
				s = text.NewScanner(r, 1<<30)
			}
			var got []string
			var err error
			for {
				end, e := s.AtEnd()
				if err = e; end || e != nil {
					break
				}
				raw, e := s.Raw()
				if err = e; e != nil {
					break
				}
				got = append(got, string(raw))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("values (-encoding/json +ours):\n%s", diff)
			}
			if (wantErr == io.EOF) != (err == nil) {
				t.Fatalf("encoding/json says %v, ours %v", wantErr, err)
			}
			var se *text.SyntaxError
			if errors.As(err, &se) {
				if se.Offset < 0 || se.Offset > int64(len(data)) || se.Line != 1+bytes.Count(data[:se.Offset], []byte("\n")) {
					t.Fatalf("place of %v is wrong", se)
				}
			}
		}
		for _, v := range want {
			checkInside(t, v)
		}
	})
}

// checkInside compares the members or elements of one valid value.
func checkInside(t *testing.T, v string) {
	switch v[0] {
	case '[':
		var want []json.RawMessage
		if json.Unmarshal([]byte(v), &want) != nil {
			return // nested too deep for it
		}
		s := text.InMemory([]byte(v))
		n := 0
		err := s.Array(func(byte) error {
			raw, err := s.Raw()
			if n >= len(want) || string(raw) != string(want[n]) {
				t.Fatalf("element %d is %q", n, raw)
			}
			n++
			return err
		})
		if err != nil || n != len(want) {
			t.Fatalf("%d elements of %d, %v", n, len(want), err)
		}
	case '{':
		type member struct{ Key, Val string }
		var want, walked, quick []member
		dec := json.NewDecoder(strings.NewReader(v))
		if _, err := dec.Token(); err != nil {
			return
		}
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return
			}
			var raw json.RawMessage
			if dec.Decode(&raw) != nil {
				return
			}
			want = append(want, member{k.(string), string(raw)})
		}
		s := text.InMemory([]byte(v))
		err := s.Object(func(key string, _ byte) (bool, error) {
			raw, err := s.Raw()
			walked = append(walked, member{key, string(raw)})
			return true, err
		})
		text.Members([]byte(v), func(k, val []byte) bool {
			quick = append(quick, member{text.Unquote(k), string(val)})
			return true
		})
		for i := range want { // encoding/json replaces invalid UTF-8; unquote need not
			want[i].Key = strings.ToValidUTF8(want[i].Key, "\uFFFD")
		}
		for _, got := range [][]member{walked, quick} {
			for i := range got {
				if i < len(want) && !bytes.ContainsAny([]byte(v), "\ufffd") && strings.ToValidUTF8(got[i].Key, "") == got[i].Key && got[i].Key != want[i].Key {
					t.Fatalf("member %d is %q, want %q", i, got[i].Key, want[i].Key)
				}
				got[i].Key = ""
			}
		}
		for i := range want {
			want[i].Key = ""
		}
		if diff := cmp.Diff(want, walked); diff != "" || err != nil {
			t.Fatalf("object: %v %s", err, diff)
		}
		if diff := cmp.Diff(want, quick); diff != "" {
			t.Fatalf("members: %s", diff)
		}
	}
}

// FuzzRead: whatever the bytes, reading ends, every record is a valid object,
// and the account of the input agrees with itself.
func FuzzRead(f *testing.F) {
	for _, c := range shapes {
		f.Add([]byte(c.text), 0)
		f.Add(utf16Bytes(c.text, unicode.BigEndian, unicode.IgnoreBOM), 300)
		f.Add(gz([]byte(c.text)), 200)
	}
	f.Add(zst(gz([]byte(user(1)))), 10)
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		o := Options{MaxRecord: limit, ExpansionFloor: 1 << 20, Expansion: 20}
		in, recs := readBytes(t, o, data)
		n := 0
		for _, k := range in.Kinds {
			n += k
		}
		if n != len(recs) {
			t.Errorf("%d records counted, %d handed on", n, len(recs))
		}
		for _, r := range recs {
			if limit > 0 && len(r.Raw) > 8*limit+4096 && r.Kind != evidence.SignIn {
				t.Errorf("a record of %d bytes against a limit of %d", len(r.Raw), limit)
			}
		}
		// The size of reads must not matter.
		s := &strictSink{t: t}
		o.Stdin = iotest.OneByteReader(bytes.NewReader(data))
		if _, err := Read(context.Background(), o, []string{"-"}, s); err != nil {
			t.Fatal(err)
		}
		if limit <= 0 && in.Compression == "" {
			if diff := cmp.Diff(recs, s.recs); diff != "" {
				t.Errorf("records by single bytes (-all at once +bytes):\n%s", diff)
			}
		}
	})
}

// FuzzCSV: where encoding/csv accepts a text, our rows are its rows.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\nc,d\n", "a;b\n\"c;\n\"\"d\";e", "a\r\nb\r\n\r\nc", "\"\"\n", "a,\"b\"x,c\n", ",,\n,", "\"a\r\nb\",c\r", "a\rb,c"} {
		f.Add([]byte(s), byte(','))
	}
	f.Fuzz(func(t *testing.T, data []byte, comma byte) {
		if comma != ',' && comma != ';' && comma != '\t' {
			return
		}
		std := csv.NewReader(bytes.NewReader(data))
		std.Comma, std.FieldsPerRecord = rune(comma), -1
		want, wantErr := std.ReadAll()
		c := text.NewCSV(bufio.NewReaderSize(bytes.NewReader(data), 16), comma, 1<<30)
		var got [][]string
		var err error
		for {
			var cells [][]byte
			if cells, err = c.Next(1 << 20); err != nil {
				break
			}
			row := make([]string, len(cells))
			for i, b := range cells {
				row[i] = string(b)
			}
			got = append(got, row)
			h := newHeader(cells)
			if js, _ := h.row(nil, cells); !json.Valid(js) {
				t.Fatalf("row is no JSON: %q", js)
			}
		}
		if wantErr != nil {
			return // it is stricter about stray quotes
		}
		if diff := cmp.Diff(want, got); diff != "" || err != io.EOF {
			t.Fatalf("rows (-encoding/csv +ours), %v:\n%s", err, diff)
		}
	})
}
