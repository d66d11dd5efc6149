//go:build unix

package front

import (
	"net"
	"syscall"
)

// probe looks whether anything, or an end, has come on a connection that is idle.
type probe struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool
	idle bool
	b    [1]byte
}

func (p *probe) of(c net.Conn) {
	if t, ok := c.(syscall.Conn); ok {
		p.raw, _ = t.SyscallConn()
	}
	p.look = func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), p.b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.idle = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	}
}

// quiet says that nothing has come.
func (p *probe) quiet() bool {
	p.idle = false
	if p.raw == nil {
		return true
	}
	return p.raw.Read(p.look) == nil && p.idle
}
