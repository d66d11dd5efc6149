package child

import (
	"math"

	"golang.org/x/sys/unix"
)

// KeepClosed makes every descriptor above the three of any program end where
// another program begins. Ours do so from the start; those that we were given,
// such as the one a passphrase came by, do not.
func KeepClosed() error {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err == nil {
		return nil // since Linux 5.11
	}
	return keepClosedIn("/proc/self/fd")
}
