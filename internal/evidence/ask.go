package evidence

import (
	"regexp"
	"strings"
)

// Ask says of a thing that is missing which request settles it, on one line.
// Without a request it is the thing alone.
func Ask(thing, request string) string {
	if request == "" {
		return thing
	}
	return thing + ": " + request
}

// SplitAsk takes apart what [Ask] put together. The last request counts, for
// the thing may carry names that other people chose.
func SplitAsk(ask string) (thing, request string) {
	at := -1
	for _, verb := range verbs {
		at = max(at, strings.LastIndex(ask, ": "+verb))
	}
	if at < 0 {
		return ask, ""
	}
	return ask[:at], ask[at+2:]
}

// IsRequest reports a text that begins as a request does, see [Request.String].
func IsRequest(text string) bool {
	for _, verb := range verbs {
		if strings.HasPrefix(text, verb) {
			return true
		}
	}
	return false
}

// verbs are what a request begins with.
var verbs = []string{"GET /", "Search-UnifiedAuditLog ", "Get-AdminAuditLogConfig "}

// Brief shortens the requests in a text for people: the list of a long $select
// gives way to an ellipsis, which nobody takes for the request itself.
func Brief(text string) string { return longSelect.ReplaceAllString(text, "${1}…") }

var longSelect = regexp.MustCompile(`(\$select=)[A-Za-z,]{24,}(?:&\$top=[0-9]+)?`)

// Thing names the whole list as something to export, with why what was read is
// not the whole.
func (c Cut) Thing() string {
	name := ListName(c.Kind)
	if rest, ok := strings.CutPrefix(name, "the list of "); ok {
		return "all " + rest + " (" + c.clause("the list") + ")"
	}
	return "the whole of " + name + " (" + c.clause("it") + ")"
}

// clause says of the list, by the name given, why it is not whole.
func (c Cut) clause(name string) string {
	if first, _, _ := strings.Cut(c.Why, " "); predicates[first] {
		return name + " " + c.Why
	}
	return name + " is not whole: " + c.Why
}

// predicates begin the clauses that say of a list what it is or lacks; others
// say what became of a record.
var predicates = map[string]bool{"is": true, "was": true, "lacks": true, "lost": true, "holds": true, "has": true, "ends": true,
	"could": true, "may": true, "does": true, "came": true, "stops": true, "shows": true, "carries": true}
