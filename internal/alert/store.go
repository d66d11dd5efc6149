package alert

import (
	"log/slog"
)

// Deps is what a Store needs.
type Deps struct {
	Dates []NamedDater
	Log   *slog.Logger
}

// NamedDater is a Dater with what it reads, in words.
type NamedDater struct {
	Name string
	Get  Dater
}

// Store keeps alerts. Safe for concurrent use, by several processes too.
type Store struct{ d Deps }
