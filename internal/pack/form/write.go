package form

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"io"

	"partnerguard/internal/problem"
)

// Out is what a pack is written to: a new, empty file.
type Out interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
}

// Writer writes the entries of a pack, one after the other. What it holds is the
// directory: about 100 bytes an entry. For one goroutine.
type Writer struct {
	out   Out
	buf   *bufio.Writer
	at    int64
	items []item
	seen  map[string]bool
	head  []byte
	err   error // the first; nothing is written after it
}

// NewWriter begins a pack.
func NewWriter(out Out) *Writer {
	return &Writer{out: out, buf: bufio.NewWriterSize(out, 1<<20), seen: map[string]bool{}}
}

// Size is how many bytes were written.
func (w *Writer) Size() int64 { return w.at }

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

func (w *Writer) begin(name string) error {
	if w.err != nil {
		return w.err
	}
	if !IsName(name) || w.seen[folded(name)] {
		return w.fail(problem.New(problem.Internal, "%.80q cannot name an entry of a pack, or is there already", name))
	}
	if len(w.items) >= MaxEntries || w.at > MaxSize-MaxEntry {
		return w.fail(problem.New(problem.Limit, "the pack would have more than %d entries, or be larger than any", MaxEntries).
			WithHint("a shorter period, or --evidence deciding"))
	}
	w.seen[folded(name)] = true
	return nil
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.buf.Write(b); err != nil {
		w.err = problem.Wrap(err, problem.Unavailable, "the pack cannot be written").WithHint("is there room?")
	}
	w.at += int64(len(b))
}

// Put adds an entry whose content is at hand, whose sum is somebody else's to keep.
func (w *Writer) Put(name string, content []byte) error {
	if err := w.begin(name); err != nil {
		return err
	}
	if len(content) > MaxEntry {
		return w.fail(tooLarge(name))
	}
	i := item{name, crc32.ChecksumIEEE(content), int64(len(content)), w.at}
	w.head = i.appendLocal(w.head[:0])
	w.write(w.head)
	w.write(content)
	w.items = append(w.items, i)
	return w.err
}

func tooLarge(name string) error {
	return problem.New(problem.Limit, "%s is larger than %d bytes, more than an entry of a pack may be", name, MaxEntry)
}

// Add adds an entry that is written as it comes, and gives it as a manifest lists it.
func (w *Writer) Add(path, kind string, write func(io.Writer) error) (Entry, error) {
	if err := w.begin(path); err != nil {
		return Entry{}, err
	}
	i := item{name: path, at: w.at}
	w.head = i.appendLocal(w.head[:0])
	w.write(w.head)
	c := &content{w: w, sum: sha256.New()}
	if err := write(c); err != nil {
		return Entry{}, w.fail(err)
	}
	if c.n > MaxEntry {
		return Entry{}, w.fail(tooLarge(path))
	}
	i.crc, i.size = c.crc, c.n
	if err := w.Flush(); err != nil {
		return Entry{}, err
	}
	// Only now is it known what the header says.
	if _, err := w.out.WriteAt(i.appendLocal(w.head[:0]), i.at); err != nil {
		return Entry{}, w.fail(problem.Wrap(err, problem.Unavailable, "the pack cannot be written"))
	}
	w.items = append(w.items, i)
	return Entry{Path: path, Kind: kind, Size: c.n, SHA256: hex.EncodeToString(c.sum.Sum(nil))}, nil
}

// content is an entry that is being written.
type content struct {
	w   *Writer
	n   int64
	crc uint32
	sum hash.Hash
}

func (c *content) Write(b []byte) (int, error) {
	if c.n += int64(len(b)); c.n > MaxEntry {
		return 0, tooLarge("an entry")
	}
	c.crc = crc32.Update(c.crc, crc32.IEEETable, b)
	c.sum.Write(b)
	c.w.write(b)
	return len(b), c.w.err
}

// Flush hands everything on to the file.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if err := w.buf.Flush(); err != nil {
		return w.fail(problem.Wrap(err, problem.Unavailable, "the pack cannot be written").WithHint("is there room?"))
	}
	return nil
}

// Read reads what was written so far, before the directory is.
func (w *Writer) Read() (*Reader, error) {
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return newReader(w.out, w.items), nil
}

// Close writes the directory. The file is the caller's to close.
func (w *Writer) Close() error {
	at := w.at
	for i := range w.items {
		w.head = w.items[i].appendCentral(w.head[:0])
		w.write(w.head)
	}
	w.write(appendEnd(nil, int64(len(w.items)), at, w.at-at))
	return w.Flush()
}
