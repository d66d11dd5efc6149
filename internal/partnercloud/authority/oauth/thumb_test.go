package oauth

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// A thumbprint counts in each alphabet that clients write, and in no other form.
func TestThumbprintAlphabets(t *testing.T) {
	t.Parallel()
	sum := bytes.Repeat([]byte{0xfb, 0xef, 0xff}, 7)[:20] // "+" and "/" throughout
	other := append([]byte{0}, sum[1:]...)
	for name, e := range map[string]*base64.Encoding{"standard": base64.StdEncoding, "standard, bare": base64.RawStdEncoding, "URL": base64.URLEncoding,
		"URL, bare": base64.RawURLEncoding} {
		if !same(e.EncodeToString(sum), sum) {
			t.Errorf("%s: refused", name)
		}
		if same(e.EncodeToString(other), sum) {
			t.Errorf("%s: another certificate's thumbprint was taken", name)
		}
	}
	for _, bad := range []string{"", "=", "++++", base64.RawURLEncoding.EncodeToString(sum[:19]), "FBEFFF"} {
		if same(bad, sum) {
			t.Errorf("%q was taken", bad)
		}
	}
}
