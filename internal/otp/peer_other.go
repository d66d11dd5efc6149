//go:build !linux

package otp

import "net"

// sameUser leaves it to the modes of the socket and its folder, which are this user's
// alone.
func sameUser(c net.Conn) bool { _, ok := c.(*net.UnixConn); return ok }
