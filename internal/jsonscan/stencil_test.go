package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// valuesOf lists some of the values of a valid object.
func valuesOf(text []byte, pick func() bool) (out []Value) {
	var x Index
	if !x.Scan(text) || !x.Valid() {
		return nil
	}
	for k, c := range x.Kinds {
		if c != '0' && (c != '"' || x.At(k+1) == ':') || !pick() {
			continue
		}
		v := Value{Text: c == '"', Even: k%2 == 0}
		if v.Text {
			v.From, v.To, _ = x.String(k)
		} else {
			s, _ := x.Scalar(k)
			v.From = int(x.Pos[k])
			v.To = v.From + len(s)
		}
		out = append(out, v)
	}
	return out
}

// checkFit lays a stencil on text in all ways and reports whether it fits.
func checkFit(t *testing.T, s *Stencil, text []byte) bool {
	t.Helper()
	tight := slices.Clone(text)[:len(text):len(text)]
	loose := append(make([]byte, 0, len(text)+Slack), text...)
	rest := loose[len(loose):cap(loose)]
	for i := range rest {
		rest[i] = `1"}e.\`[i%6]
	}
	spans, others := make([]Span, s.Values()), make([]Span, s.Values())
	at, end, ok := s.Fit(tight, spans, 0)
	for name, lay := range fitters() {
		clear(others)
		at2, end2, ok2 := s.fit(lay, loose, others, 0)
		if ok != ok2 || end != end2 || ok && !slices.Equal(spans, others) {
			t.Fatalf("%q: portable %d %d %v, %s %d %d %v\n%v\n%v", text, at, end, ok, name, at2, end2, ok2, spans, others)
		}
	}
	if !ok {
		return false
	}
	if !json.Valid(text[:end]) {
		t.Fatalf("%q fits and is not valid", text[:end])
	}
	for i, p := range s.pieces[:s.Values()] {
		value := spans[i].Of(tight)
		if p.follows == followsText {
			value = `"` + value + `"`
		}
		if !json.Valid([]byte(value)) {
			t.Fatalf("%q: value %d is %q", text, i, value)
		}
	}
	for i := range s.Values() { // from any piece on it is the same
		for name, lay := range fitters() {
			clear(others[i+1:])
			if _, end2, ok := s.fit(lay, loose, others, i+1); !ok || end2 != end || !slices.Equal(spans, others) {
				t.Fatalf("%q from piece %d, %s: %v %d", text, i+1, name, ok, end2)
			}
		}
	}
	return true
}

func TestStencilFits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	fitted, changed := 0, 0
	for range 8000 {
		sample := []byte(`{"a":` + randomJSON(r, 3) + `,"b":` + randomJSON(r, 2) + "}")
		if !json.Valid(sample) {
			continue
		}
		var x Index
		if !x.Scan(sample) {
			continue
		}
		s := Cut(sample, valuesOf(sample, func() bool { return r.IntN(2) == 0 }))
		if !checkFit(t, s, sample) {
			t.Fatalf("%q does not fit itself", sample)
		}
		fitted++
		for range 6 {
			other := slices.Clone(sample)
			for range 1 + r.IntN(2) {
				other[r.IntN(len(other))] = `{}[]:,"\ 1a-.e+tfnu0`[r.IntN(20)]
			}
			if checkFit(t, s, append(other, "\n{"...)) {
				changed++
			}
			checkFit(t, s, other[:r.IntN(len(other))])
		}
	}
	if fitted < 1000 || changed < 1000 {
		t.Errorf("%d fitted themselves, %d others", fitted, changed)
	}
}

// Every byte of a stretch counts, whatever its length.
func TestStencilComparesWholeStretches(t *testing.T) {
	t.Parallel()
	for n := range 130 {
		text := fmt.Appendf(nil, `{"%s":"v","z":1}`, bytes.Repeat([]byte("k"), n))
		s := Cut(text, valuesOf(text, func() bool { return true }))
		if s.Values() != 2 || !checkFit(t, s, text) {
			t.Fatalf("%s", text)
		}
		for i := range text {
			if i == n+5 || i == len(text)-2 { // the values
				continue
			}
			old := text[i]
			text[i] ^= 4
			if checkFit(t, s, text) {
				t.Fatalf("%q: byte %d does not count", text, i)
			}
			text[i] = old
		}
	}
}

// Values of every length and kind, at every distance from the end of the text.
func TestStencilValues(t *testing.T) {
	t.Parallel()
	sample := []byte(`{"a":"","b":0,"c":""}`)
	s := Cut(sample, valuesOf(sample, func() bool { return true }))
	for _, special := range []string{"", `\"`, `\\`, `\u00e9`, "é", "\x1f", "\x7f", `\x`, `\u12`, "\xff"} {
		for n := range 100 {
			for _, number := range []string{"1", "-0", "12.5", "1e5", "01", "-", "1.", "123456789012345678901", "12345678901234",
				"123456789012345", "-1234567890.123", "true", "false", "null", "nul", "falsy", "truex", "1E+2", "--1", "0.0000000000001", "+1"} {
				text := fmt.Appendf(nil, `{"a":"%s%s","b":%s,"c":"%s"}`, bytes.Repeat([]byte("x"), n), special, number, special)
				if got, want := checkFit(t, s, text), json.Valid(text); got != want {
					t.Fatalf("%q: %v, encoding/json says %v", text, got, want)
				}
			}
		}
	}
}

func TestStencilsAlike(t *testing.T) {
	t.Parallel()
	all := func() bool { return true }
	a, b := []byte(`{"a":"1","b":[1,"2"],"c":3}`), []byte(`{"a":"x","b":[2,"y"],"d":3}`)
	s, o := Cut(a, valuesOf(a, all)), Cut(b, valuesOf(b, all))
	if n := s.Alike(o); n != 3 {
		t.Fatalf("%d pieces alike", n)
	}
	spans := make([]Span, 4)
	at, _, ok := s.Fit(b, spans, 0)
	if ok || at != 3 {
		t.Fatalf("%d %v", at, ok)
	}
	if _, end, ok := o.Fit(b, spans, at); !ok || end != len(b) || spans[2].Of(b) != "y" {
		t.Fatalf("%d %v %v", end, ok, spans)
	}
	if s.Alike(s) != 5 {
		t.Error("a stencil is not like itself")
	}
}

// FuzzStencil: what fits is valid, in all implementations alike.
func FuzzStencil(f *testing.F) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 40 {
		a := []byte(`{"a":` + randomJSON(r, 3) + "}")
		b := slices.Clone(a)
		b[r.IntN(len(b))] = "xA\"0,"[r.IntN(5)]
		f.Add(a, b, uint64(r.Uint32()))
	}
	f.Fuzz(func(t *testing.T, sample, text []byte, mask uint64) {
		var x Index
		if !json.Valid(sample) || !x.Scan(sample) || !x.Valid() {
			return
		}
		end := bytes.LastIndexByte(sample, '}') + 1
		s := Cut(sample[:end], valuesOf(sample[:end], func() bool { mask = mask>>1 | mask<<63; return mask&1 != 0 }))
		if !checkFit(t, s, sample[:end]) {
			t.Fatalf("%q does not fit itself", sample)
		}
		checkFit(t, s, text)
	})
}
