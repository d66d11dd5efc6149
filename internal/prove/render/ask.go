package render

import (
	"slices"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// ask is one request with all that it settles, or, without one, a thing that no
// request settles.
type ask struct {
	Letter, Anchor, Request string
	Things                  []string
}

// asks are the requests of all proofs, each once, and beside them the letters of
// each proof.
func asks(list []*access.Proof) (all []ask, letters [][]string) {
	var keys []string
	letters = make([][]string, len(list))
	for n, q := range list {
		for _, m := range q.Missing {
			thing, request := evidence.SplitAsk(m)
			thing, request = print.Clean(thing, print.MaxSaying), print.Clean(evidence.Brief(request), print.MaxSaying)
			key := request
			if key == "" {
				key = " " + thing
			}
			i := slices.Index(keys, key)
			if i < 0 {
				i = len(keys)
				l := print.Letter(i)
				keys, all = append(keys, key), append(all, ask{Letter: l, Anchor: page.Anchor("ask", l, map[string]bool{}), Request: request})
			}
			if !slices.Contains(all[i].Things, thing) {
				all[i].Things = append(all[i].Things, thing)
			}
			if !slices.Contains(letters[n], all[i].Letter) {
				letters[n] = append(letters[n], all[i].Letter)
			}
		}
	}
	return all, letters
}

// Words around the requests, the same in every form for people.
const (
	asksTitle = "What settles it"
	asksFull  = "partnerguard export plan prints each request in full, as a line to paste."
	asksHand  = "What has no request is in no export: look it up."
)

// asksAside counts the requests.
func asksAside(all []ask) string {
	n := int64(0)
	for i := range all {
		if all[i].Request != "" {
			n++
		}
	}
	return print.Plural(n, "requests")
}

// asksHelp is what to know about the requests.
func asksHelp(all []ask) string {
	hand := slices.ContainsFunc(all, func(a ask) bool { return a.Request == "" })
	full := slices.ContainsFunc(all, func(a ask) bool { return a.Request != "" })
	switch {
	case hand && full:
		return asksFull + " " + asksHand
	case hand:
		return asksHand
	}
	return asksFull
}
