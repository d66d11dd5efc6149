//go:build !judge

package contain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Config is what a rule may approve where no second person is awake.
type Config struct {
	Rule  []string `yaml:"containRule" about:"kinds of containment steps that need no second person in containHours; only such as can be taken back"`
	Hours string   `yaml:"containHours" about:"when containRule holds, in UTC, such as Mon-Fri 18:00-08:00, Sat-Sun 00:00-24:00; empty never"`
	Money string   `yaml:"containMoney" about:"what a step by containRule may stop at most, in money an hour; empty has no limit"`
}

// Check refuses rules that would approve what cannot be taken back, and hours that are none.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	for _, k := range c.Rule {
		l, known := levers[Kind(k)]
		if !known || !l.undo || l.danger {
			return bad("containRule", "%.40q is no step that a rule may approve", k).WithHint("those that can be taken back: %s", strings.Join(ruleKinds(), ", "))
		}
	}
	if _, err := readHours(c.Hours); err != nil {
		return bad("containHours", "%s", err.Error()).WithHint("such as Mon-Fri 18:00-08:00, Sat-Sun 00:00-24:00")
	}
	if m, err := strconv.ParseFloat(c.Money, 64); c.Money != "" && (err != nil || !(m >= 0 && m < 1e9)) {
		return bad("containMoney", "%.40q is no amount of money", c.Money).WithHint("such as 50, or 0 for no limit")
	}
	return nil
}

// ruleKinds are the kinds that a rule may approve.
func ruleKinds() (out []string) {
	for _, k := range Kinds() {
		if l := levers[k]; l.undo && !l.danger {
			out = append(out, string(k))
		}
	}
	return out
}

// span is a part of a week's days, in minutes from midnight; to may be before from, which is
// over midnight.
type span struct {
	days     [7]bool // Sunday first
	from, to int
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// readHours reads a list of "Mon-Fri 18:00-08:00".
func readHours(text string) (out []span, err error) {
	refuse := func(part string) error {
		return problem.New(problem.Usage, "%.60q is no part of a week", strings.TrimSpace(part))
	}
	if len(text) > 500 {
		return nil, refuse(text)
	}
	for _, part := range strings.Split(text, ",") {
		if strings.TrimSpace(text) == "" {
			return nil, nil
		}
		f := strings.Fields(strings.ToLower(part))
		if len(f) != 2 {
			return nil, refuse(part)
		}
		var s span
		first, last, many := strings.Cut(f[0], "-")
		if !many {
			last = first
		}
		a, b := slices.Index(dayNames, first), slices.Index(dayNames, last)
		from, to, is := strings.Cut(f[1], "-")
		var ok1, ok2 bool
		s.from, ok1 = minutes(from)
		s.to, ok2 = minutes(to)
		if a < 0 || b < 0 || !is || !ok1 || !ok2 || s.from == s.to {
			return nil, refuse(part)
		}
		for d := a; ; d = (d + 1) % 7 {
			s.days[d] = true
			if d == b {
				break
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func minutes(t string) (int, bool) {
	h, m, ok := strings.Cut(t, ":")
	a, err1 := strconv.Atoi(h)
	b, err2 := strconv.Atoi(m)
	n := a*60 + b
	return n, ok && err1 == nil && err2 == nil && len(h) == 2 && len(m) == 2 && a >= 0 && b >= 0 && b < 60 && n <= 24*60
}

// within says whether a moment is in one of the spans. What began on a day runs over its
// midnight.
func within(list []span, t time.Time) bool {
	t = t.UTC()
	m, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	for _, s := range list {
		switch {
		case s.from < s.to && s.days[day] && m >= s.from && m < s.to,
			s.from > s.to && s.days[day] && m >= s.from,
			s.from > s.to && s.days[(day+6)%7] && m < s.to:
			return true
		}
	}
	return false
}
