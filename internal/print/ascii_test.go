package print_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"partnerguard/internal/print"
)

func TestUTF8(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", true}, {"C", "", "en_US.UTF-8", false}, {"", "POSIX", "en_US.UTF-8", false}, {"", "", "en_US.UTF-8", true}, {"", "", "C.utf8", true},
		{"", "", "de_DE", false}, {"", "", "de_DE@euro", false}, {"", "", "de_DE.ISO-8859-15@euro", false}, {"sr_RS.UTF-8@latin", "C", "C", true},
	} {
		if got := print.UTF8(func(n string) string {
			return map[string]string{"LC_ALL": c.all, "LC_CTYPE": c.ctype, "LANG": c.lang}[n]
		}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestASCII: glyphs go, names stay, whatever the pieces are that come.
func TestASCII(t *testing.T) {
	t.Parallel()
	const text, want = "✓ met · Zoë 陳 → gone… ──\n", "+ met - Zoë 陳 > gone~ --\n"
	var b bytes.Buffer
	w := print.ASCII(&b)
	if _, err := io.Copy(w, iotest.OneByteReader(bytes.NewReader([]byte(text)))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || b.String() != want {
		t.Errorf("%q %v", b.String(), err)
	}
	if print.Width(text) != print.Width(want) {
		t.Error("the columns moved")
	}
}
