package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"strings"
)

// Limits of a pack.
const (
	maxEntries = 1 << 20
	maxEntry   = 1<<31 - 1
	maxName    = 200
	maxFile    = 1 << 40
)

// file is an entry: where its content lies.
type file struct {
	name string
	crc  uint32
	at   int64
	size int64
}

// archive is a ZIP of the one form that packs have: stored entries without gaps, flags,
// extra fields, comments or moments, in the order of the directory. So every byte that is
// no content is known from names, sizes and CRCs, and is compared.
type archive struct {
	src   io.ReaderAt
	files []file
	by    map[string]int
}

var fileName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*(?:/[0-9A-Za-z][0-9A-Za-z._-]*)*$`)

func u16(b []byte) int64 { return int64(binary.LittleEndian.Uint16(b)) }
func u32(b []byte) int64 { return int64(binary.LittleEndian.Uint32(b)) }

// le writes numbers, each of as many bytes as its digit of sizes says.
func le(sizes string, values ...int64) (b []byte) {
	for i, v := range values {
		for range sizes[i] - '0' {
			b, v = append(b, byte(v)), v>>8
		}
	}
	return b
}

// header is what stands before an entry's content.
func header(name string, crc uint32, size int64) []byte {
	return append(le("42222244422", 0x04034b50, 20, 0, 0, 0, 33, int64(crc), size, size, int64(len(name)), 0), name...)
}

// listing is its line of the directory; at is where its header lies.
func listing(name string, crc uint32, size, at int64) []byte {
	need, off, extra := int64(20), at, []byte(nil)
	if at >= 1<<32-1 {
		need, off, extra = 45, 1<<32-1, le("228", 1, 8, at)
	}
	b := le("42222224442222244", 0x02014b50, need, need, 0, 0, 0, 33, int64(crc), size, size, int64(len(name)), int64(len(extra)), 0, 0, 0, 0, off)
	return append(append(b, name...), extra...)
}

// ending is what stands behind the directory.
func ending(n, at, size int64) (b []byte) {
	if n >= 1<<16-1 || at >= 1<<32-1 || size >= 1<<32-1 {
		b = le("48224488884484", 0x06064b50, 44, 45, 45, 0, 0, n, n, size, at, 0x07064b50, 0, at+size, 1)
		n, at, size = 1<<16-1, 1<<32-1, 1<<32-1
	}
	return append(b, le("42222442", 0x06054b50, 0, 0, n, n, size, at, 0)...)
}

func read(src io.ReaderAt, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	if got, err := src.ReadAt(b, at); int64(got) < n {
		return nil, fmt.Errorf("it cannot be read at byte %d: %w", at, err)
	}
	return b, nil
}

// openZip reads the directory and holds all that is no content to the form.
func openZip(src io.ReaderAt, size int64) (*archive, error) {
	if size < 22 || size > maxFile {
		return nil, fmt.Errorf("it is no pack: it has %d bytes", size)
	}
	tail, err := read(src, size-min(size, 98), min(size, 98))
	if err != nil {
		return nil, err
	}
	end := tail[len(tail)-22:]
	n, length, at := u16(end[10:]), u32(end[12:]), u32(end[16:])
	if n == 1<<16-1 && length == 1<<32-1 && at == 1<<32-1 && len(tail) == 98 {
		big := binary.LittleEndian.Uint64
		if big(tail[32:]) > maxEntries || big(tail[40:]) > maxFile || big(tail[48:]) > maxFile {
			return nil, fmt.Errorf("its end says that it is larger than any pack")
		}
		n, length, at = int64(big(tail[32:])), int64(big(tail[40:])), int64(big(tail[48:]))
	}
	want := ending(n, at, length)
	if n > maxEntries || length > n*(46+maxName+12) || at+length+int64(len(want)) != size || !bytes.HasSuffix(tail, want) {
		return nil, fmt.Errorf("it does not end as a pack does: it was cut off, changed, or something was put behind or between")
	}
	dir, err := read(src, at, length)
	if err != nil {
		return nil, err
	}
	a := &archive{src: src, by: map[string]int{}}
	var next int64
	seen := map[string]bool{}
	for i := range n {
		if len(dir) < 46 || int64(len(dir)) < 46+u16(dir[28:]) || u16(dir[28:]) > maxName {
			return nil, fmt.Errorf("entry %d of its directory is none", i)
		}
		f := file{name: string(dir[46 : 46+u16(dir[28:])]), crc: uint32(u32(dir[16:])), size: u32(dir[24:])}
		line := listing(f.name, f.crc, f.size, next)
		switch {
		case !fileName.MatchString(f.name):
			return nil, fmt.Errorf("entry %d of its directory is named %.80q, which no pack has", i, f.name)
		case f.size > maxEntry || !bytes.HasPrefix(dir, line):
			return nil, fmt.Errorf("its directory does not have %s as a pack would: it was changed", f.name)
		case seen[strings.ToLower(f.name)]:
			return nil, fmt.Errorf("%s is in it twice", f.name)
		}
		head := header(f.name, f.crc, f.size)
		got, err := read(src, next, int64(len(head)))
		if err != nil || !bytes.Equal(got, head) {
			return nil, fmt.Errorf("the header before %s is not what the directory says: it was changed", f.name)
		}
		seen[strings.ToLower(f.name)] = true
		f.at = next + int64(len(head))
		next, dir = f.at+f.size, dir[len(line):]
		a.by[f.name] = len(a.files)
		a.files = append(a.files, f)
	}
	if len(dir) > 0 || next != at {
		return nil, fmt.Errorf("its directory does not say what all of it is: something was put between")
	}
	return a, nil
}

// open gives an entry's content.
func (a *archive) open(name string) (*io.SectionReader, file, error) {
	i, ok := a.by[name]
	if !ok {
		return nil, file{}, fmt.Errorf("it is missing")
	}
	f := a.files[i]
	return io.NewSectionReader(a.src, f.at, f.size), f, nil
}

// whole reads an entry of at most so many bytes.
func (a *archive) whole(name string, most int64) ([]byte, error) {
	_, f, err := a.open(name)
	if err != nil || f.size > most {
		return nil, cmp.Or(err, fmt.Errorf("it has %d bytes, more than any has", f.size))
	}
	b, err := read(a.src, f.at, f.size)
	if err == nil && crc32.ChecksumIEEE(b) != f.crc {
		err = fmt.Errorf("its CRC-32 is another than its header says: a byte of it was changed")
	}
	return b, err
}
