// Package keep has the commands of what is kept: vault, trail and config.
package keep
