package text

import (
	"io"
	"strings"
	"testing"
)

// One entry is stopped in its middle when all together became too much.
func TestSpending(t *testing.T) {
	t.Parallel()
	s := NewSpent(1<<10, Limits{Ratio: 2, Floor: 1 << 10})
	s.out = 1 << 10
	r := &spending{strings.NewReader(strings.Repeat("x", 1<<20)), s}
	if n, err := io.Copy(io.Discard, r); err != errBomb || n > 64<<10 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
