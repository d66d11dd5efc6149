package pattern

import (
	"regexp"
	"slices"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	const text = `(a)(b+)`
	p, r := Later(text), regexp.MustCompile(text)
	for _, s := range []string{"", "ab", "xabbyab", "ba"} {
		if p.MatchString(s) != r.MatchString(s) || p.Match([]byte(s)) != r.Match([]byte(s)) || p.FindString(s) != r.FindString(s) ||
			!slices.Equal(p.FindStringSubmatch(s), r.FindStringSubmatch(s)) || !slices.Equal(p.FindAllString(s, -1), r.FindAllString(s, -1)) ||
			!slices.Equal(p.Split(s, -1), r.Split(s, -1)) ||
			len(p.FindAllStringSubmatch(s, 1)) != len(r.FindAllStringSubmatch(s, 1)) ||
			p.ReplaceAllString(s, "$2$1") != r.ReplaceAllString(s, "$2$1") ||
			p.ReplaceAllStringFunc(s, func(m string) string { return m + m }) != r.ReplaceAllStringFunc(s, func(m string) string { return m + m }) {
			t.Errorf("%q is matched otherwise than by regexp", s)
		}
	}
	if p.String() != text {
		t.Error(p.String())
	}
}

func TestLater(t *testing.T) {
	t.Parallel()
	p := Later(`(`) // made without being looked at
	defer func() {
		if recover() == nil {
			t.Error("an expression that does not compile matched")
		}
	}()
	p.MatchString("")
}
