//go:build unix

package partnercloud

import (
	"path/filepath"
	"testing"
	"time"
)

// Whoever lets go within a moment is waited for; whoever stays is told of.
func TestLockWaitsAMoment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	release, err := lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(path); err == nil {
		t.Fatal("two have it")
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = release() })
	again, err := lock(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = again()
}
