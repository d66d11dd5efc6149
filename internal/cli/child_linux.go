package cli

import (
	"math"

	"golang.org/x/sys/unix"
)

// keepClosed makes every descriptor above the three of any program end where
// another program begins. Ours do so from the start; those that we were given,
// such as the one a passphrase came by, do not.
func keepClosed() error {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err == nil {
		return nil // since Linux 5.11
	}
	return keepClosedIn("/proc/self/fd")
}

// beUnreadable keeps other processes of our user out of our memory, descriptors
// and environment, and us out of core dumps (prctl(2), PR_SET_DUMPABLE). What
// runs next is not bound by it. It fails where a filter of system calls forbids
// it; the rest of the defence stands.
func beUnreadable() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
