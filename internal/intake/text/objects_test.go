package text

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// walk reads an array element by element: its objects whole, as many as possible of them
// at once where ahead is set.
func walk(t *testing.T, text string, limit, size int, ahead bool, r *rand.Rand) (list []string, line int, offset int64, end string) {
	t.Helper()
	var in io.Reader = strings.NewReader(text)
	if len(text) < 20_000 && size > 64 {
		in = iotest.OneByteReader(in) // what the scanner has not read yet is read into the objects
	}
	s := NewScanner(in, limit)
	if _, err := s.Space("'['"); err != nil {
		return nil, 0, 0, err.Error()
	}
	var o Objects
	var c Cutter
	err := s.Array(func(first byte) error {
		for ahead && first == '{' {
			s.Objects(&o, &c, size)
			if o.Len() > 0 && r.IntN(4) == 0 { // as if it had not been
				s.Unread(&o)
				s.Objects(&o, &c, size)
			}
			if o.Len() == 0 {
				break
			}
			for i := range o.Len() {
				if !json.Valid(o.At(i)) {
					t.Fatalf("not valid: %.100q", o.At(i))
				}
				list = append(list, string(o.At(i)))
			}
			if more, err := s.NextElement(); err != nil || !more {
				return err
			}
		}
		raw, err := s.Whole()
		if err == ErrTooLarge {
			list = append(list, "too large")
			return s.Value()
		} else if err == nil {
			list = append(list, string(raw))
		}
		return err
	})
	if err != nil {
		end = err.Error()
	}
	return list, s.Line(), s.Offset(), end
}

// TestObjects holds the objects cut at once to those passed one by one: the same ones,
// the same place behind them, the same error.
func TestObjects(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	some := []string{`{}`, `{"a":1}`, `{"a":[{"b":"]}"},{}],"c":null}`, `{"a":"\"{[\\"}`, "{\n\"é\" :\r\n-1.5e+3 }", `{"a":"` + strings.Repeat("x", 3000) +
		`"}`, `{"b":{"c":{"d":[[[]]]}}}`,
		`{"a":tru}`, `{"a":01}`, `{"a" 1}`, "{\"a\":\"\n\"}", `{"a":"\x"}`, `{"a":[}`, `{"a":1,}`, `[1]`, `"x"`, `12`, `{"a":` + strings.Repeat("[", 90) +
			strings.Repeat("]", 90) + `}`,
		`{"a":1`, `}`, ``, `{"a":"b}`}
	for i := range 4000 {
		var list []string
		for range r.IntN(30) {
			n := 7 // mostly valid ones
			if r.IntN(40) == 0 {
				n = len(some)
			}
			list = append(list, some[r.IntN(n)])
		}
		text := "[" + strings.Join(list, []string{",", " , ", ",\n\n", ", ,"}[min(r.IntN(60), 3)%4*r.IntN(2)]) + []string{"]", "] ", "", ",", "}"}[max(0,
			r.IntN(12)-7)] + "\n{}"
		limit, size := []int{100, 1 << 20}[r.IntN(2)], []int{64, 300, 5000, MaxStretch}[r.IntN(4)]
		want, line, offset, end := walk(t, text, limit, size, false, r)
		got, line2, offset2, end2 := walk(t, text, limit, size, true, r)
		if !slices.Equal(got, want) || line != line2 || offset != offset2 || end != end2 {
			t.Fatalf("%d: %.300q: at once %s\none by one %s", i, text, fmt.Sprint(len(got), line2, offset2, end2), fmt.Sprint(len(want), line, offset, end))
		}
	}
}
