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
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Source is what a backup is made of.
type Source struct {
	DB    *db.DB
	Vault *vault.Vault
	// Describe fills in what only the caller knows of the installation, within the
	// snapshot that its context carries.
	Describe func(context.Context, *Manifest) error
	// Files are the contents of the manifest's files, by name.
	Files map[string][]byte
	// Tell, if not nil, hears how many rows were written, of how many.
	Tell func(done, of int64)
}

// WriteFile writes a backup to a file, whole or not at all, for its owner alone,
// while others write into the database: it is of one moment. What was written is
// read back before it takes the name. Another backup of that name is replaced, any
// other file refused.
func WriteFile(ctx context.Context, file string, m vault.Master, s Source) (_ Backup, err error) {
	if err := vault.OnlyOver(file, Line, "a backup"); err != nil {
		return Backup{}, err
	}
	failed := func(err error) error {
		if _, ours := errors.AsType[*problem.Error](err); ours || ctx.Err() != nil {
			return err
		}
		return problem.Wrap(err, problem.Limit, "the backup %s cannot be written%s", file, problem.Reason(err)).
			WithHint("its folder must exist, be yours and have room")
	}
	clearStale(filepath.Dir(file))
	f, err := os.CreateTemp(filepath.Dir(file), unfinished+"*") // mode 0600
	if err != nil {
		return Backup{}, failed(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	disk := &told{w: f}
	w := bufio.NewWriterSize(disk, 1<<18)
	if err = Write(ctx, w, s); err == nil {
		err = errors.Join(w.Flush(), f.Sync())
	} else if _, ours := errors.AsType[*problem.Error](err); !ours && disk.err == nil && ctx.Err() == nil {
		err = problem.Wrap(err, problem.BadInput, "the database %s cannot be read whole", s.DB.Where()).
			WithHint("partnerguard trail verify and vault check look at it")
	}
	if err != nil {
		return Backup{}, failed(err)
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return Backup{}, failed(err)
	}
	b, err := Read(ctx, f, m, Sink{})
	if err != nil {
		return b, failed(err)
	}
	if err = f.Close(); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return b, failed(err)
	}
	if dir, derr := os.Open(filepath.Dir(file)); derr == nil {
		_ = dir.Sync() // what cannot sync a folder has no need to
		_ = dir.Close()
	}
	return b, nil
}

// unfinished is how a backup is called before it has its name.
const unfinished = ".partnerguard-backup-"

// clearStale removes what killed backups left in a folder. One that is being written
// is touched all the time.
func clearStale(dir string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range list {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && strings.HasPrefix(e.Name(), unfinished) && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// told remembers that writing failed.
type told struct {
	w   io.Writer
	err error
}

func (t *told) Write(b []byte) (int, error) {
	n, err := t.w.Write(b)
	if err != nil {
		t.err = err
	}
	return n, err
}

// Write writes a backup.
func Write(ctx context.Context, to io.Writer, s Source) error {
	return s.DB.Snapshot(ctx, func(ctx context.Context) error {
		sealed, who, err := s.Vault.SealStream(ctx, to, Line)
		if err != nil {
			return err
		}
		m := Manifest{Form: 1, Made: who.Made, Vault: who.Vault, Master: who.Master, Database: s.DB.Dialect}
		if m.Schema, err = s.DB.Schema(ctx); err != nil {
			return err
		}
		if m.Tables, err = tables(ctx, s.DB, m.Schema); err != nil {
			return err
		}
		if err := s.Describe(ctx, &m); err != nil {
			return err
		}
		if err := m.check(); err != nil {
			return problem.Wrap(err, problem.Internal, "a backup of this installation cannot be made: %s", err)
		}
		packed, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<22))
		if err != nil {
			return err
		}
		w := &writer{s: &s, m: &m, tar: tar.NewWriter(packed)}
		if err := w.all(ctx); err != nil {
			return err
		}
		return errors.Join(w.tar.Close(), packed.Close(), sealed.Close())
	})
}

// tables are those of the schema, which the database has to have as they are.
func tables(ctx context.Context, d *db.DB, schema int64) ([]db.Table, error) {
	known, err := db.Known(context.WithoutCancel(ctx), schema)
	if err != nil {
		return nil, err
	}
	have, err := d.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range known {
		if !slices.ContainsFunc(have, t.Same) {
			return nil, problem.New(problem.BadInput, "the table %s of %s is not there, or not as partnerguard made it", t.Name, d.Where()).
				WithHint("something else changed the database: find out what, or restore a backup from before")
		}
	}
	return known, nil
}

type writer struct {
	s        *Source
	m        *Manifest
	tar      *tar.Writer
	sums     []Sum
	done, of int64
}

func (w *writer) all(ctx context.Context) error {
	if err := w.json(manifestName, w.m); err != nil {
		return err
	}
	if w.s.Tell != nil {
		for _, t := range w.m.Tables {
			n, err := w.s.DB.Count(ctx, t)
			if err != nil {
				return err
			}
			w.of += n
		}
	}
	for _, t := range w.m.Tables {
		if err := w.table(ctx, t); err != nil {
			return err
		}
	}
	for _, f := range w.m.Files {
		body := w.s.Files[f.Name]
		if len(body) > maxFile {
			return problem.New(problem.Limit, "%s has more than %d bytes", f.Path, maxFile)
		}
		name := path.Join("files", f.Name)
		if err := w.part(name, body); err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		w.sums = append(w.sums, Sum{Name: name, Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:])})
	}
	return w.json(sumsName, w.sums)
}

func (w *writer) table(ctx context.Context, t db.Table) error {
	sum := Sum{Name: path.Join("db", t.Name)}
	var piece bytes.Buffer
	var pieces int
	total := sha256.New()
	flush := func() error {
		if piece.Len() == 0 {
			return nil
		}
		pieces++
		hashed(&sum, total, piece.Bytes())
		err := w.part(pieceName(sum.Name, pieces), piece.Bytes())
		piece.Reset()
		return err
	}
	err := w.s.DB.Rows(ctx, t, func(values []any) error {
		line, err := encodeRow(t, values)
		if err != nil {
			return err
		}
		if piece.Len() > 0 && piece.Len()+len(line) > pieceBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		piece.Write(line)
		sum.Rows++
		if w.done++; w.s.Tell != nil && w.done%256 == 0 {
			w.s.Tell(w.done, max(w.of, w.done))
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	sum.SHA256 = hex.EncodeToString(total.Sum(nil))
	w.sums = append(w.sums, sum)
	return err
}

func hashed(s *Sum, total hash.Hash, body []byte) {
	s.Bytes += int64(len(body))
	total.Write(body)
}

func pieceName(table string, n int) string { return fmt.Sprintf("%s/%06d.jsonl", table, n) }

func (w *writer) json(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.part(name, raw)
}

func (w *writer) part(name string, body []byte) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), ModTime: w.m.Made, Format: tar.FormatPAX})
	if err == nil {
		_, err = w.tar.Write(body)
	}
	return err
}
