//go:build unix

package observe

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Disk says how many bytes a folder's file system has, or that of the folder which it
// will be made in, and how many of them this user may still write. ok is false where
// the system does not say it.
func Disk(folder string) (free, all uint64, ok bool) {
	var s unix.Statfs_t
	for {
		err := unix.Statfs(folder, &s)
		if err == nil {
			break
		}
		up := filepath.Dir(folder)
		if !errors.Is(err, unix.ENOENT) || up == folder {
			return 0, 0, false
		}
		folder = up
	}
	size := uint64(s.Bsize) // of another type on other systems
	return uint64(s.Bavail) * size, uint64(s.Blocks) * size, true
}
