package control

import (
	"math"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// maxDuration bounds what a duration may say: a century.
const maxDuration = 100 * 365 * 24 * time.Hour

// unit gives the length of the unit that s begins with, and the rest. A day has
// 24 hours: the clock it moves is UTC.
func unit(s string) (each time.Duration, rest string) {
	for _, u := range []struct {
		name string
		each time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"ms", time.Millisecond}, {"m", time.Minute}, {"s", time.Second}} {
		if rest, ok := strings.CutPrefix(s, u.name); ok {
			return u.each, rest
		}
	}
	return 0, s
}

// ParseDuration reads +95d, 36h, 2w, 90m, 1d12h, 1.5s, -10m: as
// [time.ParseDuration] with weeks and days. It is bounded by a century; kind
// problem.Usage.
func ParseDuration(text string) (time.Duration, error) {
	bad := problem.New(problem.Usage, "%.40q is not a length of time", text).WithHint("write it like 95d, 36h, 2w, 90m or 1d12h")
	s := strings.ToLower(strings.TrimSpace(text))
	sign := 1.0
	switch {
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	case strings.HasPrefix(s, "-"):
		s, sign = s[1:], -1
	}
	if s == "0" {
		return 0, nil
	}
	var sum float64 // in nanoseconds: exact up to 104 days, and to a microsecond beyond
	for s != "" {
		i := 0
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
			i++
		}
		n, err := strconv.ParseFloat(s[:i], 64)
		if err != nil {
			return 0, bad
		}
		each, rest := unit(s[i:])
		if each == 0 {
			return 0, bad
		}
		sum += n * float64(each)
		s = rest
	}
	if sum == 0 && !strings.ContainsAny(text, "0123456789") || math.IsNaN(sum) {
		return 0, bad
	}
	if sum > float64(maxDuration) {
		return 0, problem.New(problem.Usage, "%.40q is longer than a century", text)
	}
	return time.Duration(sign * math.Round(sum)), nil
}

// FormatDuration writes a duration so that ParseDuration reads it, with days.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	sign, text := "", ""
	if d < 0 {
		sign, d = "-", -d
	}
	for _, u := range []struct {
		name string
		each time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if n := d / u.each; n > 0 {
			text += strconv.FormatInt(int64(n), 10) + u.name
			d -= n * u.each
		}
	}
	if d > 0 {
		text += strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	}
	return sign + text
}
