//go:build !unix

package mapped

import "os"

// File maps nothing here.
func File(*os.File) (b []byte, done func() error, ok bool) { return nil, nil, false }
