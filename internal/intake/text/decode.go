package text

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"partnerguard/internal/problem"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// SniffLen is how much is looked at to say what bytes are.
const SniffLen = 4096

// maxWindow bounds the memory a zstd frame may ask for (zstd --long=27).
const maxWindow = 128 << 20

// errBomb says that a compressed input grows out of all proportion.
var errBomb = errors.New("the compressed data expands beyond the limit")

// Opened is an input as text.
type Opened struct {
	UTF8        *bufio.Reader // UTF-8 without BOM
	Compression string        // outermost first, e.g. "gzip" or "gzip, zstd"
	Encoding    string
	Head        []byte // the first bytes of the text
	Binary      string // what the bytes are when they are not text, e.g. "a PDF document"
	Archive     bool   // the binary may well hold exports
	Zip         bool   // the binary is a zip archive, read from raw
	Raw         *bufio.Reader
	Empty       bool // no text at all
	Close       func()
}

// Open takes off compression, at most two layers, and the encoding. With an
// error, what was found until then is told and there is nothing to close.
func Open(ctx context.Context, raw io.Reader, l Limits) (d Opened, err error) {
	d.Close = func() {}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	under := &counter{r: raw, ctx: ctx}
	var r io.Reader = under
	for layer := 0; ; layer++ {
		br := readers.Get().(*bufio.Reader)
		br.Reset(r)
		before := d.Close
		d.Close = func() {
			if before(); br != nil {
				br.Reset(nil)
				readers.Put(br)
			}
			br = nil
		}
		head, err := br.Peek(SniffLen)
		if err != nil && err != io.EOF && len(head) == 0 {
			return d, err
		}
		next, name, stop := io.Reader(nil), "", func() {}
		switch {
		case layer == 2:
		case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
			name = "gzip"
			zr, err := gzip.NewReader(br)
			if err != nil {
				d.add(name)
				return d, fmt.Errorf("gzip: %w", err)
			}
			next = zr
		case isZstd(head):
			zr, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				d.add("zstd")
				return d, fmt.Errorf("zstd: %w", err)
			}
			next, name, stop = zr, "zstd", zr.Close
		}
		if next == nil {
			return d, d.text(br, head)
		}
		d.add(name)
		inner := d.Close
		d.Close = func() { stop(); inner() }
		r = &counter{r: next, ctx: ctx, under: under, Limits: l}
	}
}

// readers are the readers of inputs that were closed, for those that come.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, minRead) }}

// add names one more layer of compression.
func (d *Opened) add(name string) {
	if d.Compression != "" {
		d.Compression += ", "
	}
	d.Compression += name
}

func isZstd(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")) {
		return true
	}
	return len(b) >= 4 && b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18 // skippable frame
}

// counter counts what passes, ends with the context, and stops a bomb.
type counter struct {
	r     io.Reader
	ctx   context.Context
	n     int64
	under *counter // the stored bytes; nil on the lowest layer
	Limits
}

// Limits bound what compressed bytes may become: once more than Floor bytes came
// out, no more than Ratio times the bytes that went in.
type Limits struct{ Ratio, Floor int64 }

func (l Limits) exceeded(stored, out int64) bool { return out > l.Floor && out/l.Ratio > stored }

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.under != nil && c.exceeded(c.under.n, c.n) {
		return n, errBomb
	}
	return n, err
}

// text says what br's bytes are and makes UTF-8 of them.
func (d *Opened) text(br *bufio.Reader, head []byte) error {
	if d.Binary, d.Archive = magic(head); d.Binary != "" {
		d.Zip, d.Raw, d.Head = bytes.HasPrefix(head, []byte(zipMagic)), br, bytes.Clone(head)
		return nil
	}
	d.Encoding = "utf-8"
	switch order, bom := utf16Order(head); {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		d.Binary, d.Archive, d.Encoding = "text in UTF-32 (store it as UTF-8)", true, "utf-32"
		return nil
	case order != nil:
		d.Encoding = "utf-16le"
		if *order == unicode.BigEndian {
			d.Encoding = "utf-16be"
		}
		if bom {
			_, _ = br.Discard(2) // peeked
		}
		dec := unicode.UTF16(*order, unicode.IgnoreBOM).NewDecoder()
		br = bufio.NewReaderSize(transform.NewReader(br, dec), minRead)
	case bytes.HasPrefix(head, utf8BOM):
		d.Encoding = "utf-8 bom"
		_, _ = br.Discard(len(utf8BOM)) // peeked
	}
	d.UTF8 = br
	head, err := br.Peek(SniffLen)
	d.Head = head
	d.Empty = len(head) == 0 && err == io.EOF
	if len(head) == 0 && err != nil && err != io.EOF {
		return err
	}
	if i := FirstByte(head); i >= 0 && head[i] != '{' && head[i] != '[' && bytes.IndexByte(head, 0) >= 0 {
		d.Binary = "binary data of a kind not known here"
	}
	return nil
}

var utf8BOM = []byte("\xef\xbb\xbf")

// FirstByte is the index of the first byte that is not white space, or -1.
func FirstByte(b []byte) int {
	for i, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return i
		}
	}
	return -1
}

// utf16Order recognises UTF-16 by its BOM or, without one, by the NULs that
// ASCII leaves in every other byte.
func utf16Order(b []byte) (order *unicode.Endianness, bom bool) {
	le, be := unicode.LittleEndian, unicode.BigEndian
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return &le, true
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return &be, true
	}
	pairs := min(len(b), 512) / 2
	if pairs < 2 {
		return nil, false
	}
	var even, odd int
	for i := range pairs {
		if b[2*i] == 0 {
			even++
		}
		if b[2*i+1] == 0 {
			odd++
		}
	}
	switch {
	case odd*10 >= pairs*6 && even*20 <= pairs && b[0] != 0 && b[1] == 0:
		return &le, false
	case even*10 >= pairs*6 && odd*20 <= pairs && b[0] == 0 && b[1] != 0:
		return &be, false
	}
	return nil, false
}

const zipMagic = "PK\x03\x04"

// magics names what is not text by its first bytes. Archives may hold exports:
// leaving one unread leaves evidence unread.
var magics = []struct {
	at      int
	bytes   string
	is      string
	archive bool
}{
	{0, zipMagic, "a zip archive: unpack it first", true},
	{0, "PK\x05\x06", "an empty zip archive", false},
	{0, "%PDF", "a PDF document", false},
	{0, "PAR1", "a Parquet file: export it as JSON or CSV", true},
	{0, "Obj\x01", "an Avro file: export it as JSON or CSV", true},
	{0, "ORC", "an ORC file: export it as JSON or CSV", true},
	{0, "SQLite format 3\x00", "a SQLite database: export it as JSON or CSV", true},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first", true},
	{0, "Rar!\x1a\x07", "a RAR archive: unpack it first", true},
	{0, "BZh", "bzip2 data: unpack it first", true},
	{0, "\xfd7zXZ\x00", "xz data: unpack it first", true},
	{0, "\x04\x22\x4d\x18", "lz4 data: unpack it first", true},
	{257, "ustar", "a tar archive: unpack it first", true},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, or one with a password (for a workbook: save each sheet as CSV (UTF-8))", true},
	{0, "ElfFile\x00", "a Windows event log: export it as JSON", true},
	{0, "\x89PNG\r\n", "a PNG image", false},
	{0, "\xff\xd8\xff", "a JPEG image", false},
	{0, "GIF87a", "a GIF image", false},
	{0, "GIF89a", "a GIF image", false},
	{0, "RIFF", "a media file", false},
	{0, "MZ", "a Windows program", false},
	{0, "\x7fELF", "a Linux program", false},
	{0, "\xcf\xfa\xed\xfe", "a macOS program", false},
	{0, "\xca\xfe\xba\xbe", "a Java class or macOS program", false},
	{0, "\x00asm", "a WebAssembly module", false},
	{0, "wOF2", "a web font", false},
}

func magic(b []byte) (is string, archive bool) {
	for _, m := range magics {
		if len(b) < m.at+len(m.bytes) || string(b[m.at:m.at+len(m.bytes)]) != m.bytes {
			continue
		}
		switch m.bytes {
		case "MZ", "BZh", "ORC", "RIFF", "PAR1":
			if !Binary(b) { // a text may begin with these letters
				continue
			}
		case zipMagic:
			return ZipFlavour(b), true
		}
		return m.is, m.archive
	}
	return "", false
}

// Binary reports control bytes that no text has.
func Binary(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b || c == 0x7f {
			return true
		}
	}
	return false
}

// ZipFlavour says by its first bytes what a zip archive that does not open is.
func ZipFlavour(b []byte) string {
	s := string(b)
	switch {
	case strings.Contains(s, "xl/"):
		return "an Excel workbook: save each sheet as CSV (UTF-8)"
	case strings.Contains(s, "word/"):
		return "a Word document"
	case strings.Contains(s, "ppt/"):
		return "a PowerPoint presentation"
	case strings.Contains(s, "[Content_Types].xml"):
		return "an Office document (for a workbook: save each sheet as CSV (UTF-8))"
	}
	return "a zip archive: unpack it first"
}

// Fault says what is wrong with a stream, in words for its owner.
func Fault(err error, compression string) string {
	switch {
	case errors.Is(err, errBomb):
		return "the " + compression + " data expands out of all proportion; reading stopped there"
	case compression != "" && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return "the " + compression + " data ends too early; what came before was read"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return "the " + compression + " data is followed by something that is not " + compression
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, zip.ErrChecksum):
		return "the " + compression + " data is damaged: its checksum does not match"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return "the zstd data asks for more memory than is allowed"
	case compression != "":
		return "the " + compression + " data is damaged; what came before was read"
	}
	if p, ok := errors.AsType[*problem.Error](err); ok { // what reads says itself what is wrong, such as an archive
		return p.Error() + "; what came before was read"
	}
	return "reading stopped with an error of the system; what came before was read"
}
