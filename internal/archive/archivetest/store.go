package archivetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// Store is an object store in memory whose bad days a test chooses. Use
// [Store.Bucket]. Safe for concurrent use.
type Store struct {
	// Fail, when set, is asked before each operation, write, close, read, attributes,
	// delete or list, and may fail it, or wait. Set before use.
	Fail func(ctx context.Context, op, key string) error

	mu      sync.Mutex
	objects map[string][]byte
}

// Bucket is the store as gocloud.dev has it.
func (s *Store) Bucket() *blob.Bucket { return blob.NewBucket(&bucket{s: s}) }

// Keys are what is in it, sorted.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Bytes are all bytes of it.
func (s *Store) Bytes() (out []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.objects {
		out = append(out, b...)
	}
	return out
}

var errNone = errors.New("no such object")

func (s *Store) ask(ctx context.Context, op, key string) error {
	if s.Fail != nil {
		if err := s.Fail(ctx, op, key); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Store) get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, errNone
	}
	return b, nil
}

// bucket has what the archive uses of a driver.
type bucket struct {
	driver.Bucket
	s *Store
}

func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, errNone) {
		return gcerrors.NotFound
	}
	return gcerrors.Unknown
}
func (b *bucket) As(any) bool             { return false }
func (b *bucket) ErrorAs(error, any) bool { return false }
func (b *bucket) Close() error            { return nil }

func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	if err := b.s.ask(ctx, "attributes", key); err != nil {
		return nil, err
	}
	o, err := b.s.get(key)
	return &driver.Attributes{Size: int64(len(o)), ModTime: time.Now()}, err
}

func (b *bucket) ListPaged(ctx context.Context, _ *driver.ListOptions) (*driver.ListPage, error) {
	if err := b.s.ask(ctx, "list", ""); err != nil {
		return nil, err
	}
	p := &driver.ListPage{}
	for _, key := range b.s.Keys() {
		o, err := b.s.get(key)
		if err == nil {
			p.Objects = append(p.Objects, &driver.ListObject{Key: key, Size: int64(len(o))})
		}
	}
	return p, nil
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, off, n int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if err := b.s.ask(ctx, "read", key); err != nil {
		return nil, err
	}
	o, err := b.s.get(key)
	if err != nil {
		return nil, err
	}
	size := int64(len(o))
	o = o[min(off, size):]
	if n >= 0 {
		o = o[:min(n, int64(len(o)))]
	}
	return &reader{bytes.NewReader(o), size}, nil
}

type reader struct {
	*bytes.Reader
	size int64
}

func (r *reader) Close() error { return nil }
func (r *reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: r.size}
}
func (r *reader) As(any) bool { return false }

func (b *bucket) NewTypedWriter(ctx context.Context, key, _ string, _ *driver.WriterOptions) (driver.Writer, error) {
	return &writer{ctx: ctx, s: b.s, key: key}, nil
}

func (b *bucket) Delete(ctx context.Context, key string, _ *driver.DeleteOptions) error {
	if err := b.s.ask(ctx, "delete", key); err != nil {
		return err
	}
	if _, err := b.s.get(key); err != nil {
		return err
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	delete(b.s.objects, key)
	return nil
}

// writer keeps an object when it is closed, unless its context ended before.
type writer struct {
	ctx  context.Context
	s    *Store
	key  string
	body bytes.Buffer
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.s.ask(w.ctx, "write", w.key); err != nil {
		return 0, err
	}
	return w.body.Write(p)
}

func (w *writer) Close() error {
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	err := w.s.ask(w.ctx, "close", w.key)
	if err != nil && !errors.Is(err, ErrLate) {
		return err
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.objects == nil {
		w.s.objects = map[string][]byte{}
	}
	w.s.objects[w.key] = bytes.Clone(w.body.Bytes())
	return err
}

// ErrLate fails a close whose object is there all the same: an answer that was lost.
var ErrLate = errors.New("the answer was lost")

var _ io.WriteCloser = (*writer)(nil)
