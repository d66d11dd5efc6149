package intake

import (
	"io"
	"os"

	"partnerguard/internal/mapped"
)

// lineStream is a stream of lines with what the sink may know of it ([read.Stream]).
type lineStream struct {
	io.Reader
	decoded bool
	head    *mapped.Bytes // nil: all of it comes from the reader
	meter   *meter
}

// Decoded says that the stream comes out of a decompressor.
func (s *lineStream) Decoded() bool { return s.decoded }

// Head is what lies in memory before the reader's bytes.
func (s *lineStream) Head() (head []byte, release func(part []byte)) {
	if s.head == nil {
		return nil, nil
	}
	return s.head.Rest(), func(part []byte) {
		s.head.Release(part)
		s.meter.count(len(part))
	}
}

// inPlace maps the rest of a plain file, from a place in its text on, for a sink that
// reads on several cores; nil where it is to be read as ever.
func (f *file) inPlace(from int64) *mapped.Bytes {
	plain, ok := f.at0.(*os.File)
	if !ok || f.ahead == nil || f.meter == nil || f.meter.sum != nil || f.depth > 0 || f.in.Compression != "" {
		return nil
	}
	switch f.in.Encoding {
	case "utf-8":
	case "utf-8 bom":
		from += int64(len(bom))
	default:
		return nil
	}
	was, err := plain.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	if _, err := plain.Seek(from, io.SeekStart); err == nil {
		if m := mapped.File(plain); m != nil {
			f.meter.n = from
			return m
		}
	}
	_, _ = plain.Seek(was, io.SeekStart) // a file that cannot be sought any more tells it when it is read
	return nil
}

const bom = "\xef\xbb\xbf"
