// Package vaulttest lends vaults to tests. It knows nothing of what is kept in
// them, and nothing but tests may use it.
package vaulttest
