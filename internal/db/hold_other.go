//go:build !unix && !windows

package db

import "os"

// lockFile takes nothing where the system has no locks that end with a process.
func lockFile(*os.File, bool) error { return nil }
