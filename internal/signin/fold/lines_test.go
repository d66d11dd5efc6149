package fold

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

func eventLine(i int) string {
	return fmt.Sprintf(`{"id":"%08x-0000-4000-8000-000000000000","createdDateTime":"2024-05-01T10:%02d:00Z","userId":"u%d","appId":"a","status":{"errorCode":0},"pad":"%s"}`,
		i, i%60, i%7, strings.Repeat("x", i%300))
}

type reading struct {
	rows    int
	err     error
	notes   []evidence.Note
	others  []string
	summary signin.Summary
	csv     string
}

func readAll(t *testing.T, r io.Reader, workers int) reading {
	t.Helper()
	return readLines(t, read.Lines{Workers: workers}, r)
}

func readLines(t *testing.T, l read.Lines, r io.Reader) (got reading) {
	t.Helper()
	f := New(Options{CSV: true})
	l.Path = "in"
	l.Other = func(line []byte, src evidence.Source) error {
		got.others = append(got.others, fmt.Sprintf("%d %.40s", src.Line, line))
		return nil
	}
	l.Note = func(n evidence.Note) { got.notes = append(got.notes, n) }
	got.rows, got.err = read.ReadLines(t.Context(), r, l, f)
	var csv bytes.Buffer
	var err error
	if got.summary, err = f.Finish(t.Context(), &csv); err != nil {
		t.Fatal(err)
	}
	got.csv = csv.String()
	return got
}

// The order of the CSV is that of the input, however many cores work, and
// every line gets its number.
func TestReadLinesKeepsOrder(t *testing.T) {
	t.Parallel()
	var in bytes.Buffer
	var want []string
	for i := range 9000 {
		switch {
		case i%1000 == 13:
			in.WriteString("{\"no\":\"sign-in\"}\r\n")
		case i%1000 == 14:
			in.WriteString("{\"broken\n")
		case i%1000 == 15:
			in.WriteString("\r\n")
		default:
			in.WriteString(eventLine(i) + "\n")
			want = append(want, fmt.Sprintf("%08x-0000-4000-8000-000000000000", i))
		}
	}
	for _, workers := range []int{1, 2, 5} {
		for name, r := range map[string]io.Reader{"whole": bytes.NewReader(in.Bytes()), "halves": iotest.HalfReader(bytes.NewReader(in.Bytes()))} {
			got := readAll(t, r, workers)
			if got.err != nil || got.rows != len(want) || len(got.notes) != 9 || len(got.others) != 9 {
				t.Fatalf("%s/%d: %d rows, %d notes, %d others, %v", name, workers, got.rows, len(got.notes), len(got.others), got.err)
			}
			var ids []string
			for _, l := range strings.Split(strings.TrimSpace(got.csv), "\n")[1:] {
				ids = append(ids, l[strings.LastIndexByte(l, ',')+1:])
			}
			if !slices.Equal(ids, want) {
				t.Fatalf("%s/%d: order lost", name, workers)
			}
			if n := got.notes[1]; n.Source.Line != 1015 || in.String()[n.Offset:n.Offset+8] != `{"broken` {
				t.Errorf("note %+v", n)
			}
			if got.others[1] != `1014 {"no":"sign-in"}` {
				t.Errorf("other %q", got.others[1])
			}
		}
	}
}

func TestReadLinesOddStreams(t *testing.T) {
	t.Parallel()
	long := `{"x":"` + strings.Repeat("a", read.MaxLine) + `"}`
	big := strings.Replace(eventLine(1), `"pad":"`, `"pad":"`+strings.Repeat("b", 3<<20), 1)
	for name, c := range map[string]struct {
		in    string
		rows  int
		notes []string
	}{
		"empty":          {"", 0, nil},
		"blank":          {"\n\r\n  \n", 0, nil},
		"no last feed":   {eventLine(1) + "\n" + eventLine(2), 2, nil},
		"crlf":           {eventLine(1) + "\r\n" + eventLine(2) + "\r\n", 2, nil},
		"large":          {eventLine(0) + "\n" + big + "\n" + eventLine(2) + "\n", 3, nil},
		"too long":       {eventLine(1) + "\n" + long + "\n" + eventLine(2) + "\n", 2, []string{"in:2 1"}},
		"too long, last": {eventLine(1) + "\n" + long, 1, []string{"in:2 1"}},
		"nul padding":    {eventLine(1) + "\n\x00\x00" + eventLine(2) + "\x00\n\x00\x00", 2, []string{"in:2 1", "in:3 1"}},
		"malformed":      {"x\n" + eventLine(1) + "\n[]\n", 1, []string{"in:1 1", "in:3 1"}},
		"many malformed": {strings.Repeat("x\n", 100) + eventLine(1), 1, slices.Repeat([]string{"in:"}, 33)},
	} {
		got := readAll(t, strings.NewReader(c.in), 2)
		if got.err != nil || got.rows != c.rows || len(got.notes) != len(c.notes) {
			t.Errorf("%s: %d rows, %v, notes %+v", name, got.rows, got.err, got.notes)
			continue
		}
		for i, n := range got.notes {
			where, _, _ := strings.Cut(c.notes[i], " ")
			if !strings.HasPrefix(n.Source.String(), where) {
				t.Errorf("%s: note %+v", name, n)
			}
		}
	}
}

func TestReadLinesErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	got := readAll(t, io.MultiReader(strings.NewReader(eventLine(1)+"\n"+eventLine(2)[:40]), iotest.ErrReader(broken)), 2)
	if got.rows != 1 || !errors.Is(got.err, broken) || len(got.notes) != 0 {
		t.Errorf("%+v", got)
	}
	stop := errors.New("stop")
	_, err := read.ReadLines(t.Context(), strings.NewReader("{}\n{}\n"), read.Lines{Other: func([]byte, evidence.Source) error { return stop }}, New(Options{}))
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read.ReadLines(ctx, strings.NewReader(eventLine(1)), read.Lines{}, New(Options{})); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
