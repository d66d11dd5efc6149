package read

import (
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// readText returns the string at token k, or "" for null.
func (d *Decoder) readText(k int) (string, bool) {
	if d.x.At(k) != '"' {
		return "", d.null(k)
	}
	from, to, ok := d.x.String(k)
	if !ok || from == to {
		return "", ok
	}
	s := unsafe.String(&d.x.Text[from], to-from)
	if d.x.Plain(from, to) {
		return s, true
	}
	return d.oddText(s)
}

// oddText is for records with backslashes or bytes outside ASCII.
func (d *Decoder) oddText(s string) (string, bool) {
	i := 0
	for i < len(s) && s[i] != '\\' {
		i++
	}
	if i == len(s) {
		return s, utf8.ValidString(s)
	}
	start := len(d.arena)
	for i < len(s) {
		d.arena = append(d.arena, s[:i]...)
		c := s[i+1] // the scan checked the escape
		s = s[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(s)
			s = s[4:]
			if 0xd800 <= r && r < 0xe000 {
				if r >= 0xdc00 || len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
					return "", false
				}
				low := hex4(s[2:])
				if low < 0xdc00 || low >= 0xe000 {
					return "", false
				}
				r = (r-0xd800)<<10 | (low - 0xdc00) + 0x10000
				s = s[6:]
			}
			d.arena = utf8.AppendRune(d.arena, r)
			i = nextEscape(s)
			continue
		}
		d.arena = append(d.arena, c)
		i = nextEscape(s)
	}
	d.arena = append(d.arena, s...)
	t := unsafe.String(&d.arena[start], len(d.arena)-start)
	return t, utf8.ValidString(t)
}

func nextEscape(s string) int {
	if i := strings.IndexByte(s, '\\'); i >= 0 {
		return i
	}
	return len(s)
}

func hex4(s string) (r rune) {
	for i := range 4 {
		r = r<<4 | rune(texts.HexDigit[s[i]]&15)
	}
	return r
}

func (d *Decoder) textInto(to *string, k int) (next int, ok bool) {
	*to, ok = d.readText(k)
	d.noteText(k, to, d.x.At(k) == 'n')
	return k + 1, ok
}

// null reports that the token is the literal null.
func (d *Decoder) null(k int) bool {
	if d.x.At(k) != 'n' {
		return false
	}
	_, ok := d.x.Scalar(k)
	return ok
}

func (d *Decoder) triInto(to *signin.Tri, k int) (next int, ok bool) {
	d.noteOther(opTri, k, unsafe.Pointer(to))
	return d.readTri(to, k)
}

func (d *Decoder) readTri(to *signin.Tri, k int) (next int, ok bool) {
	s, ok := d.x.Scalar(k)
	if !ok {
		return 0, false
	}
	return k + 1, triOf(to, unsafe.String(&s[0], len(s)))
}

// triOf reads a literal that is no number.
func triOf(to *signin.Tri, s string) bool {
	switch s[0] {
	case 't':
		*to = signin.Yes
	case 'f':
		*to = signin.No
	case 'n':
		*to = signin.Unset
	default:
		return false
	}
	return true
}

func (d *Decoder) codeInto(to *outcome, k int) (next int, ok bool) {
	d.noteOther(opCode, k, unsafe.Pointer(to))
	*to, next, ok = d.readCode(k)
	return next, ok
}

// readCode reads an error code: digits, as number or text, or null.
func (d *Decoder) readCode(k int) (o outcome, next int, ok bool) {
	var s []byte
	text := d.x.At(k) == '"'
	if text {
		from, to, ok := d.x.String(k)
		if !ok {
			return o, 0, false
		}
		s = d.x.Text[from:to]
	} else if s, ok = d.x.Scalar(k); !ok {
		return o, 0, false
	}
	o, ok = codeOf(unsafe.String(unsafe.SliceData(s), len(s)), text)
	return o, k + 1, ok
}

// codeOf reads the content of a text, or a number or null.
func codeOf(s string, text bool) (o outcome, ok bool) {
	if text && s == "" || !text && s[0] == 'n' {
		return o, true
	}
	if len(s) > 9 {
		return o, false
	}
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return o, false
		}
		o.code = o.code*10 + int32(c)
	}
	o.hasCode = true
	return o, true
}

func parseClock(s string) (time.Time, bool) {
	if t, ok := utcClock(s); ok {
		return t, true
	}
	return lenient.ParseTime(s)
}

// daysIn is how many days a month of the Gregorian calendar has.
func daysIn(year, month int) int {
	switch {
	case month != 2:
		return 30 + (month+month>>3)&1
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	}
	return 28
}

// utcClock reads 2006-01-02T15:04:05 with up to nine digits of a second and Z,
// which is what Graph writes.
func utcClock(s string) (t time.Time, ok bool) {
	if len(s) < 20 || len(s) > 30 || s[len(s)-1] != 'Z' || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return t, false
	}
	var bad byte
	two := func(i int) int {
		a, b := s[i]-'0', s[i+1]-'0'
		if a > 9 || b > 9 {
			bad = 1
		}
		return int(a)*10 + int(b)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	nano := 0
	if frac := s[19 : len(s)-1]; len(frac) > 0 {
		if frac[0] != '.' || len(frac) == 1 {
			return t, false
		}
		for i := 1; i < len(frac); i++ {
			c := frac[i] - '0'
			if c > 9 {
				return t, false
			}
			nano = nano*10 + int(c)
		}
		for i := len(frac); i < 10; i++ {
			nano *= 10
		}
	}
	if bad != 0 || year < 1900 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	if day > 28 && day > daysIn(year, month) {
		return t, false // there is no such day in that month
	}
	// Days since 1 March of year 0, with years that begin in March, so that the
	// leap day comes last.
	month -= 3
	if month < 0 {
		month += 12
		year--
	}
	days := year*365 + year/4 - year/100 + year/400 + (month*153+2)/5 + day - 1
	const until1970 = 719468
	return time.Unix(int64(days-until1970)*86400+int64(hour*3600+minute*60+second), int64(nano)).UTC(), true
}
