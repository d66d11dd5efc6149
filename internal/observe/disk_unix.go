//go:build unix

package observe

import "golang.org/x/sys/unix"

// Disk says how many bytes a folder's file system has, and how many of them this
// user may still write. ok is false where the system does not say it.
func Disk(folder string) (free, all uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, false
	}
	size := uint64(s.Bsize) // of another type on other systems
	return uint64(s.Bavail) * size, uint64(s.Blocks) * size, true
}
