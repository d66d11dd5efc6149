//go:build unix

package mapped

import (
	"io"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Least is the size in bytes below which mapping a file costs more than copying it.
const Least = 4 << 20

// Bytes are those of a mapped file.
type Bytes struct {
	all, rest []byte

	mu    sync.Mutex
	parts map[int]int // released, from where to where, behind read
	read  int         // all before it was released
	gone  int         // and let go of up to here
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
	return &Bytes{all: all, rest: all[at:]}
}

// Rest is what File found, to be read by anybody until Close.
func (b *Bytes) Rest() []byte { return b.rest }

// releaseAt is how much is let go of at once: each time every core forgets where it lay.
const releaseAt = 4 << 20

// Release says that nobody is about to read a part of [Bytes.Rest] again, so that it
// no longer counts as this process's memory once all before it was released too. It may still be
// read. Parts must not overlap. Safe for concurrent use.
func (b *Bytes) Release(part []byte) {
	if len(part) == 0 {
		return
	}
	from := int(uintptr(unsafe.Pointer(unsafe.SliceData(part))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.all))))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parts == nil {
		b.parts, b.read = map[int]int{}, len(b.all)-len(b.rest)
	}
	for b.parts[from] = from + len(part); b.parts[b.read] > 0; {
		to := b.parts[b.read]
		delete(b.parts, b.read)
		b.read = to
	}
	if to := b.read &^ (os.Getpagesize() - 1); to-b.gone >= releaseAt {
		_ = unix.Madvise(b.all[b.gone:to], unix.MADV_DONTNEED) // it then stays a while longer
		b.gone = to
	}
}

// Close gives the mapping back: nothing of it may be used after that.
func (b *Bytes) Close() error { return unix.Munmap(b.all) }
