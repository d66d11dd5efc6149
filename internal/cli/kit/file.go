package kit

import (
	"io"
	"os"

	"partnerguard/internal/problem"
)

func ReadLimited(what, path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s %s cannot be read", what, path)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.BadInput, "%s %s cannot be read", what, path)
	case int64(len(b)) > most:
		return nil, problem.New(problem.Limit, "%s %s is larger than %d bytes", what, path, most)
	}
	return b, nil
}
