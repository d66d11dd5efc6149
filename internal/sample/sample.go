package sample

import (
	"embed"
	"io/fs"
	"iter"
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

//go:embed customers
var customers embed.FS

// Customers yields, by tenant id, what was exported of some customers' own tenants: their
// directory's audit log and who holds which role there. It is not the partner's own, and [FS]
// has none of it.
func Customers() iter.Seq2[string, fs.FS] {
	return func(yield func(string, fs.FS) bool) {
		entries, err := customers.ReadDir("customers")
		if err != nil {
			panic(err) // the path is a constant and valid
		}
		for _, e := range entries {
			sub, err := fs.Sub(customers, "customers/"+e.Name())
			if err != nil {
				panic(err) // so is this
			}
			if !yield(e.Name(), sub) {
				return
			}
		}
	}
}
