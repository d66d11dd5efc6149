package intake

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

const (
	// maxBuffered bounds an archive that cannot be read from its end, because it
	// comes through a pipe or lies in another: it is held in memory.
	maxBuffered = 64 << 20
	// maxArchives is how deep archives may lie in each other.
	maxArchives = 2
)

// archive reads a zip: a workbook as its sheets, any other entry by entry, each
// as an input of its own called archive!entry.
func (f *file) archive(d text.Opened) error {
	at, n := f.at0, f.size
	if at == nil || d.Compression != "" {
		b, err := io.ReadAll(io.LimitReader(d.Raw, maxBuffered+1))
		if err != nil {
			return err
		}
		if len(b) > maxBuffered {
			f.in.Format = "zip"
			f.fault(f.at(place{}), 0, fmt.Sprintf("a zip archive larger than %s, inside another file or from a pipe: unpack it first", text.Size(maxBuffered)))
			return nil
		}
		at, n = bytes.NewReader(b), int64(len(b))
	}
	f.in.Format = "zip"
	zr, err := text.OpenZip(at, n)
	if err == text.ErrDirectory {
		f.fault(f.at(place{}), 0, fmt.Sprintf("a zip archive with far more than %d files: unpack it first", text.MaxEntries))
		return nil
	}
	if err != nil {
		f.in.Format = "binary"
		what := text.ZipFlavour(d.Head)
		if !strings.Contains(what, ":") { // a letter or slides
			f.foreign(what)
			return nil
		}
		f.fault(f.at(place{}), 0, "this is "+what+"; it cannot be opened as it is, it is damaged or cut off")
		return nil
	}
	switch what := text.OfficeKind(zr); what {
	case "":
	case text.WorkbookKind:
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
		f.spent = text.NewSpent(n, f.o.limits())
	}
	return f.entries(zr)
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
		if read++; read > text.MaxEntries {
			f.fault(f.at(place{}), 0, fmt.Sprintf("the archive has more than %d files; the rest was not read: unpack it first", text.MaxEntries))
			return nil
		}
		name := strings.Map(text.Printable, strings.ToValidUTF8(e.Name, "?"))
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		in := evidence.Input{Path: f.in.Path + "!" + name, Bytes: int64(min(e.CompressedSize64, 1<<62)), Times: f.entryTimes(e)}
		g := &file{ctx: f.ctx, o: f.o, sink: f.sink, in: &in, named: f.named,
			ahead: f.ahead, pages: f.pages, number: f.pages.input(), depth: f.depth + 1, spent: f.spent, within: "zip"}
		err := g.entry(e)
		f.ahead.ended(g)
		f.inner = append(f.inner, g.accounts()...)
		if err != nil {
			return err
		}
		if f.spent.Over() {
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

// entry reads one entry.
func (f *file) entry(e *zip.File) error {
	rc, why := text.OpenEntry(f.ctx, e, f.spent)
	if why != "" {
		f.in.Compression = "zip"
		f.fault(f.at(place{}), 0, "this file of the archive is "+why)
		return f.finish(nil)
	}
	defer func() { _ = rc.Close() }() // read only
	return f.read(rc)
}
