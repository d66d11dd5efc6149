package session

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/rule"
	"partnerguard/internal/print"
)

// maxShown bounds how many routes the page tells of.
const maxShown = 50

// home is the page of a host: who somebody is here, what is asked of them, and from when.
func (m *Manager) home(w http.ResponseWriter, r *http.Request) error {
	e, _, reason := m.who(r)
	p := answer.Page{Title: "What is asked for here", Foot: "Partnerguard checks at this host that sign-ins prove MFA."}
	var id *gateway.Identity
	if reason == gateway.Passed {
		id = e.id
		p.Facts = []answer.Fact{{Name: "You are", Value: nameOf(id)}, {Name: "MFA", Value: proofWords(id)}}
		if id.AuthTime > 0 {
			p.Facts = append(p.Facts, answer.Fact{Name: "You signed in", Value: print.When(unix(id.AuthTime))})
		}
		p.Facts = append(p.Facts, answer.Fact{Name: "This session ends", Value: print.When(unix(id.NotAfter))})
		p.Links = []answer.Link{{Text: "Sign out", Path: signOutPath}}
	}
	table := m.d.Table()
	browsers, worst := false, gateway.Passed
	for _, route := range table.Routes {
		if found, _ := table.Find(r.Host, route.Path); found != route || len(p.Lists) >= maxShown {
			continue
		}
		browsers = browsers || route.Browser
		list, miss := m.tell(route, id)
		if miss != gateway.Passed && worst == gateway.Passed {
			worst = miss
			if miss.Kind() == gateway.Challenge {
				where := stepUpPath + "?" + url.Values{"to": {route.Path}}.Encode()
				p.Links = append([]answer.Link{{Text: "Prove MFA now", Path: where, Primary: true}}, p.Links...)
			}
		}
		p.Lists = append(p.Lists, list)
	}
	switch {
	case len(p.Lists) == 0:
		p.Tone, p.Banner = print.Muted, "nothing is served by this name"
	case id == nil && browsers:
		p.Tone, p.Banner = print.Muted, "you are not signed in at this host"
		p.Links = []answer.Link{{Text: "Sign in", Path: signInPath + "?" + url.Values{"to": {homeTo}}.Encode(), Primary: true}}
	case id == nil:
		p.Tone, p.Banner = print.Muted, "programs alone are served here: they send Authorization: Bearer with an access token"
	case worst != gateway.Passed:
		p.Tone, p.Banner = print.Doubt, "your sign-in would be refused where all of it is enforced: "+worst.Title()
	default:
		p.Tone, p.Banner = print.Good, "your sign-in satisfies all that is asked for here"
	}
	m.show(w, r, http.StatusOK, p)
	return nil
}

// homeTo is where a sign-in from the page leads: the page itself is no path to come back
// to, so it is the host's first page.
const homeTo = "/"

func proofWords(id *gateway.Identity) string {
	if !id.Proven {
		return "not proven: " + id.Lacks.Title()
	}
	if by := methods(id); by != "" {
		return "proven, with " + by
	}
	return "proven"
}

// tell says what a route asks for and when, and what somebody lacks of it.
func (m *Manager) tell(route *gateway.Route, id *gateway.Identity) (answer.List, gateway.Reason) {
	now := m.now()
	holds, _ := route.Phase(now)
	l := answer.List{Title: route.Name + ", " + route.Path, Items: []string{demandWords(route), phaseWords(holds)}}
	for _, p := range route.Phases {
		if p.From.After(now) {
			l.Items = append(l.Items, "from "+print.When(p.From)+": "+phaseWords(p))
		}
	}
	if id == nil {
		return l, gateway.Passed
	}
	miss := rule.Decide(route, id, now)
	if miss == gateway.Passed {
		l.Items = append(l.Items, "your sign-in would be let in")
	} else {
		l.Items = append(l.Items, "your sign-in would be refused: "+miss.Title())
	}
	return l, miss
}

// phaseWords say to a person what a mode means.
func phaseWords(p gateway.Phase) string {
	switch p.Mode {
	case gateway.Off:
		return "nothing is asked"
	case gateway.Report:
		return "report only: nobody is refused, what would be is written down"
	case gateway.Ramp:
		return answer.PhaseWords(p) + ": that share of callers who fall short is refused, always the same ones"
	}
	return "enforced: who does not satisfy it is refused"
}

// demandWords says what a route's rule asks of a sign-in.
func demandWords(route *gateway.Route) string {
	var what []string
	if route.MFA {
		what = append(what, "the MFA claim")
	}
	if route.Context != "" {
		what = append(what, "the authentication context "+route.Context)
	}
	if route.MaxAge > 0 {
		what = append(what, "a sign-in that is "+words(route.MaxAge)+" old at most")
	}
	if len(what) == 0 {
		return "asks for a sign-in"
	}
	return "asks for " + strings.Join(what, ", ")
}
