package onboard_test

import (
	"path/filepath"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/vault"
)

// marks is a vault over d, which vouches for its rows.
func marks(t testing.TB, d *db.DB) *vault.Vault {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
