package vaulttest

import (
	"path/filepath"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/vault"
)

// Open gives a new vault over d with a master key file of its own.
func Open(t testing.TB, d *db.DB) *vault.Vault {
	t.Helper()
	return At(t, d, filepath.Join(t.TempDir(), "key"))
}

// At is Open with its master key made in the file at path, for tests that open
// the vault again.
func At(t testing.TB, d *db.DB, path string) *vault.Vault {
	t.Helper()
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
