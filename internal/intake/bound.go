package intake

import (
	"context"
	"io"
)

// Bound is r whose reading ends with ctx: a pipe that nobody writes into, and a
// terminal nobody types at, would hold a program that was told to end. What was
// being read then is lost; the reading itself is left behind. One goroutine reads at
// a time.
func Bound(ctx context.Context, r io.Reader) io.Reader {
	return &bound{ctx: ctx, r: r, got: make(chan chunk, 1), buf: make([]byte, 128<<10)}
}

type bound struct {
	ctx  context.Context
	r    io.Reader
	got  chan chunk
	buf  []byte
	rest []byte
	err  error
}

type chunk struct {
	n   int
	err error
}

func (b *bound) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && b.err == nil {
		if err := b.ctx.Err(); err != nil {
			return 0, err
		}
		go func() {
			n, err := b.r.Read(b.buf)
			b.got <- chunk{n, err}
		}()
		select {
		case c := <-b.got:
			b.rest, b.err = b.buf[:c.n], c.err
		case <-b.ctx.Done():
			b.err = b.ctx.Err() // and the buffer is never looked at again
			return 0, b.err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) > 0 {
		return n, nil
	}
	return n, b.err
}
