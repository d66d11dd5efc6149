//go:build !unix && !windows

package otp

import (
	"io/fs"
	"os"
)

func ours(fs.FileInfo) bool { return true }

// lockFile takes nothing where the system has no locks that end with a process.
func lockFile(*os.File) error { return nil }
