package sam_test

import (
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// BenchmarkRenewed is what a renewal costs the database: opening the token and
// storing the next one.
func BenchmarkRenewed(b *testing.B) {
	s, _ := store(b, dbtest.SQLite(b))
	c, err := s.Keep(b.Context(), captured(1))
	if err != nil {
		b.Fatal(err)
	}
	token := secret.New(strings.Repeat("t", 1500))
	for b.Loop() {
		h, err := s.Token(b.Context(), c.ID)
		if err == nil {
			_, err = s.Renewed(b.Context(), c.ID, sam.Renewal{From: h.Generation, Used: h.Of, Refresh: token})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
