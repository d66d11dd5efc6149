package session

import (
	"strconv"
	"testing"
	"time"
)

// TestOnce: however many sign-ins somebody begins, others still come in; and an id of a
// logout token never counts twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour)
	states, jtis := once{anew: true}, once{}
	for i := range maxOnce + 10 {
		s := strconv.Itoa(i)
		if !states.first(s, now, until) {
			t.Fatalf("sign-in %d is kept out by those before", i)
		}
		if jtis.first(s, now, until) != (i < maxOnce) {
			t.Fatalf("id %d", i)
		}
	}
	if len(states.list) > maxOnce || len(jtis.list) > maxOnce {
		t.Errorf("%d and %d are kept", len(states.list), len(jtis.list))
	}
	if states.first(strconv.Itoa(maxOnce+9), now, until) || jtis.first("5", now, until) {
		t.Error("what came before is first")
	}
}

// TestTries: an address that may be many people's keeps nobody out, and however many there
// are, few are remembered.
func TestTries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	for remote, counted := range map[string]bool{"192.0.2.1:7": true, "[2001:db8::1]:7": true, "127.0.0.1:7": false, "10.0.0.1:7": false,
		"[::ffff:10.0.0.1]:7": false,
		"[fe80::1%eth0]:7":    false, "": false, "x": false} {
		var l tries
		for range maxTries {
			l.failed(remote, now)
		}
		if l.may(remote, now) == counted || !l.may(remote, now.Add(time.Minute)) {
			t.Errorf("%q: counted %v", remote, !counted)
		}
	}
	var l tries
	for range maxTries {
		l.failed("[2001:db8::1]:7", now)
	}
	if l.may("[2001:db8::ffff]:9", now) || !l.may("[2001:db8:0:1::1]:9", now) {
		t.Error("a network of IPv6 is not one address")
	}
	for i := range maxAddresses + 100 {
		l.failed("203.0."+strconv.Itoa(i>>8)+"."+strconv.Itoa(i&255)+":1", now)
	}
	if len(l.count) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(l.count))
	}
}
