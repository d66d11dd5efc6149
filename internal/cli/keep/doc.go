// Package keep has the commands of what is kept: vault, trail, config, and the
// readings of live tenants.
package keep
