package lenient

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateOrder says how the three numbers of a date are to be read.
type dateOrder uint8

const (
	numericOrder dateOrder = iota // a and b are day and month in an order to decide, c is the year
	fixedOrder                    // a is the day, b the month, c the year
)

// clock is a local clock taken apart.
type clock struct {
	order         dateOrder
	a, b, c       int
	sep           rune // between the first two numbers of a date
	dayFirstWords bool // words of a language that writes the day first stand beside it
	hour, min     int
	sec, nano     int
	offset        time.Duration
}

func (f *clock) parts(o Order) (year, month, day int) {
	if f.order == numericOrder && o == MonthFirst {
		return f.c, f.a, f.b
	}
	return f.c, f.b, f.a
}

func (f *clock) validDate(o Order) bool {
	y, m, d := f.parts(o)
	// Years of other calendars (2569 in Thailand) are not clocks we can read.
	return y >= 1900 && y <= 2200 && m >= 1 && m <= 12 && d >= 1 && d <= time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (f *clock) time(o Order) time.Time {
	y, m, d := f.parts(o)
	return time.Date(y, time.Month(m), d, f.hour, f.min, f.sec, f.nano, time.UTC).Add(-f.offset)
}

// maxClock bounds a text that may be a clock; the longest seen, a Hungarian
// long date with weekday and time, has 45 letters.
const maxClock = 96

type tokenKind uint8

const (
	endToken tokenKind = iota
	numToken
	wordToken
	sepToken
)

type dateToken struct {
	kind tokenKind
	n    int // value, or the separator
	text string
}

// scanClock takes a local clock apart. Every letter and sign of the text must
// be accounted for: a word that is not known makes it no clock.
func scanClock(text string) (clock, bool) {
	if len(text) < 6 || len(text) > maxClock || !strings.ContainsAny(text, "0123456789") && !strings.ContainsFunc(text, isWideDigit) {
		return clock{}, false
	}
	toks, ok := dateTokens(text)
	if !ok {
		return clock{}, false
	}
	p := clockParser{toks: toks}
	if !p.date() || !p.time() || !p.zone() {
		return clock{}, false
	}
	p.skip(closingWords)
	if p.peek().kind != endToken {
		return clock{}, false
	}
	if !p.f.validDate(DayFirst) && !p.f.validDate(MonthFirst) {
		return clock{}, false
	}
	return p.f, true
}

func isWideDigit(r rune) bool { return r >= '０' && r <= '９' }

// plainRune brings the many spaces and the full-width forms to their plain
// ones; marks of writing direction, which browsers put between the parts of a
// date, vanish.
func plainRune(r rune) rune {
	switch {
	case r == utf8.RuneError:
		return -1
	case unicode.IsSpace(r), unicode.Is(unicode.Zs, r):
		return ' '
	case r == '\u200e', r == '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff', r == '\u200b':
		return -1
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '\u2212':
		return '-'
	case r == '’':
		return '\''
	}
	return unicode.ToLower(r)
}

// dateTokens cuts a text into numbers, words and signs. What stands in
// brackets, a weekday or a zone's name, is left out.
func dateTokens(text string) ([]dateToken, bool) {
	s := strings.Map(plainRune, text)
	out := make([]dateToken, 0, 24)
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '(':
			end := strings.IndexByte(s[i:], ')')
			if end < 0 || strings.ContainsAny(s[i:i+end], "0123456789") {
				return nil, false
			}
			i += end + 1
			continue
		case r == ' ':
			i += w
			continue
		case r >= '0' && r <= '9':
			j, n := i, 0
			for ; j < len(s) && s[j] >= '0' && s[j] <= '9'; j++ {
				if j-i < 9 {
					n = n*10 + int(s[j]-'0')
				}
			}
			out = append(out, dateToken{kind: numToken, n: n, text: s[i:j]})
			i = j
			continue
		case unicode.IsLetter(r) || r == '\'':
			j := i
			for j < len(s) {
				r, w := utf8.DecodeRuneInString(s[j:])
				if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' {
					break
				}
				j += w
			}
			out = append(out, dateToken{kind: wordToken, text: s[i:j]})
			i = j
			continue
		case strings.ContainsRune(".,:/-+;", r):
			out = append(out, dateToken{kind: sepToken, n: int(r)})
		default:
			return nil, false
		}
		i += w
	}
	return out, len(out) <= 32
}

type clockParser struct {
	toks []dateToken
	at   int
	f    clock
	half int8 // 1 before noon, 2 after
	hu   bool // the year came first: "de." is before noon, not "of"
}

func (p *clockParser) peek() dateToken {
	if p.at < len(p.toks) {
		return p.toks[p.at]
	}
	return dateToken{}
}

func (p *clockParser) isSep(signs string) bool {
	t := p.peek()
	return t.kind == sepToken && strings.ContainsRune(signs, rune(t.n))
}

// skip passes over the words of a set and over dots and commas.
func (p *clockParser) skip(words map[string]bool) {
	for {
		t := p.peek()
		switch {
		case t.kind == wordToken && (words[t.text] || weekdays[t.text] || strings.HasSuffix(t.text, "曜日") || strings.HasPrefix(t.text, "星期")):
			p.f.dayFirstWords = p.f.dayFirstWords || dayFirstWords[t.text]
		case t.kind == sepToken && (t.n == '.' || t.n == ','):
		default:
			return
		}
		p.at++
	}
}

// date reads the three parts of a date, in any of the orders.
func (p *clockParser) date() bool {
	var nums [3]dateToken
	month, named := 0, -1
	p.skip(openingWords)
	if p.weekdayLikeMonth() {
		p.at++
		p.skip(openingWords)
	}
	for i := range 3 {
		t := p.peek()
		switch {
		case t.kind == numToken && len(t.text) <= 4:
			nums[i] = t
		case t.kind == wordToken && months[t.text] > 0 && named < 0:
			month, named = months[t.text], i
		default:
			return false
		}
		p.at++
		if i == 2 {
			break
		}
		if i == 0 && p.peek().kind == sepToken {
			p.f.sep = rune(p.peek().n)
		}
		if p.isSep("/-") {
			p.at++
		} else if p.skip(betweenWords); named < 0 && months[p.peek().text] == 0 && p.toks[p.at-1].kind == numToken && i == 0 {
			return false // two numbers with nothing but a space between
		}
	}
	year := func(t dateToken) (int, bool) {
		switch len(t.text) {
		case 4:
			return t.n, true
		case 2:
			return 2000 + t.n, true
		}
		return 0, false
	}
	short := func(t dateToken) bool { return len(t.text) <= 2 }
	ok := false
	switch {
	case named == 1 && len(nums[0].text) == 4 && short(nums[2]): // 2026. nov. 28.
		p.f.order, p.f.a, p.f.b, p.f.c, ok, p.hu = fixedOrder, nums[2].n, month, nums[0].n, true, true
	case named == 1 && short(nums[0]): // 28 Nov 2026
		p.f.order, p.f.a, p.f.b = fixedOrder, nums[0].n, month
		p.f.c, ok = year(nums[2])
	case named == 0 && short(nums[1]): // Nov 28, 2026
		p.f.order, p.f.a, p.f.b = fixedOrder, nums[1].n, month
		p.f.c, ok = year(nums[2])
	case named >= 0:
		return false
	case len(nums[0].text) == 4 && short(nums[1]) && short(nums[2]): // 2026/11/28
		p.f.order, p.f.a, p.f.b, p.f.c, ok, p.hu = fixedOrder, nums[2].n, nums[1].n, nums[0].n, true, true
	case short(nums[0]) && short(nums[1]) && strings.ContainsRune("./-", p.f.sep):
		p.f.order, p.f.a, p.f.b = numericOrder, nums[0].n, nums[1].n
		p.f.c, ok = year(nums[2])
	}
	if rest, found := strings.CutPrefix(p.peek().text, "日"); found && p.peek().kind == wordToken && strings.HasSuffix(rest, "曜日") {
		p.at++
	}
	return ok
}

// weekdayLikeMonth says that the first word, a month's name by itself, is a
// weekday because a month follows: "mar." is Tuesday in French and Spanish.
func (p *clockParser) weekdayLikeMonth() bool {
	if p.peek().text != "mar" {
		return false
	}
	for _, t := range p.toks[p.at+1:] {
		if t.kind == wordToken && months[t.text] > 0 {
			return true
		}
	}
	return false
}

// halfDay reads a marker of the half day if there is one.
func (p *clockParser) halfDay() {
	t := p.peek()
	if t.kind != wordToken || p.half != 0 {
		return
	}
	if h := halfDays[t.text]; h != 0 {
		p.half = h
		p.at++
		return
	}
	switch {
	case p.hu && (t.text == "de" || t.text == "du"):
		p.half = map[string]int8{"de": 1, "du": 2}[t.text]
		p.at++
	case t.text == "a" || t.text == "p": // a. m., p.m.
		at := p.at + 1
		for at < len(p.toks) && p.toks[at].kind == sepToken && p.toks[at].n == '.' {
			at++
		}
		if at < len(p.toks) && p.toks[at].text == "m" {
			p.half, p.at = map[string]int8{"a": 1, "p": 2}[t.text], at+1
			p.f.dayFirstWords = p.f.dayFirstWords || at == p.toksDotted(at)
		}
	}
}

// toksDotted is at when the marker was written with a dot (a.m.), as the
// languages do that write the day first; English clocks of machines never do.
func (p *clockParser) toksDotted(at int) int {
	if p.toks[at-1].kind == sepToken {
		return at
	}
	return -1
}

// time reads the time of day, if there is one.
func (p *clockParser) time() bool {
	for {
		before := p.at
		p.halfDay()
		p.skip(timeWords)
		if p.at == before {
			break
		}
	}
	t := p.peek()
	if t.kind != numToken {
		return p.half == 0
	}
	if len(t.text) > 2 || t.n > 24 {
		return false
	}
	p.f.hour = t.n
	p.at++
	told := false // that this number is an hour
	if p.isSep(":.") || p.peek().kind == wordToken && hourWords[p.peek().text] {
		told = p.peek().kind == wordToken
		p.at++
		if p.peek().kind == numToken {
			told = true
			if !p.sixty(&p.f.min) {
				return false
			}
			if p.isSep(":.") || p.peek().kind == wordToken && minuteWords[p.peek().text] {
				p.at++
				if p.peek().kind == numToken && (!p.sixty(&p.f.sec) || !p.fraction()) {
					return false
				}
			}
		}
	}
	p.skip(closingWords)
	p.halfDay()
	p.skip(closingWords)
	switch {
	case p.half == 0 && (!told || p.f.hour > 23), p.half == 1 && p.f.hour > 12, p.f.hour > 23:
		return false
	case p.half == 1 && p.f.hour == 12:
		p.f.hour = 0
	case p.half == 2 && p.f.hour < 12:
		p.f.hour += 12
	}
	return true
}

func (p *clockParser) sixty(into *int) bool {
	t := p.peek()
	if t.kind != numToken || len(t.text) > 2 || t.n > 59 {
		return false
	}
	*into = t.n
	p.at++
	return true
}

// fraction reads the parts of a second, to nanoseconds.
func (p *clockParser) fraction() bool {
	if !p.isSep(".,:") || p.at+1 >= len(p.toks) || p.toks[p.at+1].kind != numToken {
		return true
	}
	text := p.toks[p.at+1].text
	if len(text) > 12 {
		return false
	}
	scale := 100_000_000
	for i := 0; i < len(text) && i < 9; i++ {
		p.f.nano += int(text[i]-'0') * scale
		scale /= 10
	}
	p.at += 2
	return true
}

// zone reads Z, UTC, GMT and an offset from them.
func (p *clockParser) zone() bool {
	if t := p.peek(); t.kind == wordToken && (t.text == "z" || t.text == "utc" || t.text == "gmt") {
		p.at++
	}
	if !p.isSep("+-") {
		return true
	}
	sign := time.Duration(1)
	if p.peek().n == '-' {
		sign = -1
	}
	p.at++
	t := p.peek()
	if t.kind != numToken || len(t.text) > 4 || len(t.text) == 3 {
		return false
	}
	p.at++
	hours, minutes := t.n, 0
	if len(t.text) == 4 {
		hours, minutes = t.n/100, t.n%100
	} else if p.isSep(":") {
		p.at++
		if !p.sixty(&minutes) {
			return false
		}
	}
	if hours > 14 || minutes > 59 {
		return false
	}
	p.f.offset = sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
	return true
}
