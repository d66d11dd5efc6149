package read

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"unsafe"
)

// pipe is what chunks go through. Whoever is free reads the next one and judges it, so
// that it stays in the cache of the core that read, or decompressed, it.
type pipe struct {
	reading sync.Mutex // guards in
	in      lineReader

	ahead chan struct{} // one for each chunk read and not yet settled

	chunks, free chan *chunk // only where somebody reads ahead

	settling sync.Mutex // guards what follows; held while told is full
	gone     error
	waiting  map[int]chunkResult
	next     int
	rows     int
	told     chan chunkResult // in the order of the stream, those that say more than a number
}

// read fills c with the next chunk; false at the end.
func (p *pipe) read(ctx context.Context, c *chunk) bool {
	select {
	case p.ahead <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	return ctx.Err() == nil && p.in.next(c)
}

// settle takes the result of a chunk and hands out those whose turn it is.
func (p *pipe) settle(res chunkResult) {
	p.settling.Lock()
	defer p.settling.Unlock()
	p.waiting[res.seq] = res
	for {
		res, ok := p.waiting[p.next]
		if !ok {
			return
		}
		delete(p.waiting, p.next)
		p.next++
		p.rows += res.rows
		if len(res.notes)+len(res.others) > 0 {
			p.told <- res
		}
		<-p.ahead
	}
}

// readAhead has a goroutine of its own read chunks, of which there are n.
func (p *pipe) readAhead(ctx context.Context, n int) {
	p.chunks, p.free = make(chan *chunk, n), make(chan *chunk, n)
	for range n {
		p.free <- new(chunk)
	}
	go func() {
		defer close(p.chunks)
		for {
			select {
			case c := <-p.free:
				if !p.read(ctx, c) {
					return
				}
				p.chunks <- c // there is room
			case <-ctx.Done():
				return
			}
		}
	}()
}

// take gives the next chunk, which may be own; false at the end.
func (p *pipe) take(ctx context.Context, own *chunk) (*chunk, bool) {
	if p.chunks == nil {
		return own, p.read(ctx, own)
	}
	c, ok := <-p.chunks
	return c, ok && ctx.Err() == nil
}

// run judges chunks until there are no more, or it is useless to go on.
func (w *lineWorker[F]) run(ctx context.Context, p *pipe, stop func()) {
	if len(w.lines.Head) > 0 {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if err := goneBy(recover(), w.lines.Head); err != nil {
				p.settling.Lock()
				p.gone = err
				p.settling.Unlock()
				stop()
			}
		}()
	}
	var own chunk
	for {
		c, ok := p.take(ctx, &own)
		if !ok {
			return
		}
		res := w.work(c)
		if c.inPlace && w.lines.Release != nil {
			w.lines.Release(c.data)
		}
		if p.free != nil {
			p.free <- c
		}
		p.settle(res)
		if w.fold.Err() != nil {
			stop()
		}
	}
}

// ErrGone says that a mapped file could not be read to its end: it was cut meanwhile, or its
// disk failed.
var ErrGone = errors.New("the file was cut while it was read, or cannot be read any more")

// goneBy is ErrGone for the panic of a fault in the memory of head; any other panic goes on.
func goneBy(panicked any, head []byte) error {
	if panicked == nil {
		return nil
	}
	if fault, ok := panicked.(interface {
		runtime.Error
		Addr() uintptr
	}); ok && fault.Addr()-uintptr(unsafe.Pointer(unsafe.SliceData(head))) < uintptr(len(head)) {
		return ErrGone
	}
	panic(panicked)
}
