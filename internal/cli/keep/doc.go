// Package keep has the commands of what is kept: the readings of live tenants, doctor,
// db, backup, vault, trail, config and notify.
package keep
