package app

import (
	"os"

	"partnerguard/internal/problem"
	"partnerguard/internal/signin/fold"
)

// scratch makes temporary files that have no name: unlinked while open, so
// that nothing is left behind whatever happens, and readable by nobody else.
type scratch struct{}

func (scratch) Create() (fold.File, error) {
	f, err := os.CreateTemp("", "partnerguard-*")
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no temporary file could be made for what does not fit in memory").
			WithHint("point TMPDIR at a folder with room")
	}
	if err := os.Remove(f.Name()); err == nil {
		return f, nil
	}
	return named{f}, nil // systems that do not unlink open files
}

// named removes its file when closed.
type named struct{ *os.File }

func (n named) Close() error {
	err := n.File.Close()
	if rm := os.Remove(n.Name()); err == nil {
		err = rm
	}
	return err
}
