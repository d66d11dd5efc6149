package view

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// chunk is how much is handed from the maker of a file to its reader at once.
const chunk = 256 << 10

// sink takes what a file is made of.
type sink struct {
	ctx  context.Context
	buf  []byte
	to   chan<- piece
	free <-chan []byte
	read <-chan struct{} // what was lent was read
	over error           // the reader is gone
}

// piece is a part of a file.
type piece struct {
	b    []byte
	lent bool // its memory is somebody else's
}

// put adds bytes.
func (s *sink) put(parts ...[]byte) {
	for _, b := range parts {
		s.buf = append(s.buf, b...)
	}
	if len(s.buf) >= chunk {
		s.flush()
	}
}

func (s *sink) text(t string) { s.put([]byte(t)) }

func (s *sink) flush() {
	if s.over != nil || len(s.buf) == 0 {
		s.buf = s.buf[:0]
		return
	}
	select {
	case s.to <- piece{b: s.buf}:
	case <-s.ctx.Done():
		s.over = s.ctx.Err()
	}
	select {
	case b := <-s.free:
		s.buf = b[:0]
	default:
		s.buf = make([]byte, 0, chunk+chunk/4)
	}
}

// lend adds bytes without copying them, and returns when they were read.
func (s *sink) lend(b []byte) error {
	if s.flush(); s.over != nil {
		return s.over
	}
	select {
	case s.to <- piece{b, true}:
		<-s.read // the reader, and whoever closes it, always says so
	case <-s.ctx.Done():
		s.over = s.ctx.Err()
	}
	return s.over
}

// stream is an open file.
type stream struct {
	info
	f    *file
	ctx  context.Context
	stop context.CancelFunc
	from chan piece
	free chan []byte
	read chan struct{}
	held piece // what cur is part of
	cur  []byte
	err  error // of making; valid once from is closed
	done bool
}

// newStream gives a file that is made when it is first read.
func newStream(ctx context.Context, f *file) *stream {
	ctx, stop := context.WithCancel(ctx)
	return &stream{info: info{name: f.name, at: f.at}, f: f, ctx: ctx, stop: stop}
}

func (s *stream) begin() {
	s.from, s.free, s.read = make(chan piece, 2), make(chan []byte, 4), make(chan struct{}, 1)
	out := &sink{ctx: s.ctx, to: s.from, free: s.free, read: s.read, buf: make([]byte, 0, chunk+chunk/4)}
	go func() {
		defer close(s.from)
		if s.err = s.f.make(s.ctx, out); s.err == nil {
			out.flush()
			s.err = out.over
		}
	}()
}

// Read gives what the file is made of.
func (s *stream) Read(to []byte) (int, error) {
	if s.done {
		return 0, fs.ErrClosed
	}
	if s.from == nil {
		s.begin()
	}
	for len(s.cur) == 0 {
		s.giveBack()
		p, ok := <-s.from
		if !ok {
			if s.err != nil {
				return 0, s.err
			}
			return 0, io.EOF
		}
		s.held, s.cur = p, p.b
	}
	n := copy(to, s.cur)
	s.cur = s.cur[n:]
	return n, nil
}

// giveBack lets the maker have what was read.
func (s *stream) giveBack() {
	switch {
	case s.held.lent:
		s.read <- struct{}{}
	case s.held.b != nil:
		select {
		case s.free <- s.held.b:
		default:
		}
	}
	s.held, s.cur = piece{}, nil
}

// Stat implements fs.File.
func (s *stream) Stat() (fs.FileInfo, error) { return s.info, nil }

// Close ends the making.
func (s *stream) Close() error {
	if s.done {
		return nil
	}
	s.done = true
	s.stop()
	if s.from != nil {
		s.giveBack()
		for s.held = range s.from { // its maker is not left behind
			s.giveBack()
		}
	}
	return nil
}

// errEnough ends a reading without fault.
var errEnough = errors.New("enough")
