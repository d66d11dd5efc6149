package lenient

import (
	"strings"
	"time"
)

// Order says which of day and month a file writes first where both are numbers.
type Order uint8

// The orders. Undecided is the zero value.
const (
	Undecided  Order = iota // no clock of the file tells
	DayFirst                // one clock can only be read day first
	MonthFirst              // one clock can only be read month first
	Contrary                // the file holds both: neither can be relied on
)

var orderWords = [...]string{"undecided", "day first", "month first", "both ways"}

// String is the word for people.
func (o Order) String() string { return orderWords[o] }

// Dates reads clocks as people's tools wrote them, deciding the order of day
// and month from the whole file: show it every clock of one input with Learn,
// then read them with Parse. The zero value is ready to use and reads every
// clock that needs no deciding. It holds no text and is not for use by several
// goroutines at once; give each its own and Join them.
//
// It knows the month names, markers of the half day and separators of English,
// German, French, Dutch, Spanish, Italian, Portuguese, the Nordic languages,
// Polish, Czech, Hungarian, Japanese, Chinese and Korean, and every kind of
// space. A clock without a zone is UTC, as in [ParseTime].
type Dates struct {
	day, month bool
}

// Learn takes note of a clock that can be read in one order only. Any text may
// be shown; what is no clock teaches nothing.
func (d *Dates) Learn(text string) {
	if len(text) > 4 && text[4] == '-' { // ISO 8601, nearly always: nothing to learn
		return
	}
	if f, ok := scanClock(text); ok {
		d.learn(&f)
	}
}

func (d *Dates) learn(f *clock) {
	if f.order != numericOrder {
		return
	}
	day, month := f.validDate(DayFirst), f.validDate(MonthFirst)
	switch {
	case day && !month, day && f.dayFirstWords:
		d.day = true
	case month && !day:
		d.month = true
	}
}

// Join adds what another has learned of the same file.
func (d *Dates) Join(other Dates) {
	d.day = d.day || other.day
	d.month = d.month || other.month
}

// Order is what was learned so far.
func (d *Dates) Order() Order {
	switch {
	case d.day && d.month:
		return Contrary
	case d.day:
		return DayFirst
	case d.month:
		return MonthFirst
	}
	return Undecided
}

// Parse reads a clock and returns it in UTC. The time is zero when the text is
// no clock. ambiguous says that day and month could be exchanged and that
// nothing learned decides it; the time is then the likelier reading: month
// first between slashes (Azure's own files in every locale), day first between
// dots and dashes. Never drop a record for an ambiguous clock; see [Readings].
func (d *Dates) Parse(text string) (t time.Time, ambiguous bool) {
	if t, ok := parseExact(text); ok {
		return t, false
	}
	f, ok := scanClock(text)
	if !ok {
		return time.Time{}, false
	}
	if f.order != numericOrder {
		return f.time(DayFirst), false
	}
	day, month := f.validDate(DayFirst), f.validDate(MonthFirst)
	switch {
	case !month || day && f.dayFirstWords:
		return f.time(DayFirst), false
	case !day, f.a == f.b:
		return f.time(MonthFirst), false
	}
	switch d.Order() {
	case DayFirst:
		return f.time(DayFirst), false
	case MonthFirst:
		return f.time(MonthFirst), false
	}
	if f.sep == '/' {
		return f.time(MonthFirst), true
	}
	// No locale writes a month first between dots; some people do between dashes.
	return f.time(DayFirst), f.sep != '.' || d.Order() == Contrary
}

// Readings returns both readings of a clock whose day and month could be
// exchanged. They are equal when there is one only, and zero when there is none.
func Readings(text string) (dayFirst, monthFirst time.Time) {
	var d Dates
	t, ambiguous := d.Parse(text)
	if !ambiguous {
		return t, t
	}
	f, _ := scanClock(text)
	return f.time(DayFirst), f.time(MonthFirst)
}

// parseExact reads the forms that leave nothing to decide and are frequent.
func parseExact(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 8 || len(s) > 64 {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return inRange(t)
	}
	return parseDateCall(s)
}
