package problem

import (
	"io"
	"os"
)

// ReadFile reads a file of at most most bytes; what says in errors what it is. Kind
// [NotFound] when it cannot be opened, [Limit] when it is larger.
func ReadFile(what, path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Wrap(err, NotFound, "%s %s cannot be read", what, path)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, Wrap(err, BadInput, "%s %s cannot be read", what, path)
	case int64(len(b)) > most:
		return nil, New(Limit, "%s %s is larger than %d bytes", what, path, most)
	}
	return b, nil
}
