package mailer

import (
	"context"
	"net"
	"os"
	"testing"
	"time"
)

// TestIPv6: a server named by an IPv6 address is reached.
func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this machine has no IPv6 loopback: a server with such an address was not tried: ", err)
		}
		t.Skip("NOTE: this machine has no IPv6 loopback: a server with such an address was NOT tried: ", err)
	}
	defer l.Close()
	got := make(chan bool, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			got <- true
			_ = c.Close()
		}
	}()
	m, err := New(Options{Server: "smtp+plain://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	c, err := m.client(t.Context(), &conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	err = c.DialWithContext(ctx)
	select {
	case <-got:
	case <-time.After(20 * time.Second):
		t.Error("not reached: ", err)
	}
}
