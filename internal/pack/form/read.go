package form

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"partnerguard/internal/problem"
)

// Reader reads the entries of a pack. Safe for concurrent use.
type Reader struct {
	src   io.ReaderAt
	items []item
	by    map[string]int
}

func newReader(src io.ReaderAt, items []item) *Reader {
	r := &Reader{src: src, items: items, by: make(map[string]int, len(items))}
	for n := range items {
		r.by[items[n].name] = n
	}
	return r
}

// broken says of a file that it is no pack, or was changed.
func broken(format string, args ...any) *problem.Error {
	return problem.New(problem.Unmet, format, args...)
}

// Open reads the directory of a pack of size bytes, and holds it and the header of each
// entry to the form: every byte that is no content is what the form says.
func Open(src io.ReaderAt, size int64) (*Reader, error) {
	if size < endSize || size > MaxSize {
		return nil, broken("it is no pack: it has %d bytes", size)
	}
	entries, at, length, err := findEnd(src, size)
	if err != nil {
		return nil, err
	}
	items, err := readDirectory(src, entries, at, length)
	if err != nil {
		return nil, err
	}
	r := newReader(src, items)
	seen := make(map[string]bool, len(items))
	for i := range items {
		if seen[folded(items[i].name)] {
			return nil, broken("%s is in it twice", items[i].name)
		}
		seen[folded(items[i].name)] = true
	}
	return r, r.headers()
}

// readAt reads whole, or says that the file is cut off.
func readAt(src io.ReaderAt, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := src.ReadAt(b, at); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // as io.ReaderAt gives it
			return nil, broken("it ends too early: it was cut off")
		}
		return nil, problem.Wrap(err, problem.Unavailable, "the pack cannot be read")
	}
	return b, nil
}

// findEnd reads what ends the file, and holds it to what appendEnd writes.
func findEnd(src io.ReaderAt, size int64) (entries, at, length int64, err error) {
	n := min(size, end64Size+locateSize+endSize)
	tail, err := readAt(src, size-n, n)
	if err != nil {
		return 0, 0, 0, err
	}
	le := binary.LittleEndian
	end := tail[len(tail)-endSize:]
	if le.Uint32(end) != endSig {
		return 0, 0, 0, broken("it does not end as a pack does: it was cut off, something was added, or it is none")
	}
	entries, length, at = int64(le.Uint16(end[10:])), int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	want := int64(endSize)
	if entries == max16 && length == max32 && at == max32 && len(tail) == end64Size+locateSize+endSize {
		e, l, a := le.Uint64(tail[32:]), le.Uint64(tail[40:]), le.Uint64(tail[48:])
		if e > MaxEntries || l > MaxSize || a > MaxSize {
			return 0, 0, 0, broken("its end says that it is larger than any pack")
		}
		entries, length, at, want = int64(e), int64(l), int64(a), end64Size+locateSize+endSize
	}
	if at+length+want != size || entries > MaxEntries || !bytes.Equal(appendEnd(nil, entries, at, length), tail[int64(len(tail))-want:]) {
		return 0, 0, 0, broken("its end is not that of a pack: it was changed, or something was put behind or between")
	}
	return entries, at, length, nil
}

// mostDirectory bounds a directory in bytes.
const mostDirectory = MaxEntries * (centralSize + MaxName + 12)

func readDirectory(src io.ReaderAt, entries, at, length int64) ([]item, error) {
	if length > mostDirectory || length < entries*(centralSize+1) {
		return nil, broken("its directory has %d bytes for %d entries", length, entries)
	}
	dir, err := readAt(src, at, length)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	items := make([]item, 0, entries)
	var next int64
	var again []byte
	for range entries {
		if len(dir) < centralSize {
			return nil, broken("its directory ends within an entry")
		}
		named := int(le.Uint16(dir[28:]))
		if named > MaxName || centralSize+named > len(dir) {
			return nil, broken("its directory has an entry with a name of %d bytes", named)
		}
		i := item{name: string(dir[centralSize : centralSize+named]), crc: le.Uint32(dir[16:]), size: int64(le.Uint32(dir[24:])), at: next}
		if !IsName(i.name) {
			return nil, broken("its directory has an entry named %.80q, which no pack has", i.name)
		}
		again = i.appendCentral(again[:0])
		if i.size > MaxEntry || len(dir) < len(again) || !bytes.Equal(again, dir[:len(again)]) {
			return nil, broken("its directory does not have %s as a pack would: it was changed", i.name)
		}
		dir = dir[len(again):]
		next += localSize + int64(named) + i.size
		items = append(items, i)
	}
	if len(dir) > 0 || next != at {
		return nil, broken("its directory does not say what all of it is: something was put between")
	}
	return items, nil
}

// headers holds the header of each entry to the directory.
func (r *Reader) headers() error {
	var want, got []byte
	for n := range r.items {
		i := &r.items[n]
		want = i.appendLocal(want[:0])
		if cap(got) < len(want) {
			got = make([]byte, 2*len(want))
		}
		got = got[:len(want)]
		if _, err := r.src.ReadAt(got, i.at); err != nil {
			return problem.Wrap(err, problem.Unavailable, "the pack cannot be read")
		}
		if !bytes.Equal(got, want) {
			return broken("the header before %s is not what the directory says: it was changed", i.name)
		}
	}
	return nil
}

// Names are the entries in their order.
func (r *Reader) Names() []string {
	out := make([]string, len(r.items))
	for n := range r.items {
		out[n] = r.items[n].name
	}
	return out
}

// Size is how many bytes an entry has; -1 where there is none of the name.
func (r *Reader) Size(name string) int64 {
	n, ok := r.by[name]
	if !ok {
		return -1
	}
	return r.items[n].size
}

// Open gives an entry's content. What is read is not held to any sum: that is for
// [Reader.Verify].
func (r *Reader) Open(name string) (*io.SectionReader, error) {
	n, ok := r.by[name]
	if !ok {
		return nil, broken("%s is missing", name)
	}
	i := &r.items[n]
	return io.NewSectionReader(r.src, i.at+localSize+int64(len(i.name)), i.size), nil
}

// Read reads an entry of at most so many bytes whole, and holds it to its CRC-32.
func (r *Reader) Read(name string, most int64) ([]byte, error) {
	in, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	if in.Size() > most {
		return nil, broken("%s has %d bytes, more than any has", name, in.Size())
	}
	b := make([]byte, in.Size())
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "%s cannot be read", name)
	}
	if crc32.ChecksumIEEE(b) != r.items[r.by[name]].crc {
		return nil, broken("%s does not have its CRC-32: a byte of it was changed", name)
	}
	return b, nil
}

// String says what it is.
func (r *Reader) String() string { return fmt.Sprintf("a pack of %d entries", len(r.items)) }
