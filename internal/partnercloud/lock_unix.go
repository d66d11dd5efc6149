//go:build unix

package partnercloud

import (
	"os"
	"syscall"

	"partnerguard/internal/problem"
)

// lock keeps two clouds from sharing a state directory. The lock ends with the
// process, however it ends.
func lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "%s cannot be opened", path)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, problem.Wrap(err, problem.Limit, "another partner cloud uses this state directory").WithHint("stop it, or choose another --state directory")
	}
	return f.Close, nil
}
