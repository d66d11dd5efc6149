package sample

import (
	"embed"
	"io/fs"
	"time"
)

//go:generate go test . -run TestExports -update

// Name is what the sample partner is called.
const Name = "Contoso Cloud Partners"

// AsOf is the moment the sample was exported, right after its last sign-in.
// Judged as of this moment the sample always gives the same report.
var AsOf = time.Date(2026, time.November, 20, 6, 0, 0, 0, time.UTC)

//go:embed exports
var exports embed.FS

// FS holds the exports: the folders entra, partner and signins.
func FS() fs.FS {
	sub, err := fs.Sub(exports, "exports")
	if err != nil {
		panic(err) // the path is a constant and valid
	}
	return sub
}
