//go:build !linux

package kit

// BeUnreadable is done by Linux alone.
func BeUnreadable() {}
