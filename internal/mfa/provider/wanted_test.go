package provider

import "testing"

func FuzzWanted(f *testing.F) {
	for _, s := range []string{`{"id_token":{"acr":{"values":["possession"]},"amr":{"values":["otp"]}}}`, `{}`, `{"id_token":{"acr":{"value":"x"}}}`, `[`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, refused, err := readWanted(text)
		if err != nil || refused != "" {
			if len(w.accept) > 0 {
				t.Fatalf("%q: refused and taken: %v", text, w.accept)
			}
			return
		}
		for _, amr := range w.accept {
			if amr != "otp" && amr != "fido" || w.acr(amr) == "" {
				t.Fatalf("%q: %s", text, amr)
			}
		}
		if len(w.accept) == 0 {
			t.Fatalf("%q: neither taken nor refused", text)
		}
	})
}
