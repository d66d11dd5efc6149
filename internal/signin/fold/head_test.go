package fold

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/signin/read"
)

// lineText is n events, some of them malformed or not ended by a line feed alone.
func lineText(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		switch {
		case i%977 == 5:
			b.WriteString("{broken\n")
		case i%1009 == 3:
			b.WriteString("\r\n" + eventLine(i) + "\r\n")
		default:
			b.WriteString(eventLine(i) + "\n")
		}
	}
	return b.Bytes()
}

// What lies before the reader's bytes is read as they are, wherever it ends.
func TestReadLinesHead(t *testing.T) {
	t.Parallel()
	text := lineText(14000) // more than two chunks
	want := readAll(t, bytes.NewReader(text), 1)
	if want.rows < 10000 || len(want.notes) < 10 {
		t.Fatalf("%d rows, %d notes", want.rows, len(want.notes))
	}
	long := slicesJoin(text[:3<<20], []byte(`{"id":"`+strings.Repeat("x", 2<<20)+"\"}\n"), text[3<<20:])
	wantLong := readAll(t, bytes.NewReader(long), 1)
	for _, c := range []struct {
		text []byte
		want reading
	}{{text, want}, {long, wantLong}} {
		for _, head := range []int{0, 1, 5000, 1<<20 + 7, 3 << 20, len(c.text) - 1, len(c.text)} {
			for _, workers := range []int{1, 3} {
				got := readLines(t, read.Lines{Workers: workers, Head: c.text[:head:head]}, bytes.NewReader(c.text[head:]))
				same := reflect.DeepEqual(got.notes, c.want.notes) && mustJSON(t, got.summary) == mustJSON(t, c.want.summary)
				if !same || got.rows != c.want.rows || got.csv != c.want.csv {
					t.Fatalf("head of %d, %d workers: %d rows and %d notes, want %d and %d", head, workers, got.rows, len(got.notes),
						c.want.rows, len(c.want.notes))
				}
			}
		}
	}
	got := readLines(t, read.Lines{Workers: 2, Decoded: true}, bytes.NewReader(text))
	if got.rows != want.rows || got.csv != want.csv || !reflect.DeepEqual(got.notes, want.notes) {
		t.Errorf("read ahead: %d rows, want %d", got.rows, want.rows)
	}
}

func slicesJoin(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
