package print

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/directory"
)

// Number groups thousands.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Plural says "1 account", "2 accounts"; units are plurals in s.
func Plural(n int64, unit string) string {
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return Number(n) + " " + unit
}

// When shows a moment in UTC, to the minute.
func When(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Sentence gives a word its capital, when it begins with a plain letter.
func Sentence(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Ended is a sentence with its full stop.
func Ended(s string) string {
	if s = Sentence(s); s == "" || strings.HasSuffix(s, "…") || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// Saying is a sentence from the outside, cleaned, with a capital. A first word
// that is a name of something (allowDelegatedAccess, svc-billing@...) stays.
func Saying(s string) string {
	s = Clean(s, MaxSaying)
	word, _, _ := strings.Cut(s, " ")
	for _, r := range strings.TrimRight(word, ",;:") {
		if r < 'a' || r > 'z' {
			return s
		}
	}
	return Sentence(s)
}

// Settled drops a date that RFC 3339 cannot write: "9999-12-31T23:59:59-05:00"
// is a real export's way of saying never, and lies in the year 10000 of UTC.
func Settled(t *time.Time) *time.Time {
	if t == nil || t.UTC().Year() > 9999 || t.UTC().Year() < 0 {
		return nil
	}
	u := t.UTC()
	return &u
}

// SettledTime is Settled for a moment that must be there: the zero time when
// it cannot be written.
func SettledTime(t time.Time) time.Time {
	if u := Settled(&t); u != nil {
		return *u
	}
	return time.Time{}
}

// Stamp is a settled moment for machines, or "".
func Stamp(t *time.Time) string {
	if t = Settled(t); t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Finite stands in for numbers JSON has no word for.
func Finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// List is s, never nil: in JSON every list is a list even when empty.
func List[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// JSON writes v indented, without HTML escapes, with a line break at the end, in
// one write.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// NoName stands in for an account that has none.
const NoName = "(no name)"

// First is the first name that is one, cleaned, or instead.
func First(instead string, names ...string) string {
	for _, n := range names {
		if n = Clean(n, MaxName); n != "" {
			return n
		}
	}
	return instead
}

// Named is what a table calls s, or s itself, cleaned.
func Named[T ~string](table map[T]string, s T) string {
	if w, ok := table[s]; ok {
		return w
	}
	return Clean(string(s), MaxName)
}

var classWords = map[directory.Class]string{
	directory.ClassMember: "member", directory.ClassGuest: "guest", directory.ClassService: "service account",
	directory.ClassDirectorySync: "directory synchronisation", directory.ClassBreakGlass: "break-glass candidate",
	directory.ClassShared: "shared account", directory.ClassResource: "room or resource", directory.ClassAgent: "agent",
	directory.ClassDisabled: "disabled", directory.ClassUnknown: "class unknown", "": "class unknown",
}

// ClassWord is how people read a class of accounts.
func ClassWord[T ~string](class T) string { return Named(classWords, directory.Class(class)) }

// WayTexts are the texts of ways out.
func WayTexts(list []directory.WayOut) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Text
	}
	return out
}

// Letters gives each of many repeated texts a letter, in the order they come
// up, so that each is said once.
type Letters struct{ Texts []string }

// Of is the letters of the texts, "A, B"; empty texts have none.
func (l *Letters) Of(texts []string) string {
	var out []string
	for _, t := range texts {
		text := Saying(t)
		if text == "" {
			continue
		}
		i := slices.Index(l.Texts, text)
		if i < 0 {
			i = len(l.Texts)
			l.Texts = append(l.Texts, text)
		}
		out = append(out, Letter(i))
	}
	return strings.Join(out, ", ")
}

// Letter is A, B ... Z, A1, B1 ...
func Letter(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += strconv.Itoa(i / 26)
	}
	return s
}

// SampleWords is what every answer about the embedded partner says.
const SampleWords = "This is the embedded sample partner: invented people, invented sign-ins."
