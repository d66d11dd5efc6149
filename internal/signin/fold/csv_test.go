package fold

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"partnerguard/internal/signin/texts"
)

func TestHostileCells(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                           "",
		"plain text":                 "plain text",
		"a,b":                        "a,b",
		`say "hi"`:                   `say "hi"`,
		"two\r\nlines":               "two  lines",
		"=1+1":                       "'=1+1",
		"+1":                         "'+1",
		"-1":                         "'-1",
		"@SUM(A1)":                   "'@SUM(A1)",
		"\t=1":                       "' =1",
		"\rx":                        "' x",
		"  =1":                       "'  =1",
		"\u00a0=1":                   "'\u00a0=1",
		"\u200b=1":                   "'\u200b=1",
		"\ufeff=1":                   "'=1",
		"\x00=1":                     "'=1",
		"＝1":                         "'＝1",
		"　＋1":                        "'　＋1",
		"－1":                         "'－1",
		"＠x":                         "'＠x",
		"﹦1":                         "'﹦1",
		"﹫x":                         "'﹫x",
		"\u3164=1":                   "'\u3164=1",
		`=HYPERLINK("http://x","y")`: `'=HYPERLINK("http://x","y")`,
		"nul\x00bell\x07":            "nulbell",
		"c1\u0085\u009b":             "c1 ",
		"bad\xff\xfeutf":             "bad\ufffd\ufffdutf",
		"\xff=1":                     "\ufffd=1",
		"\u202eevil":                 "evil",
		"'quoted":                    "'quoted",
		"a=b":                        "a=b",
		" lead":                      " lead",
		"\u2028":                     " ",
	} {
		line := append(AppendCell(AppendCell([]byte("x,"), in), ""), ",y\n"...)
		rows, err := csv.NewReader(bytes.NewReader(line)).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 {
			t.Errorf("%q: %q does not read back: %v", in, line, err)
			continue
		}
		if got := rows[0][1]; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// FuzzCell: whatever the text, the cell is valid UTF-8, reads back as one cell
// of one line, has no control characters, and does not start a formula.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"", "=1", " \t=", "a\"b,\r\n", "\xff", "＝", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := append(append(AppendCell(append([]byte(nil), "x,"...), s), ",y"...), '\n')
		if !utf8.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%q gives %q", s, line)
		}
		rows, err := csv.NewReader(bytes.NewReader(line)).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 || rows[0][2] != "y" {
			t.Fatalf("%q gives %q: %v", s, line, err)
		}
		cell := rows[0][1]
		if i := strings.IndexFunc(cell, func(c rune) bool { return c < ' ' || c == 0x7f }); i >= 0 {
			t.Fatalf("%q keeps a control character: %q", s, cell)
		}
		if first, _ := utf8.DecodeRuneInString(strings.TrimSpace(cell)); cell != "" && strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", first) {
			t.Fatalf("%q starts a formula: %q", s, cell)
		}
	})
}

// Looking at eight bytes at a time gives what looking at each gives.
func TestWordsOfText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 9))
	for c := range 256 {
		for n := 1; n < 40; n++ {
			b := []byte(strings.Repeat("abcdefgh-0123456789", 3)[:n])
			at := r.IntN(n)
			b[at] = byte(c)
			s := string(b)
			if got := plain(s); got != plainByte[c] {
				t.Fatalf("plain %q: %v", s, got)
			}
			if got := texts.Lower(s); got != strings.ToLower(s) {
				t.Fatalf("lower %q: %q", s, got)
			}
		}
		guid := []byte("01234567-89ab-cdef-ABCD-EF0123456789")
		for at := range guid {
			old := guid[at]
			guid[at] = byte(c)
			hi, lo, ok := texts.GUID(string(guid))
			digit := strings.ContainsRune("0123456789abcdefABCDEF", rune(c))
			if dash := old == '-'; dash && ok != (c == '-') || !dash && ok != digit {
				t.Fatalf("%q: %v", guid, ok)
			}
			raw, err := hex.DecodeString(strings.ReplaceAll(string(guid), "-", ""))
			if ok && (err != nil || binary.BigEndian.Uint64(raw) != hi || binary.BigEndian.Uint64(raw[8:]) != lo) {
				t.Fatalf("%q: %x %x, want %x %v", guid, hi, lo, raw, err)
			}
			guid[at] = old
		}
	}
}

func TestClocksInCSV(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	for range 20000 {
		at := time.Unix(r.Int64N(300_000_000_000)-70_000_000_000, []int64{0, 1, 999_999_999, 500_000_000, r.Int64N(1e9), r.Int64N(1e7) * 100}[r.IntN(6)]).UTC()
		if got, want := string(appendClock(nil, clockOf(at))), at.Format(time.RFC3339Nano); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}
