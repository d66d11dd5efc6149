package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Sink takes what a backup has, in its order; each may be nil. What it got counts
// when Read returned without an error, and not before.
type Sink struct {
	Begin func(Manifest) error
	Row   func(t db.Table, values []any) error
	File  func(f File, body []byte) error
	Tell  func(done, of int64) // bytes of the file, of how many
}

// Open opens the file of a backup. The error names the file.
func Open(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "the backup %s cannot be opened%s", file, problem.Reason(err))
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // a pipe would be waited for, and is not read twice
		_ = f.Close()
		return nil, problem.Wrap(err, problem.BadInput, "the backup %s is not a file", file)
	}
	return f, nil
}

// Read reads a whole backup and holds all of it to what it says of itself.
func Read(ctx context.Context, from io.Reader, m vault.Master, s Sink) (Backup, error) {
	var of int64
	if f, ok := from.(*os.File); ok && s.Tell != nil {
		if info, err := f.Stat(); err == nil {
			of = info.Size()
		}
	}
	sum := sha256.New()
	in := &counted{ctx: ctx, r: bufio.NewReaderSize(io.TeeReader(from, sum), 1<<18), of: of, tell: s.Tell}
	opened, who, err := vault.OpenStream(ctx, in, Line, m)
	if err != nil {
		return Backup{}, err
	}
	unpacked, err := zstd.NewReader(opened, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<23), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return Backup{}, bad("it is not packed as it should be")
	}
	defer unpacked.Close()
	b, err := readTar(&bounded{r: unpacked, in: in, free: freeRatio}, s)
	if err != nil {
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
		return b, err
	}
	if b.Vault != who.Vault || b.Master != who.Master || !b.Made.Equal(who.Made) {
		return b, bad("its head is another's")
	}
	b.Bytes, b.SHA256 = in.n, hex.EncodeToString(sum.Sum(nil))
	return b, nil
}

// counted counts what is read of the file, and ends with the context.
type counted struct {
	ctx  context.Context
	r    io.Reader
	n    int64
	of   int64
	tell func(done, of int64)
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	if c.n += int64(n); c.tell != nil {
		c.tell(c.n, c.of)
	}
	return n, err
}

// bounded ends what unpacks to far more than what it was packed into.
type bounded struct {
	r    io.Reader
	in   *counted
	free int64 // bytes that are not asked after
	n    int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > b.free+maxRatio*b.in.n {
		return 0, bad("it unpacks to more than %d times its size", maxRatio)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if _, ours := errors.AsType[*problem.Error](err); !ours {
			err = bad("it does not unpack")
		}
	}
	return n, err
}

type reader struct {
	tar  *tar.Reader
	sink Sink
	b    Backup
	name string // of the part that comes next; "" at the end
	size int64
}

// readTar reads what was unpacked.
func readTar(from io.Reader, s Sink) (Backup, error) {
	r := &reader{tar: tar.NewReader(from), sink: s}
	err := r.all()
	if err == nil {
		var one [1]byte
		if n, rerr := from.Read(one[:]); n > 0 || !errors.Is(rerr, io.EOF) {
			err = bad("it goes on after its end")
		}
	}
	return r.b, err
}

// next looks at the part that comes.
func (r *reader) next() error {
	h, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		r.name = ""
		return nil
	}
	if err != nil {
		return broken(err)
	}
	if h.Typeflag != tar.TypeReg || h.Name == "" || h.Size < 0 || h.Size > maxPart || h.Linkname != "" {
		return bad("one of its parts cannot be: %.100q", h.Name)
	}
	r.name, r.size = h.Name, h.Size
	return nil
}

// broken keeps an error of ours, and says of others that the parts do not hold.
func broken(err error) error {
	if _, ours := errors.AsType[*problem.Error](err); ours || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return bad("its parts cannot be read")
}

func (r *reader) body(most int64) ([]byte, error) {
	if r.size > most {
		return nil, bad("its part %.100q is too long", r.name)
	}
	raw := make([]byte, r.size)
	if _, err := io.ReadFull(r.tar, raw); err != nil {
		return nil, broken(err)
	}
	return raw, nil
}

// one reads a part that has to come now, as JSON.
func (r *reader) one(name string, to any) error {
	if r.name != name {
		return bad("%s is not where it should be", name)
	}
	raw, err := r.body(maxManifest)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return bad("%s cannot be read", name)
	}
	return r.next()
}

func (r *reader) all() error {
	if err := r.next(); err != nil {
		return err
	}
	if err := r.one(manifestName, &r.b.Manifest); err != nil {
		return err
	}
	if err := r.b.check(); err != nil {
		return err
	}
	if r.sink.Begin != nil {
		if err := r.sink.Begin(r.b.Manifest); err != nil {
			return err
		}
	}
	var got []Sum
	for _, t := range r.b.Tables {
		s, err := r.table(t)
		if err != nil {
			return err
		}
		got = append(got, s)
		r.b.Rows += s.Rows
	}
	for _, f := range r.b.Files {
		s, err := r.file(f)
		if err != nil {
			return err
		}
		got = append(got, s)
	}
	if err := r.one(sumsName, &r.b.Sums); err != nil {
		return err
	}
	if !slices.Equal(got, r.b.Sums) {
		return bad("what it has is not what it says it has")
	}
	if r.name != "" {
		return bad("it has a part too many: %.100q", r.name)
	}
	return nil
}

func (r *reader) table(t db.Table) (Sum, error) {
	s := Sum{Name: path.Join("db", t.Name)}
	total := sha256.New()
	for piece := 1; strings.HasPrefix(r.name, s.Name+"/"); piece++ {
		if piece > maxPieces || r.name != pieceName(s.Name, piece) {
			return s, bad("the pieces of the table %s are in no order", t.Name)
		}
		raw, err := r.body(maxPart)
		if err != nil {
			return s, err
		}
		hashed(&s, total, raw)
		for len(raw) > 0 {
			line, rest, ok := bytes.Cut(raw, []byte{'\n'})
			if !ok {
				return s, bad("a row of %s has no end", t.Name)
			}
			values, err := decodeRow(t, line)
			if err != nil {
				return s, err
			}
			s.Rows++
			if r.sink.Row != nil {
				if err := r.sink.Row(t, values); err != nil {
					return s, err
				}
			}
			raw = rest
		}
		if err := r.next(); err != nil {
			return s, err
		}
	}
	s.SHA256 = hex.EncodeToString(total.Sum(nil))
	return s, nil
}

func (r *reader) file(f File) (Sum, error) {
	s := Sum{Name: path.Join("files", f.Name)}
	if r.name != s.Name {
		return s, bad("%s is not where it should be", s.Name)
	}
	raw, err := r.body(maxFile)
	if err != nil {
		return s, err
	}
	sum := sha256.Sum256(raw)
	s.Bytes, s.SHA256 = r.size, hex.EncodeToString(sum[:])
	if r.sink.File != nil {
		if err := r.sink.File(f, raw); err != nil {
			return s, err
		}
	}
	return s, r.next()
}
