//go:build unix

package mapped

import (
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Least is the size in bytes below which mapping a file costs more than copying it.
const Least = 4 << 20

// Bytes are those of a mapped file.
type Bytes struct {
	all, rest []byte
}

// File maps what f holds now from the place on that it would be read at next, and moves that place
// behind it. It is nil, and f as it was, where that cannot be had or is not worth it.
func File(f *os.File) *Bytes {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || info.Size()-at < Least || int64(int(info.Size())) != info.Size() {
		return nil
	}
	all, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	if _, err := f.Seek(info.Size(), io.SeekStart); err != nil {
		_ = unix.Munmap(all)
		return nil
	}
	_ = unix.Madvise(all, unix.MADV_SEQUENTIAL) // a hint: without it reading ahead is shorter
	return &Bytes{all, all[at:]}
}

// Rest is what File found, to be read by anybody until Close.
func (b *Bytes) Rest() []byte { return b.rest }

// Release says that nobody is about to read a part of [Bytes.Rest] again, so that it
// no longer counts as this process's memory. It may still be read. Safe for concurrent use.
func (b *Bytes) Release(part []byte) {
	if len(part) == 0 {
		return
	}
	page := uintptr(os.Getpagesize())
	base := uintptr(unsafe.Pointer(unsafe.SliceData(b.all)))
	from := (uintptr(unsafe.Pointer(unsafe.SliceData(part))) - base) &^ (page - 1)
	to := (uintptr(unsafe.Pointer(unsafe.SliceData(part))) - base + uintptr(len(part))) &^ (page - 1)
	if from < to && to <= uintptr(len(b.all)) {
		_ = unix.Madvise(b.all[from:to], unix.MADV_DONTNEED) // it then stays a while longer
	}
}

// Close gives the mapping back: nothing of it may be used after that.
func (b *Bytes) Close() error { return unix.Munmap(b.all) }
