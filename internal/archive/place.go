package archive

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3://
	"gocloud.dev/gcerrors"

	"partnerguard/internal/problem"
)

// place is where objects lie.
type place struct {
	bucket *blob.Bucket
	dir    string // of a folder; "" in an object store
	label  string // how it is named to people: without the query of an address
}

// openPlace opens the place that an address names, or the folder dir without one.
// A folder is made when something is to be written.
func openPlace(ctx context.Context, address, dir string) (*place, error) {
	if address == "" {
		return folder(dir)
	}
	u, err := parsePlace(address, func(format string, args ...any) *problem.Error { return problem.New(problem.Usage, format, args...) })
	if err != nil {
		return nil, err
	}
	if u.Scheme == "file" {
		return folder(filepath.FromSlash(u.Path))
	}
	label := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the archive at %s cannot be opened", label).
			WithHint("check the address, and the environment variables that hold the store's keys")
	}
	return &place{bucket: b, label: label}, nil
}

func folder(dir string) (*place, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the archive's folder %s cannot be made", dir).
			WithHint("check who may write there, and the disk's room")
	}
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, DirFileMode: 0o700, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the archive's folder %s cannot be opened", dir)
	}
	return &place{bucket: b, dir: dir, label: dir}, nil
}

// put writes an object whole; after an error nothing of it is there, as far as the
// place can tell.
func (p *place) put(ctx context.Context, key string, r io.Reader) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w, err := p.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/zstd", DisableContentTypeDetection: true, IfNotExist: true})
	if err != nil {
		return p.failed(err, "written to")
	}
	if _, err := io.Copy(w, r); err != nil {
		stop() // a closed writer would commit what there is
		_ = w.Close()
		return p.failed(err, "written to")
	}
	if err := w.Close(); err != nil {
		return p.failed(err, "written to")
	}
	if err := p.sync(key); err != nil {
		_ = p.bucket.Delete(context.WithoutCancel(ctx), key)
		return p.failed(err, "written to")
	}
	return nil
}

// sync makes a file and the folders that lead to it durable.
func (p *place) sync(key string) error {
	if p.dir == "" {
		return nil
	}
	whole := filepath.Join(p.dir, filepath.FromSlash(key))
	if err := os.Chmod(whole, 0o600); err != nil {
		return err
	}
	for path := whole; len(path) >= len(p.dir); path = filepath.Dir(path) {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = f.Sync()
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// size is how many bytes an object has.
func (p *place) size(ctx context.Context, key string) (int64, error) {
	a, err := p.bucket.Attributes(ctx, key)
	if err != nil {
		return 0, p.failed(err, "read from")
	}
	return a.Size, nil
}

// remove deletes an object; one that is not there is removed.
func (p *place) remove(ctx context.Context, key string) error {
	if err := p.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return p.failed(err, "changed")
	}
	return nil
}

func (p *place) failed(err error, verb string) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case gcerrors.Code(err) == gcerrors.NotFound:
		return problem.Wrap(err, problem.NotFound, "the archive at %s does not have it", p.label).
			WithHint("partnerguard archive verify names what is missing")
	}
	return problem.Wrap(err, problem.Unavailable, "the archive at %s cannot be %s", p.label, verb).
		WithHint("check that it can be reached, who may write there, and its room; nothing half-done stays")
}

// object is one object as package segment reads it.
type object struct {
	p   *place
	key string
}

// Range gives n bytes from off.
func (o object) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := o.p.bucket.NewRangeReader(ctx, o.key, off, n, nil)
	if err != nil {
		return nil, o.p.failed(err, "read from")
	}
	return r, nil
}
