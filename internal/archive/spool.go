package archive

import (
	"bytes"
	"io"
	"os"

	"partnerguard/internal/problem"
)

// inMemory is how much of a segment is held in memory before it goes to a file: of
// segments of a few MiB none does.
const inMemory = 8 << 20

// spool holds a segment until it is committed: in memory, then in a temporary file
// without a name.
type spool struct {
	buf  bytes.Buffer
	file *os.File
	name string // where the system does not unlink open files
}

func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && s.buf.Len()+len(b) <= inMemory {
		return s.buf.Write(b)
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
		if _, err := f.Write(s.buf.Bytes()); err != nil {
			return 0, full(err)
		}
		s.buf = bytes.Buffer{}
	}
	n, err := s.file.Write(b)
	if err != nil {
		err = full(err)
	}
	return n, err
}

func full(err error) error {
	return problem.Wrap(err, problem.Limit, "what was read could not be kept in a temporary file").WithHint("point TMPDIR at a folder with room")
}

// reader gives all of it from the start.
func (s *spool) reader(size int64) io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.buf.Bytes())
	}
	return io.NewSectionReader(s.file, 0, size)
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		if s.name != "" {
			_ = os.Remove(s.name)
		}
	}
	*s = spool{}
}
