package sam_test

import (
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// FuzzAddRegistration: whatever is given as certificate and key, it is refused
// in words that show nothing of the key, or kept and opens again.
func FuzzAddRegistration(f *testing.F) {
	s, _ := store(f, dbtest.SQLite(f))
	m, err := s.MakeCertificate(f.Context(), sam.NewCertificate{ClientID: "seed"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "")
	f.Add(m.Request, "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, cert, key string) {
		_, err := s.AddRegistration(t.Context(), sam.Registration{ClientID: "fuzz", Kind: msapi.Certificate, Certificate: cert}, secret.New(key))
		if err == nil {
			if _, err := s.App(t.Context(), "fuzz"); err != nil {
				t.Errorf("kept, and does not open: %v", err)
			}
			return
		}
		if body := strings.TrimSpace(key); len(body) > 20 && strings.Contains(err.Error(), body) {
			t.Errorf("the error shows the key: %v", err)
		}
	})
}
