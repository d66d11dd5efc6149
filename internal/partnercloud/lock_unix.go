//go:build unix

package partnercloud

import (
	"errors"
	"os"
	"syscall"
	"time"

	"partnerguard/internal/problem"
)

// lock keeps two clouds from sharing a state directory. The lock ends with the
// process, however it ends.
func lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "%s cannot be opened", path)
	}
	// One that was killed a moment ago lets go when it has come to its end.
	for end := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, problem.Wrap(err, problem.Limit, "another partner cloud uses this state directory").WithHint("stop it, or choose another --state directory")
	}
	return f.Close, nil
}
