package kit

import "time"

// ISODuration reads PnYnMnDTnHnMnS with years of 365 and months of 30 days; ok is
// false for anything else.
func ISODuration(s string) (d time.Duration, ok bool) {
	if len(s) < 3 || len(s) > 30 || s[0] != 'P' {
		return 0, false
	}
	var total time.Duration
	clock, n, digits := false, int64(0), 0
	for _, r := range s[1:] {
		if r >= '0' && r <= '9' {
			if digits++; digits > 9 {
				return 0, false
			}
			n = n*10 + int64(r-'0')
			continue
		}
		if r == 'T' {
			if clock || digits > 0 {
				return 0, false
			}
			clock = true
			continue
		}
		if digits == 0 {
			return 0, false
		}
		day := 24 * time.Hour
		var unit time.Duration
		switch {
		case r == 'Y' && !clock:
			unit = 365 * day
		case r == 'M' && !clock:
			unit = 30 * day
		case r == 'W' && !clock:
			unit = 7 * day
		case r == 'D' && !clock:
			unit = day
		case r == 'H' && clock:
			unit = time.Hour
		case r == 'M' && clock:
			unit = time.Minute
		case r == 'S' && clock:
			unit = time.Second
		default:
			return 0, false
		}
		if n > int64(100*365*day/unit) {
			return 0, false
		}
		total += time.Duration(n) * unit
		n, digits = 0, 0
	}
	return total, digits == 0
}
