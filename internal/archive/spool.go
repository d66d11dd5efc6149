package archive

import (
	"bytes"
	"io"
	"os"
	"sync"

	"partnerguard/internal/problem"
)

// inMemory is how much of a segment is held in memory before it goes to a file: of
// segments of a few MiB none does.
const inMemory = 8 << 20

// block is a part of what is held in memory. Blocks go from segment to segment.
type block [256 << 10]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// spool holds a segment until it is committed: in memory, then in a temporary file
// without a name.
type spool struct {
	held []*block
	size int // bytes in held
	file *os.File
	name string // where the system does not unlink open files
}

func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && s.size+len(b) <= inMemory {
		return s.hold(b), nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "partnerguard-*")
		if err != nil {
			return 0, full(err)
		}
		s.file = f
		if os.Remove(f.Name()) != nil {
			s.name = f.Name()
		}
		if _, err := io.Copy(f, s.inMemory()); err != nil {
			return 0, full(err)
		}
		s.free()
	}
	n, err := s.file.Write(b)
	if err != nil {
		err = full(err)
	}
	return n, err
}

// hold holds b in memory.
func (s *spool) hold(b []byte) (n int) {
	for len(b) > n {
		at := s.size % len(block{})
		if at == 0 {
			s.held = append(s.held, blocks.Get().(*block))
		}
		got := copy(s.held[len(s.held)-1][at:], b[n:])
		n += got
		s.size += got
	}
	return n
}

// inMemory gives what is held in memory from the start.
func (s *spool) inMemory() io.Reader {
	var parts []io.Reader
	for i, b := range s.held {
		parts = append(parts, bytes.NewReader(b[:min(len(b), s.size-i*len(b))]))
	}
	return io.MultiReader(parts...)
}

func (s *spool) free() {
	for _, b := range s.held {
		blocks.Put(b)
	}
	s.held, s.size = nil, 0
}

func full(err error) error {
	return problem.Wrap(err, problem.Limit, "what was read could not be kept in a temporary file").WithHint("point TMPDIR at a folder with room")
}

// reader gives all of it from the start.
func (s *spool) reader(size int64) io.Reader {
	if s.file == nil {
		return s.inMemory()
	}
	return io.NewSectionReader(s.file, 0, size)
}

func (s *spool) close() {
	s.free()
	if s.file != nil {
		_ = s.file.Close()
		if s.name != "" {
			_ = os.Remove(s.name)
		}
	}
	*s = spool{}
}
