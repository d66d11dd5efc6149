package intake

import (
	"partnerguard/internal/lenient"
)

// slashed is a clock as Log Analytics' portal and many a spreadsheet write it:
// 11/20/2026, 2:08:45.221 PM. Every row has two of them, so they are read here; all
// other forms are [lenient.Dates]', which says the same of these.
type slashed struct {
	a, b, year        int // the numbers of the date as they stand
	hour, minute, sec int
	fraction          []byte
}

// scanSlashed reads such a clock if its date is one, in one order at least.
func scanSlashed(c []byte) (s slashed, ok bool) {
	i := 0
	number := func(least, most int) (n int, ok bool) {
		from := i
		for i < len(c) && i-from < most && c[i]-'0' <= 9 {
			n = n*10 + int(c[i]-'0')
			i++
		}
		return n, i-from >= least
	}
	sign := func(want byte) bool {
		if i < len(c) && c[i] == want {
			i++
			return true
		}
		return false
	}
	var ok1, ok2, ok3 bool
	if s.a, ok1 = number(1, 2); !ok1 || !sign('/') {
		return s, false
	}
	if s.b, ok2 = number(1, 2); !ok2 || !sign('/') {
		return s, false
	}
	if s.year, ok3 = number(4, 4); !ok3 {
		return s, false
	}
	sign(',')
	if !sign(' ') {
		return s, false
	}
	if s.hour, ok1 = number(1, 2); !ok1 || !sign(':') {
		return s, false
	}
	if s.minute, ok1 = number(2, 2); !ok1 || !sign(':') {
		return s, false
	}
	if s.sec, ok1 = number(2, 2); !ok1 {
		return s, false
	}
	if sign('.') {
		from := i
		if _, ok1 = number(1, 9); !ok1 {
			return s, false
		}
		s.fraction = c[from:i]
	}
	switch string(c[i:]) {
	case " AM", " PM":
		if s.hour < 1 || s.hour > 12 {
			return s, false
		}
		s.hour %= 12
		if c[i+1] == 'P' {
			s.hour += 12
		}
	case "":
		if s.hour > 23 {
			return s, false
		}
	default:
		return s, false
	}
	month, day := min(s.a, s.b), max(s.a, s.b) // or the other way round, if both are no more than 12
	return s, s.minute < 60 && s.sec < 60 && s.year >= 1900 && s.year <= 2200 && month >= 1 && month <= 12 && day <= daysIn(s.year, month)
}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// appendISO writes the clock without a zone, the day and month in the order given
// where both orders are dates. It writes nothing where none is given then.
func (s *slashed) appendISO(dst []byte, order lenient.Order) (iso []byte, ambiguous bool) {
	month, day := s.a, s.b
	switch {
	case s.b > 12, s.a == s.b:
	case s.a > 12, order == lenient.DayFirst:
		month, day = s.b, s.a
	case order != lenient.MonthFirst:
		return dst, true
	}
	two := func(n int) { dst = append(dst, byte('0'+n/10), byte('0'+n%10)) }
	two(s.year / 100)
	two(s.year % 100)
	dst = append(dst, '-')
	two(month)
	dst = append(dst, '-')
	two(day)
	dst = append(dst, 'T')
	two(s.hour)
	dst = append(dst, ':')
	two(s.minute)
	dst = append(dst, ':')
	two(s.sec)
	fraction := s.fraction
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if len(fraction) > 0 {
		dst = append(append(dst, '.'), fraction...)
	}
	return dst, false
}
