package render

import (
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
)

// command is the words of the command that decides a gap's witness again, or
// nil when the account is none of the export. from are the inputs to read.
func command(q *access.Proof, g *access.Gap, from []string) []string {
	s := &g.Witness.SignIn
	account := print.Clean(g.Witness.Account, print.MaxSaying)
	// A stand-in for accounts that were not exported is named in words.
	if account == "" || strings.Contains(account, " ") {
		return nil
	}
	words := []string{"partnerguard", "decide"}
	add := func(flag, value string) {
		if value = print.Clean(value, print.MaxSaying); value != "" {
			words = append(words, flag+" "+print.Quote(value))
		}
	}
	for _, f := range from {
		add("--from", f)
	}
	add("--user", account)
	add("--app", s.App)
	add("--client", s.Client)
	add("--location", location(g))
	add("--platform", s.Platform)
	if s.SignInRisk != "none" {
		add("--sign-in-risk", s.SignInRisk)
	}
	if s.UserRisk != "none" {
		add("--user-risk", s.UserRisk)
	}
	if s.InsiderRisk != "none" && s.InsiderRisk != "" {
		add("--insider-risk", s.InsiderRisk)
	}
	var names []string
	for n := range s.Device {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		switch {
		case s.Device[n]:
			add("--device", n+"=true")
		case matters(q, n):
			add("--device", n+"=false")
		}
	}
	return words
}

// ways around MFA by a device fact, as the engine words them in a policy's
// grant. A fact that no grant names makes no difference when it is false.
var wayAround = map[string]string{
	"compliant device": "a compliant device", "joined device": "a hybrid joined device",
	"approved app": "an approved app", "protected app": "an app with app protection",
}

func matters(q *access.Proof, fact string) bool {
	words, ok := wayAround[fact]
	return !ok || slices.ContainsFunc(q.Policies, func(u access.PolicyUse) bool { return strings.Contains(u.Why, words) })
}

// location is the witness's place as decide takes it: where the gap is open
// from anywhere, the address; else a place of the gap by its name, which also
// says of which country it is.
func location(g *access.Gap) string {
	s := &g.Witness.SignIn
	if s.Location != "" {
		return s.Location
	}
	for _, n := range g.What {
		if n.Dimension != "location" {
			continue
		}
		label := ""
		for _, v := range n.Values {
			if label == "" || v == "any other location" {
				label = v
			}
		}
		if len(label) > 2 {
			return label
		}
	}
	if s.IP.IsValid() {
		return s.IP.String()
	}
	return s.Country
}
