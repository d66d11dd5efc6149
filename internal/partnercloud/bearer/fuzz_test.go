package bearer

import (
	"strings"
	"testing"
	"time"
)

// FuzzParse says that nothing but what was signed here is taken.
func FuzzParse(f *testing.F) {
	_, k, _, c := lab(f)
	good, err := k.Sign(&c)
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for _, s := range []string{good, "", ".", "..", "a.b.c", parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], good + ".",
		`{"payload":"","signatures":[]}`, "eyJhbGciOiJub25lIn0." + parts[1] + "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, fault := k.Parse(token)
		if (got == nil) == (fault == nil) {
			t.Fatal("neither claims nor a fault, or both")
		}
		if got != nil && token != good {
			// RFC 4648 lets the last character of base64 differ in unused bits.
			other := strings.Split(token, ".")
			if len(other) != 3 || other[0] != parts[0] || other[1] != parts[1] {
				t.Fatalf("taken: %q", token)
			}
		}
		if fault != nil && len(token) > 40 && strings.Contains(fault.Text, token[:40]) {
			t.Fatal("the fault shows the token")
		}
	})
}

// FuzzImportKeys says that damaged key files are refused, not half taken.
func FuzzImportKeys(f *testing.F) {
	_, k, _, _ := lab(f)
	text, err := k.Export()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ImportKeys(time.Now, b)
		if (got == nil) == (err == nil) {
			t.Fatal("neither keys nor an error, or both")
		}
		if got != nil {
			_ = got.JWKS()
		}
	})
}
