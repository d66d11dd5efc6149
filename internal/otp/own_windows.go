package otp

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// ours believes in the folder: there the profile of a user is the user's.
func ours(fs.FileInfo) bool { return true }

// lockFile takes a lock that ends with the process, without waiting.
func lockFile(f *os.File) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY | windows.LOCKFILE_EXCLUSIVE_LOCK)
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errHeld
	}
	return err
}
