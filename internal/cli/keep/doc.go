// Package keep has the commands of what is kept: doctor, db, backup, vault, trail and
// config.
package keep
