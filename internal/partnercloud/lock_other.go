//go:build !unix

package partnercloud

import (
	"os"

	"partnerguard/internal/problem"
)

// lock keeps two clouds from sharing a state directory: by a file that must not
// exist, where there are no locks that end with their process.
func lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "another partner cloud uses this state directory").
			WithHint("stop it, or remove %s when it did not end well", path)
	}
	return func() error { _ = f.Close(); return os.Remove(path) }, nil
}
