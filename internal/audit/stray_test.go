package audit_test

import (
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/audit"
)

func TestStray(t *testing.T) {
	t.Parallel()
	var s audit.Stray
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for i, want := range []int{1, 0, 0} {
		if n := s.Due(at, "a"); n != want {
			t.Errorf("time %d: %d, want %d", i, n, want)
		}
	}
	if n := s.Due(at, "b"); n != 1 {
		t.Errorf("another thing: %d", n)
	}
	if n := s.Due(at.Add(time.Minute), "a"); n != 3 {
		t.Errorf("a minute later: %d, want the two that were not told, and this one", n)
	}
	for i := range 5000 { // as many things as a stranger likes
		if n := s.Due(at, fmt.Sprint(i)); n != 1 {
			t.Fatalf("%d: %d", i, n)
		}
	}
}
