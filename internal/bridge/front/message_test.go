package front

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emersion/go-smtp"
)

var monday = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

func mine(a string) bool { return strings.EqualFold(a, "scans@contoso.example") }

func taken(text string) (string, string, error) {
	var b bytes.Buffer
	id, err := take(&b, iotest.OneByteReader(strings.NewReader(text)), "bridge.example", monday, mine)
	return b.String(), id, err
}

func TestTake(t *testing.T) {
	t.Parallel()
	got, id, err := taken("From: Scanner <Scans@contoso.example>\r\nSubject: x\r\nMessage-ID: <1@s>\r\nDate: Mon, 30 Nov 2026 08:00:00 +0000\r\n\r\nbody\r\n")
	whole := "From: Scanner <Scans@contoso.example>\r\nSubject: x\r\nMessage-ID: <1@s>\r\nDate: Mon, 30 Nov 2026 08:00:00 +0000\r\n\r\nbody\r\n"
	if err != nil || id != "<1@s>" || !strings.HasPrefix(got, "Received: by bridge.example (Partnerguard mail bridge) with ESMTPA id r-") ||
		!strings.HasSuffix(got, whole) ||
		strings.Count(got, "Message-ID") != 1 || strings.Count(got, "Date:") != 1 {
		t.Errorf("%q %q %v", got, id, err)
	}
	got, id, err = taken("From: scans@contoso.example\r\n\r\nbody")
	if err != nil || !strings.HasSuffix(got, "\r\n\r\nbody") ||
		!strings.Contains(got, "\r\nMessage-ID: "+id+"\r\nDate: Mon, 30 Nov 2026 08:00:00 +0000\r\nFrom: ") {
		t.Errorf("%q %q %v", got, id, err)
	}
	// A head alone.
	if got, _, err = taken("From: scans@contoso.example"); err != nil || !strings.HasSuffix(got, "From: scans@contoso.example\r\n\r\n") {
		t.Errorf("%q %v", got, err)
	}
}

// Who writes as another, or in a way that two would read apart, is refused.
func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		text string
		want error
	}{
		"no head":               {"\r\nbody\r\n", errHead},
		"nothing":               {"", errHead},
		"no From":               {"Subject: x\r\n\r\n", errHead},
		"another's":             {"From: boss@contoso.example\r\n\r\n", errSender},
		"two From":              {"From: scans@contoso.example\r\nFrom: boss@contoso.example\r\n\r\n", errHead},
		"two From of one":       {"From: scans@contoso.example\r\nfrom: scans@contoso.example\r\n\r\n", errHead},
		"two writers":           {"From: scans@contoso.example, boss@contoso.example\r\n\r\n", errHead},
		"another's Sender":      {"From: scans@contoso.example\r\nSender: boss@contoso.example\r\n\r\n", errSender},
		"a group":               {"From: all: scans@contoso.example, boss@contoso.example;\r\n\r\n", errHead},
		"a name that looks so":  {"From: scans@contoso.example <boss@contoso.example>\r\n\r\n", errHead},
		"no colon":              {"From: scans@contoso.example\r\nnonsense\r\n\r\n", errHead},
		"a space before it":     {"From : scans@contoso.example\r\nFrom: boss@contoso.example\r\n\r\n", errHead},
		"a space before one":    {"From : boss@contoso.example\r\nFrom: scans@contoso.example\r\n\r\n", errHead},
		"a long line":           {"From: scans@contoso.example\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", errHead},
		"a long head":           {"From: scans@contoso.example\r\n" + strings.Repeat("X: "+strings.Repeat("x", 900)+"\r\n", 300) + "\r\n", errHead},
		"NUL in the head":       {"From: scans@contoso.example\x00\r\n\r\n", errHead},
		"NUL in the body":       {"From: scans@contoso.example\r\n\r\na\x00b", errHead},
		"a From behind bare CR": {"X: y\rFrom: boss@contoso.example\r\nFrom: scans@contoso.example\r\n\r\n", errHead},
	} {
		if _, _, err := taken(x.text); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	if _, err := take(io.Discard, iotest.ErrReader(smtp.ErrDataTooLarge), "b", monday, mine); !errors.Is(err, smtp.ErrDataTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// No second message hides in one: nothing but CRLF goes on.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r\r\n.\r\r\n", "\n\r.\n\r"} {
		got, _, err := taken("From: scans@contoso.example\r\n\r\nbody" + end + "MAIL FROM:<boss@contoso.example>" + end)
		if err != nil {
			t.Errorf("%q: %v", end, err)
		}
		bare := strings.ReplaceAll(got, "\r\n", "")
		if strings.ContainsAny(bare, "\r\n") {
			t.Errorf("%q goes on as %q", end, got)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\nc\rd\r\r\n\n"), 3)
	f.Add([]byte("\r"), 1)
	f.Add([]byte("a\x00b"), 2)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		got, err := io.ReadAll(&chunked{&lines{r: bytes.NewReader(b)}, size})
		if (err != nil) != (bytes.IndexByte(b, 0) >= 0) {
			t.Fatalf("%q: %v", b, err)
		}
		if err != nil {
			return
		}
		bare := bytes.ReplaceAll(got, []byte("\r\n"), nil)
		if bytes.ContainsAny(bare, "\r\n") {
			t.Fatalf("%q gives %q", b, got)
		}
		// And nothing but the ends of lines is another than it was.
		text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(b))
		if want := strings.ReplaceAll(text, "\n", "\r\n"); want != string(got) {
			t.Fatalf("%q gives %q, not %q", b, got, want)
		}
	})
}

// chunked reads in pieces of a size.
type chunked struct {
	r    io.Reader
	size int
}

func (c *chunked) Read(b []byte) (int, error) {
	n := c.size%7 + 1
	if n < 1 {
		n = 1
	}
	return c.r.Read(b[:min(n, len(b))])
}
