package fold

import (
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"partnerguard/internal/sheet"
	"partnerguard/internal/signin/texts"
)

// CSVColumns are the columns of the report, in order.
var CSVColumns = []string{
	"userPrincipalName", "userDisplayName", "createdDateTime", "resourceDisplayName", "loginSucceeded",
	"failureReason", "mfaRequired", "mfaAuthMethod", "mfaAuthDetail", "mfaResult", "policies",
	"conditionalAccessStatus", "verdict", "reason", "appDisplayName", "clientAppUsed", "isLegacy", "isAobo",
	"ipAddress", "country", "id",
}

// AppendCSVHeader appends the header line.
func AppendCSVHeader(b []byte) []byte {
	return append(append(b, strings.Join(CSVColumns, ",")...), '\n')
}

// appendCSV appends the row as a line of RFC 4180 with a bare line feed.
func (r *row) appendCSV(b []byte) []byte {
	var who, what, how cells
	if w := r.words; w != nil && !r.altered {
		who, what, how = *w.cell(r.who, kindWho), *w.cell(r.what, kindWhat), *w.cell(r.how, kindHow)
	} else {
		_, who = appendCells(nil, kindWho, r.tuple(kindWho))
		_, what = appendCells(nil, kindWhat, r.tuple(kindWhat))
		_, how = appendCells(nil, kindHow, r.tuple(kindHow))
	}
	b = append(b, who.first...)
	if r.flags&flagCreated != 0 {
		b = appendClock(b, r.created)
	} else {
		b = AppendCell(b, r.text[colCreatedRaw])
	}
	b = append(append(b, ','), how.first...)
	switch {
	case r.flags&flagSuccess != 0:
		b = append(b, "true"...)
	case r.flags&flagHasStatus != 0:
		b = append(b, "false"...)
	}
	b = append(append(b, ','), how.second...)
	switch {
	case r.flags&flagMFARequired != 0:
		b = append(b, "true"...)
	case r.flags&flagSingleFactor != 0:
		b = append(b, "false"...)
	}
	b = append(append(b, ','), how.third...)
	b = append(append(b, r.verdict.String()...), ',')
	b = append(append(b, r.reason.String()...), ',')
	b = append(b, what.first...)
	b = append(appendBool(b, r.flags&flagLegacy != 0), ',')
	b = append(appendBool(b, r.flags&flagAOBO != 0), ',')
	b = append(AppendCell(b, r.text[colIP]), ',')
	b = append(b, what.second...)
	return append(AppendCell(b, r.text[colID]), '\n')
}

// cells are what a tuple gives to its row's line: stretches of cells, each with the comma
// behind it, between which others stand.
type cells struct{ first, second, third []byte }

// appendCells writes the cells of a tuple behind b, which they then lie in.
func appendCells(b []byte, kind int, tuple []string) ([]byte, cells) {
	var c cells
	part := func(to *[]byte, columns ...int) {
		start := len(b)
		for _, col := range columns {
			b = append(AppendCell(b, tuple[col-firstColumn(kind)]), ',')
		}
		*to = b[start:len(b):len(b)]
	}
	switch kind {
	case kindWho:
		part(&c.first, colUPN, colDisplayName)
	case kindWhat:
		part(&c.first, colAppName, colClient)
		part(&c.second, colCountry)
	case kindHow:
		part(&c.first, colResource)
		part(&c.second, colFailureReason)
		part(&c.third, colMFAMethod, colMFADetail, colMFAResult, colPolicies, colConditionalAccess)
	}
	return b, c
}

func firstColumn(kind int) int { return columns[kind][0] }

// cell gives the cells of tuple n, which are made once.
func (w *words) cell(n uint32, kind int) *cells {
	c := &w.cells[n]
	if c.first != nil {
		return c
	}
	if n == 0 { // stands for the empty tuple of any kind
		_, empty := appendCells(nil, kind, make([]string, columns[kind][1]-columns[kind][0]))
		return &empty
	}
	if cap(w.arena)-len(w.arena) < 512 {
		w.arena = make([]byte, 0, 16<<10) // what was made before stays where it is
	}
	w.arena, *c = appendCells(w.arena, kind, w.texts[w.first[n]:][:columns[kind][1]-columns[kind][0]])
	return c
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// appendClock is time.RFC3339Nano in UTC.
func appendClock(b []byte, c clock) []byte {
	t := c.time()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, time.RFC3339Nano)
	}
	hour, minute, second := t.Clock()
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, 'T'), hour)
	b = appendTwo(append(b, ':'), minute)
	b = appendTwo(append(b, ':'), second)
	if nano := int(c.nsec); nano > 0 {
		b = append(b, '.')
		for unit := 100_000_000; nano > 0; unit /= 10 {
			b = append(b, byte('0'+nano/unit))
			nano %= unit
		}
	}
	return append(b, 'Z')
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// AppendCell appends s as one CSV cell: valid UTF-8, quoted where RFC 4180
// asks for it, and safe to open in a spreadsheet. A cell that a spreadsheet
// could take for a formula (sheet.Formula) gets an apostrophe in front. Line
// ends within the text become spaces, other control characters are dropped,
// and bytes that are not UTF-8 become U+FFFD.
func AppendCell(b []byte, s string) []byte {
	if s == "" {
		return b
	}
	if plainFirst[s[0]] && plain(s) {
		return append(b, s...)
	}
	return appendOddCell(b, s)
}

// plain reports that s has only bytes that need no thought.
func plain(s string) bool {
	n := len(s)
	if n < 8 {
		for i := range n {
			if !plainByte[s[i]] {
				return false
			}
		}
		return true
	}
	p := unsafe.Pointer(unsafe.StringData(s))
	odd := oddBytes(texts.Word(p, n-8))
	for i := 0; i < n-8; i += 8 {
		odd |= oddBytes(texts.Word(p, i))
	}
	return odd == 0
}

// oddBytes is not zero when w has a byte that is none of plainByte.
func oddBytes(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	low := w &^ high
	// Adding 0x7f to a byte below 0x80 gives a high bit unless the byte is zero.
	control, quote := low+(0x80-' ')*ones, (low^'"'*ones)+0x7f*ones
	comma, del := (low^','*ones)+0x7f*ones, (low^0x7f*ones)+0x7f*ones
	return (w | ^(control & quote & comma & del)) & high
}

// plainByte holds the bytes that need no thought anywhere in a cell,
// plainFirst those that need none in the first place.
var plainByte, plainFirst = func() (any, first [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		any[c] = c != '"' && c != ','
		first[c] = any[c] && !strings.ContainsRune(" =+-@'", c)
	}
	return any, first
}()

func appendOddCell(b []byte, s string) []byte {
	start := len(b)
	quote := false
	if sheet.Formula(s) {
		b = append(b, sheet.Guard)
	}
	for _, c := range s { // invalid bytes come as U+FFFD
		switch {
		case c == '"':
			b = append(b, '"', '"')
			quote = true
			continue
		case c == ',':
			quote = true
		case c == '\n' || c == '\r' || c == '\t' || c == 0x85 || c == 0x2028 || c == 0x2029:
			c = ' '
		case c < ' ' || 0x7f <= c && c < 0xa0:
			continue
		case c == 0xfeff || 0x202a <= c && c <= 0x202e || 0x2066 <= c && c <= 0x2069: // marks that reorder or hide text
			continue
		}
		b = utf8.AppendRune(b, c)
	}
	cell := b[start:]
	if len(cell) > 0 && (cell[0] == ' ' || cell[len(cell)-1] == ' ') {
		quote = true
	}
	if !quote {
		return b
	}
	b = append(b, 0, 0)
	copy(b[start+1:], b[start:len(b)-2])
	b[start], b[len(b)-1] = '"', '"'
	return b
}
