package text

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// MaxEntries bounds the entries of an archive that are read.
const MaxEntries = 10_000

// maxDirectory bounds the list of an archive's files, in bytes.
const maxDirectory = 32 << 20

// directorySize is how large an archive says that its list of files is, 0 when
// it has none that can be found.
func directorySize(at io.ReaderAt, n int64) int64 {
	tail := make([]byte, min(n, 22+1<<16)) // the end record and the longest comment
	if _, err := at.ReadAt(tail, n-int64(len(tail))); err != nil && err != io.EOF {
		return 0
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < 22 {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(tail[i+12:]))
}

// Spent is what the archives of one input have become so far. It stops a bomb
// that is made of many entries, each of which looks harmless.
type Spent struct {
	Limits
	stored, out int64
}

// Over reports that the archives became more than they may.
func (s *Spent) Over() bool { return s.exceeded(s.stored, s.out) }

// NewSpent begins to count for an archive of so many stored bytes.
func NewSpent(stored int64, l Limits) *Spent { return &Spent{l, stored, 0} }

// OpenZip opens a zip archive. ErrDirectory says that its list of files is too
// long to be read.
func OpenZip(at io.ReaderAt, n int64) (*zip.Reader, error) {
	if directorySize(at, n) > maxDirectory {
		return nil, ErrDirectory
	}
	zr, err := zip.NewReader(at, n)
	if err != nil {
		return nil, err
	}
	zr.RegisterDecompressor(zstd.ZipMethodWinZip,
		zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)))
	return zr, nil
}

// ErrDirectory says that an archive lists far more than [MaxEntries] files.
var ErrDirectory = errors.New("an archive with too long a list of files")

// OpenEntry opens an entry of an archive whose entries s counts. why says in
// words for the owner why it cannot be read, if it cannot.
func OpenEntry(ctx context.Context, e *zip.File, s *Spent) (rc io.ReadCloser, why string) {
	switch {
	case e.Flags&1 != 0:
		return nil, "encrypted with a password: unpack it first"
	case e.Method != zip.Store && e.Method != zip.Deflate && e.Method != zstd.ZipMethodWinZip:
		return nil, fmt.Sprintf("compressed by %s, which is not read: unpack it first", zipMethod(e.Method))
	}
	rc, err := e.Open()
	if err != nil {
		return nil, "not to be opened, the archive is damaged: get it again, or unpack it first"
	}
	stored := &counter{ctx: ctx, n: int64(min(e.CompressedSize64, 1<<62))}
	return entryReader{&counter{r: &spending{rc, s}, ctx: ctx, under: stored, Limits: s.Limits}, rc}, ""
}

type entryReader struct {
	io.Reader
	io.Closer
}

// WorkbookKind is what [OfficeKind] calls a workbook that is read.
const WorkbookKind = "an Excel workbook"

// OfficeKind says which document of an office suite an archive is, "" for none.
func OfficeKind(zr *zip.Reader) string {
	content, kind := false, ""
	for i, e := range zr.File {
		switch name := strings.ToLower(e.Name); {
		case i == MaxEntries:
			return kind
		case name == "xl/workbook.xml":
			return WorkbookKind
		case name == "xl/workbook.bin":
			return "a binary Excel workbook (xlsb): save each sheet as CSV (UTF-8)"
		case name == "word/document.xml":
			return "a Word document"
		case name == "ppt/presentation.xml":
			return "a PowerPoint presentation"
		case name == "content.xml":
			kind = "an OpenDocument file (for a spreadsheet: save each sheet as CSV (UTF-8))"
		case name == "[content_types].xml":
			content = true
		}
	}
	if kind == "" && content {
		return "an Office document (for a workbook: save each sheet as CSV (UTF-8))"
	}
	return kind
}

// spending counts what all entries become together.
type spending struct {
	r io.Reader
	s *Spent
}

func (s *spending) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.s.out += int64(n); s.s.Over() {
		return n, errBomb
	}
	return n, err
}

func zipMethod(m uint16) string {
	names := map[uint16]string{
		1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 95: "xz", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES encryption",
	}
	if n, ok := names[m]; ok {
		return fmt.Sprintf("%s (method %d)", n, m)
	}
	return fmt.Sprintf("method %d", m)
}
