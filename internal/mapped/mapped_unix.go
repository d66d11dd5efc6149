//go:build unix

package mapped

import (
	"os"

	"golang.org/x/sys/unix"
)

// Least is the size in bytes below which mapping a file costs more than copying it.
const Least = 4 << 20

// File maps what f holds now from the place on that it would be read at next, and moves that place
// behind it. ok is false, and f as it was, where that cannot be had or is not worth it.
// done gives the memory back: nothing of b may be used after it.
func File(f *os.File) (b []byte, done func() error, ok bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil, false
	}
	at, err := f.Seek(0, 1)
	if err != nil || info.Size()-at < Least || int64(int(info.Size())) != info.Size() {
		return nil, nil, false
	}
	all, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, false
	}
	if _, err := f.Seek(info.Size(), 0); err != nil {
		_ = unix.Munmap(all)
		return nil, nil, false
	}
	_ = unix.Madvise(all, unix.MADV_SEQUENTIAL) // a hint: without it reading ahead is shorter
	return all[at:], func() error { return unix.Munmap(all) }, true
}
