package problem

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ReadFile reads a file of at most most bytes; what says in errors what it is. Kind
// [NotFound] when it cannot be opened, [Limit] when it is larger.
func ReadFile(what, path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Wrap(err, NotFound, "%s %s cannot be read%s", what, path, Reason(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, Wrap(err, BadInput, "%s %s cannot be read%s", what, path, Reason(err))
	case int64(len(b)) > most:
		return nil, New(Limit, "%s %s is larger than %d bytes", what, path, most)
	}
	return b, nil
}

// Reason is what the system says of a file, to go behind a sentence: ": permission
// denied". "" where it says nothing. It has no path and no other text of the error.
func Reason(err error) string {
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		return ": " + no.Error()
	}
	return ""
}
