package jsonscan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// blocksOf runs one implementation over text, padded to whole blocks.
func blocksOf(scan scanFunc, text []byte, split int) ([]uint32, string, state) {
	for len(text) == 0 || len(text)%64 != 0 {
		text = append(text[:len(text):len(text)], ' ')
	}
	out := make([]uint32, 2*len(text)+256)
	var st state
	odd := make([]uint8, len(text)/64)
	kinds := make([]uint8, 2*len(text)+256)
	n := 0
	if split = split % (len(text) / 64); split > 0 {
		n = scan(text, split, out, &st, odd, kinds)
	}
	n += scan(text[split*64:], len(text)/64-split, out[n:], &st, odd[split:], kinds[n:])
	st.control, st.high, st.slash = min(st.control, 1), min(st.high, 1), min(st.slash, 1)
	return out[:n], fmt.Sprintf("%v %s", odd, kinds[:n]), st
}

func checkTwins(t *testing.T, text []byte, split int) {
	t.Helper()
	want, wantOdd, wantState := blocksOf(portableBlocks, text, 0)
	for name, scan := range implementations() {
		got, gotOdd, gotState := blocksOf(scan, text, split)
		if !slices.Equal(want, got) || wantOdd != gotOdd || wantState != gotState {
			t.Fatalf("%s on %q: tokens differ (-portable +%s)\n%s\n%v\n%v\n%+v\n%+v", name, text, name, cmp.Diff(want, got), wantOdd, gotOdd, wantState,
				gotState)
		}
	}
}

var alphabet = []string{`"`, `\`, `\"`, `{`, `}`, `[`, `]`, `:`, `,`, ` `, "\t", "\n", "\r", "a", "1", "-", "null", "\x00", "\x1a", "\x0c", "é", "\xff", "\x7f",
	strings.Repeat(`\`, 63), strings.Repeat(" ", 60), strings.Repeat("x", 64)}

// The fast scanner and its portable twin agree on noise.
func TestTwinsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var b []byte
		for range r.IntN(60) {
			b = append(b, alphabet[r.IntN(len(alphabet))]...)
		}
		checkTwins(t, b, r.IntN(4))
	}
	for c := range 256 { // every byte at every place of a block, in and out of strings
		for at := range 64 {
			for _, fill := range []string{" ", "a", `"`} {
				b := []byte(strings.Repeat(fill, 128))
				b[at], b[64+at] = byte(c), byte(c)
				checkTwins(t, b, 1)
			}
		}
	}
}

// randomJSON writes a value, mostly valid, at times with a fault.
func randomJSON(r *rand.Rand, depth int) string {
	gap := []string{"", "", "", " ", "\n\t", "\r"}[r.IntN(6)]
	switch k := r.IntN(12); {
	case k < 3 && depth > 0:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, `"k`+randomText(r)+`"`+gap+":"+randomJSON(r, depth-1))
		}
		return "{" + gap + strings.Join(parts, ",") + gap + "}"
	case k < 5 && depth > 0:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, randomJSON(r, depth-1))
		}
		return "[" + strings.Join(parts, ","+gap) + "]" + gap
	case k < 9:
		return `"` + randomText(r) + `"` + gap
	}
	return []string{"0", "-1", "1.5e+3", "null", "true", "false", "1E9", "-0.0", "01", "1.", "nul", "truex", "+1", ".5", "1e", "falsy",
		"--1"}[r.IntN(9+r.IntN(9))] + gap
}

func randomText(r *rand.Rand) string {
	return []string{"", "a", `\n`, `\u00e9`, `\ud83d\ude00`, "é", `\\`, `\"`, "{}[],:", strings.Repeat("y", r.IntN(90)), `\x`, `\u12`, "\x01",
		"\xff"}[r.IntN(10+r.IntN(5))]
}

// What Valid accepts, encoding/json accepts; what it refuses up to its limits,
// encoding/json refuses too.
func TestValidAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var x Index
	valid := 0
	for range 60000 {
		text := []byte(`{"a":` + randomJSON(r, 4) + "}")
		if n := r.IntN(12); n < 2 {
			text[r.IntN(len(text))] = `{}[]:,"\ 1a`[r.IntN(11)]
		} else if n == 2 {
			text = text[:r.IntN(len(text))]
		}
		want := json.Valid(text) && text[0] == '{'
		got := x.Scan(text) && x.Valid()
		if got != want {
			t.Fatalf("%q: got %v, encoding/json says %v", text, got, want)
		}
		if got {
			valid++
		}
	}
	if valid < 10000 {
		t.Fatalf("only %d valid texts", valid)
	}
}

// The first line of a text gives what that line gives alone, whatever stands
// behind it.
func TestScanLineIsScanOfTheFirstLine(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var line, alone Index
	accepted := 0
	for range 40000 {
		text := []byte(`{"a":` + strings.ReplaceAll(randomJSON(r, 3), "\n", " ") + "}" + strings.Repeat(" ", r.IntN(3)))
		feed := len(text)
		if r.IntN(8) > 0 {
			text = append(text, "\n{\"rest\":\"\\u00e9\xff\n"[:1+r.IntN(14)]...)
		}
		if r.IntN(20) == 0 {
			feed = r.IntN(len(text))
			text[feed] = '\n'
		}
		if n := len(text); r.IntN(4) > 0 { // with noise in the slack
			text = append(text, strings.Repeat("\n\\\"x", Slack/4)...)[:n]
		}
		feed = min(feed, strings.IndexByte(string(text)+"\n", '\n'))
		end, got := line.ScanLine(text)
		want := alone.Scan(text[:feed])
		if end != feed || got != want {
			t.Fatalf("%q: ends at %d, want %d; %v, want %v", text, end, feed, got, want)
		}
		if !got {
			continue
		}
		accepted++
		if d := cmp.Diff(alone.Pos, line.Pos); d != "" || line.n != alone.n || line.Flags != alone.Flags ||
			string(line.Kinds) != string(alone.Kinds) || string(line.Text) != string(alone.Text) {
			t.Fatalf("%q: %v %v, want %v %v\n%s", text, line.Flags, line.n, alone.Flags, alone.n, d)
		}
	}
	if accepted < 5000 {
		t.Errorf("only %d lines accepted", accepted)
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	var x Index
	for depth, want := range map[int]bool{MaxDepth - 1: true, MaxDepth: false} {
		text := []byte(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}")
		if got := x.Scan(text) && x.Valid(); got != want {
			t.Errorf("depth %d: %v", depth, got)
		}
	}
	if x.Scan([]byte(`{"a":"` + strings.Repeat("x", MaxText) + `"}`)) {
		t.Error("a text past MaxText was taken")
	}
}

// FuzzScan: the fast scanner and its twin agree on any bytes, and what is
// accepted is valid JSON; within the limits the reverse holds too.
func FuzzScan(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"a":[1,2,{"b":null}],"c":"\u00e9\\"}`, `{"a":"` + strings.Repeat(`\\`, 40) + `"}`, "{\"\x00\":1}", `{"a" : tru }`,
		`{"a":1}x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > MaxText {
			return
		}
		checkTwins(t, text, len(text)/64/2)
		var x Index
		got := x.Scan(text) && x.Valid()
		want := len(text) > 0 && text[0] == '{' && json.Valid(text)
		if got && !want {
			t.Fatalf("%q is accepted and is not JSON", text)
		}
		deep := strings.Count(string(text), "{")+strings.Count(string(text), "[") >= MaxDepth
		if want && !got && !deep {
			t.Fatalf("%q is JSON and is refused", text)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	text := []byte(`{"a":[` + strings.TrimSuffix(strings.Repeat(`{"authenticationMethod":"Password","succeeded":true,"n":12,"d":"2024-05-01T00:00:00Z"},`,
		45), ",") + `]}`)
	var x Index
	for name, scan := range implementations() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			out, odd, kinds := make([]uint32, len(text)+128), make([]uint8, len(text)/64), make([]uint8, len(text)+128)
			for b.Loop() {
				scan(text, len(text)/64, out, new(state), odd, kinds)
			}
		})
	}
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			x.Scan(text)
		}
	})
	b.Run("scan and skip", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if !x.Scan(text) || !x.Valid() {
				b.Fatal("invalid")
			}
		}
	})
}
