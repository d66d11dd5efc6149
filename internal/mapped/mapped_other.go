//go:build !unix

package mapped

import "os"

// Bytes are those of a mapped file: nothing is mapped here.
type Bytes struct{}

// File is always nil.
func File(*os.File) *Bytes { return nil }

// Rest is empty.
func (*Bytes) Rest() []byte { return nil }

// Release does nothing.
func (*Bytes) Release([]byte) {}

// Close does nothing.
func (*Bytes) Close() error { return nil }
