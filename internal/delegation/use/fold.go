package use

import (
	"time"

	"partnerguard/internal/evidence"
)

// Options is what a [Fold] needs to know.
type Options struct {
	Tenant string            // the customer's
	To     time.Time         // rows later than it are not looked at; zero: none is too late
	Apps   map[string]bool   // the partner's apps by app id, lower case
	People map[string]string // object ids of the partner's people by user principal name, both lower case: Partner Center's records name these alone
}

// Fold adds up the rows of one customer's logs, in any order. Not safe for concurrent use.
type Fold struct {
	o Options
}

// New makes an empty fold.
func New(o Options) *Fold { return &Fold{o: o} }

// Take adds one record. Kinds that say nothing of use are ignored. The error says in words
// what of the record could not be read; the record is counted as not read.
func (f *Fold) Take(kind evidence.Kind, raw []byte, src evidence.Source) error { return nil }

// Part is what was seen, without a window. inputs say how the files were read.
func (f *Fold) Part(inputs []evidence.Input) *Part { return &Part{Tenant: f.o.Tenant} }

// Within is what was seen from from to to, both included, with how many days of each log
// are complete.
func (p *Part) Within(from, to time.Time, days int) *Part { return p }

// Merge joins what was kept with what was read anew: from the first whole day of now on, now
// counts; before it, old.
func Merge(old, now *Part) *Part { return now }
