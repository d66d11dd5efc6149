package intake

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/evidence"
)

const (
	// maxEntries bounds the entries of an archive that are read.
	maxEntries = 10_000
	// maxBuffered bounds an archive that cannot be read from its end, because it
	// comes through a pipe or lies in another: it is held in memory.
	maxBuffered = 64 << 20
	// maxArchives is how deep archives may lie in each other.
	maxArchives = 2
)

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

// spent is what the archives of one input have become so far. It stops a bomb
// that is made of many entries, each of which looks harmless.
type spent struct {
	stored, out int64
}

// archive reads a zip: a workbook as its sheets, any other entry by entry, each
// as an input of its own called archive!entry.
func (f *file) archive(d decoded) error {
	at, n := f.at0, f.size
	if at == nil || d.compression != "" {
		b, err := io.ReadAll(io.LimitReader(d.raw, maxBuffered+1))
		if err != nil {
			return err
		}
		if len(b) > maxBuffered {
			f.in.Format = "zip"
			f.fault(f.at(place{}), 0, fmt.Sprintf("a zip archive larger than %s, inside another file or from a pipe: unpack it first", size(maxBuffered)))
			return nil
		}
		at, n = bytes.NewReader(b), int64(len(b))
	}
	f.in.Format = "zip"
	if directorySize(at, n) > maxDirectory {
		f.fault(f.at(place{}), 0, fmt.Sprintf("a zip archive with far more than %d files: unpack it first", maxEntries))
		return nil
	}
	zr, err := zip.NewReader(at, n)
	if err != nil {
		f.in.Format = "binary"
		what := zipFlavour(d.head)
		if !strings.Contains(what, ":") { // a letter or slides
			f.foreign(what)
			return nil
		}
		f.fault(f.at(place{}), 0, "this is "+what+"; it cannot be opened as it is, it is damaged or cut off")
		return nil
	}
	zr.RegisterDecompressor(zstd.ZipMethodWinZip,
		zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)))
	switch what := officeKind(zr); what {
	case "":
	case workbookKind:
		return f.workbook(zr, at, n)
	default:
		f.in.Format = "binary"
		if strings.Contains(what, "CSV") { // it may well hold an export
			f.fault(f.at(place{}), 0, what)
		} else {
			f.foreign(what)
		}
		return nil
	}
	if f.depth >= maxArchives {
		f.fault(f.at(place{}), 0, "an archive in an archive in an archive: unpack it first")
		return nil
	}
	if f.spent == nil {
		f.spent = &spent{}
	}
	if f.depth == 0 {
		f.spent.stored = n
	}
	return f.entries(zr)
}

const workbookKind = "an Excel workbook"

// officeKind says which document of an office suite an archive is, "" for none.
func officeKind(zr *zip.Reader) string {
	content, kind := false, ""
	for i, e := range zr.File {
		switch name := strings.ToLower(e.Name); {
		case i == maxEntries:
			return kind
		case name == "xl/workbook.xml":
			return workbookKind
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

// entries reads the entries of an archive one after the other.
func (f *file) entries(zr *zip.Reader) error {
	names := make(map[string]int)
	read := 0
	for _, e := range zr.File {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		if e.FileInfo().IsDir() || strings.HasPrefix(e.Name, "__MACOSX/") || strings.HasSuffix(e.Name, "/.DS_Store") || e.Name == ".DS_Store" {
			continue
		}
		if read++; read > maxEntries {
			f.fault(f.at(place{}), 0, fmt.Sprintf("the archive has more than %d files; the rest was not read: unpack it first", maxEntries))
			return nil
		}
		name := strings.Map(printable, strings.ToValidUTF8(e.Name, "?"))
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		in := evidence.Input{Path: f.in.Path + "!" + name, Bytes: int64(min(e.CompressedSize64, 1<<62))}
		g := &file{ctx: f.ctx, o: f.o, sink: f.sink, in: &in, named: f.named,
			pages: f.pages, number: f.pages.input(), depth: f.depth + 1, spent: f.spent, within: "zip"}
		err := g.entry(e)
		f.inner = append(f.inner, g.accounts()...)
		if err != nil {
			return err
		}
		if f.spent.over(f.o) {
			f.fault(f.at(place{}), 0, "the archive expands out of all proportion; reading stopped there")
			return nil
		}
	}
	if read == 0 {
		f.emptyFile("the archive holds no file")
	}
	return nil
}

// reading is what became of an input, and its number among all.
type reading struct {
	evidence.Input
	number int
}

// accounts are the inputs that a file turned out to be. An archive has an
// account of its own only when something is to be said of it.
func (f *file) accounts() []reading {
	own := reading{*f.in, f.number}
	if len(f.inner) == 0 {
		return []reading{own}
	}
	if !f.broken {
		return f.inner
	}
	for i := range f.inner { // what was not read may be more of the same
		for kind := range f.inner[i].Kinds {
			own.Shorten(evidence.Cut{Kind: kind, Why: "comes from an archive that was not read whole", Source: f.at(place{})})
		}
	}
	return append([]reading{own}, f.inner...)
}

// over reports that the archives became more than they may.
func (s *spent) over(o Options) bool { return s.out > o.ExpansionFloor && s.out/o.Expansion > s.stored }

// entry reads one entry.
func (f *file) entry(e *zip.File) error {
	why := ""
	switch {
	case e.Flags&1 != 0:
		why = "encrypted with a password: unpack it first"
	case e.Method != zip.Store && e.Method != zip.Deflate && e.Method != zstd.ZipMethodWinZip:
		why = fmt.Sprintf("compressed by %s, which is not read: unpack it first", zipMethod(e.Method))
	}
	var rc io.ReadCloser
	if why == "" {
		var err error
		if rc, err = e.Open(); err != nil {
			why = "not to be opened, the archive is damaged: get it again, or unpack it first"
		}
	}
	if why != "" {
		f.in.Compression = "zip"
		f.fault(f.at(place{}), 0, "this file of the archive is "+why)
		return f.finish(nil)
	}
	defer rc.Close()
	stored := &counter{ctx: f.ctx, n: int64(min(e.CompressedSize64, 1<<62))}
	r := &counter{r: &spending{rc, f.spent, f.o}, ctx: f.ctx, under: stored, ratio: f.o.Expansion, floor: f.o.ExpansionFloor}
	return f.read(r)
}

// spending counts what all entries become together.
type spending struct {
	r io.Reader
	s *spent
	o Options
}

func (s *spending) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.s.out += int64(n); s.s.over(s.o) {
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
