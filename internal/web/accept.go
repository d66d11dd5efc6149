package web

import (
	"strconv"
	"strings"
)

// maxAccept is how much of an Accept header is looked at.
const maxAccept = 4 << 10

// wantsPage says whether a client would rather have a page than JSON (RFC 9110
// section 12.5.1); otherwise is what holds when it likes both as well.
func wantsPage(accept []string, otherwise bool) bool {
	text := strings.Join(accept, ",")
	if len(text) > maxAccept || strings.TrimSpace(text) == "" {
		return otherwise
	}
	page, json := quality(text, "text/html"), max(quality(text, "application/problem+json"), quality(text, "application/json"))
	if page == json {
		return otherwise
	}
	return page > json
}

// quality is how much an Accept header wants a type, by the range that fits it
// closest: 0 is not at all.
func quality(accept, kind string) float64 {
	best, q := -1, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		span, params, _ := strings.Cut(part, ";")
		span = strings.ToLower(strings.TrimSpace(span))
		major, _, _ := strings.Cut(kind, "/")
		fit := -1
		switch span {
		case kind:
			fit = 2
		case major + "/*":
			fit = 1
		case "*/*":
			fit = 0
		}
		if fit < 0 || fit < best {
			continue
		}
		v, ok := weight(params)
		if !ok {
			continue
		}
		if fit > best {
			q = 0
		}
		best, q = fit, max(q, v)
	}
	return q
}

// weight reads q out of a range's parameters; ok is false when it is no weight.
func weight(params string) (q float64, ok bool) {
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return q, err == nil && q >= 0 && q <= 1 // it takes NaN and Inf too
	}
	return 1, true
}
