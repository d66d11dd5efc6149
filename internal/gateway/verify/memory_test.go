package verify_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// line is a connection to a rig.
type line struct {
	*rig
	memory gateway.Memory
}

// want is as the rig's, of a token that the connection brings.
func (l *line) want(tok string, want gateway.Reason) *gateway.Identity {
	l.Helper()
	id, got := l.Remember(&l.memory, tok, here, l.now())
	if got != want || (id != nil) != (got == gateway.Passed || got == gateway.Expired || got == gateway.NotYetValid) {
		l.Errorf("%s with %+v, want %s", got, id, want)
	}
	return id
}

// TestMemoryTakesNothingMore: behind a good token on the same connection, each of the
// corpus gets what it gets by itself, and the good one is still who it was.
func TestMemoryTakesNothingMore(t *testing.T) {
	t.Parallel()
	a, all := corpus()
	l := &line{rig: rigOf(t, a, verify.Limits{Forgive: 10000})}
	alone := rigOf(t, a, verify.Limits{Forgive: 10000})
	tok := l.Good()
	first := l.want(tok, gateway.Passed)
	for _, c := range all {
		_, want := alone.Verify(c.tok, here, alone.now())
		for range 2 {
			if _, got := l.Remember(&l.memory, c.tok, here, l.now()); got != want {
				t.Errorf("%s: %s, want %s", c.Name, got, want)
			}
		}
		for range 2 {
			if id := l.want(tok, gateway.Passed); id != first {
				t.Errorf("%s: the good one is %+v", c.Name, id)
			}
		}
	}
	for i := range tok { // any byte that is another
		other := byte('A')
		if tok[i] == other {
			other = 'B'
		}
		if id, got := l.Remember(&l.memory, tok[:i]+string(other)+tok[i+1:], here, l.now()); got == gateway.Passed || id != nil {
			t.Fatalf("byte %d: %s, %+v", i, got, id)
		}
		l.want(tok, gateway.Passed)
	}
	for _, other := range []string{tok[:len(tok)-1], tok + "A", "", tok[1:], strings.Repeat(tok, 2)} {
		if _, got := l.Remember(&l.memory, other, here, l.now()); got == gateway.Passed {
			t.Errorf("%d bytes are taken", len(other))
		}
	}
}

// TestMemoryGrowsOld: what a connection remembers is held to the moment, the rules and the
// keys of that moment, and is the entry of the cache.
func TestMemoryGrowsOld(t *testing.T) {
	t.Parallel()
	l := &line{rig: newRig(t, verify.Limits{})}
	tok := l.Good(gatewaytest.Set("exp", now.Unix()+600))
	first := l.want(tok, gateway.Passed)
	if again := l.want(tok, gateway.Passed); again != first || l.Status().Found != 1 || l.Status().Results["passed"] != 1 {
		t.Errorf("it was verified again: %+v", l.Status())
	}
	l.clock.Add(600)
	l.want(tok, gateway.Expired)
	l.clock.Add(-1)
	l.want(tok, gateway.Passed)
	l.turn(1) // even of the same number
	if l.want(tok, gateway.Passed) == first || l.Status().Results["passed"] != 2 {
		t.Error("it outlives the rules")
	}
	if err := l.Turn(2, []gateway.Authority{{Name: "public", Issuers: []string{gatewaytest.IssuerV2}}}); err != nil {
		t.Fatal(err)
	}
	l.want(tok, gateway.BadIssuer)
	l.want(tok, gateway.BadIssuer)
}

// TestMemoryEndsWithItsKey: a key that the authority takes away ends it at once.
func TestMemoryEndsWithItsKey(t *testing.T) {
	t.Parallel()
	l := &line{rig: newRig(t, verify.Limits{})}
	tok := l.Good()
	l.want(tok, gateway.Passed)
	old := l.Newest().ID
	l.Roll()
	l.Authority.Remove(old)
	l.clock.Add(int64(2 * time.Hour / time.Second))
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if id, got := l.Remember(&l.memory, tok, here, l.now().Add(-2*time.Hour)); got != gateway.UnknownKey || id != nil {
		t.Errorf("%s, %+v", got, id)
	}
}

// TestMemoryIsBounded: a token longer than most is not kept.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := &line{rig: newRig(t, verify.Limits{})}
	tok := l.Good(gatewaytest.Set("more", strings.Repeat("x", 8<<10)))
	l.want(tok, gateway.Passed)
	l.want(tok, gateway.Passed)
	if len(l.memory.Token) > 0 || l.Status().Found != 1 {
		t.Errorf("%d bytes are kept, found %d times", len(l.memory.Token), l.Status().Found)
	}
}

// BenchmarkRemembered: the token that the connection brought last.
func BenchmarkRemembered(b *testing.B) {
	l := &line{rig: newRig(b, verify.Limits{})}
	tok := l.Good()
	l.want(tok, gateway.Passed)
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := l.Remember(&l.memory, tok, here, now); reason != gateway.Passed {
			b.Fatal(reason)
		}
	}
}
