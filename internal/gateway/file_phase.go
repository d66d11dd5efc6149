package gateway

import (
	"fmt"
	"strings"
	"time"
)

// longestException is how far ahead an exception may end.
const longestException = 366 * 24 * time.Hour

func (c *checker) phases(path string, f *routeForm, r *Route) {
	const forms = "off, report, ramp 20% (1 to 99) or enforce"
	read := func(at, s string, from time.Time) Phase {
		m, share, ok := mode(s)
		if !ok {
			c.fault(at, forms+"; begin with report", "%.40q is no mode, and it has to be said", s)
		}
		return Phase{Mode: m, Share: share, From: from}
	}
	r.Phases = []Phase{read(path+".mode", f.Mode, time.Time{})}
	if len(f.Next) > 20 {
		c.fault(path+".next", "", "there are %d, and at most 20 are taken", len(f.Next))
	}
	for i, n := range f.Next {
		at := fmt.Sprintf("%s.next[%d]", path, i)
		from, _, ok := moment(n.From)
		if !ok {
			c.fault(at+".from", "a day, 2026-12-07, or an instant, 2026-12-07T06:00:00Z", "%.40q is no moment", n.From)
		}
		p, before := read(at+".mode", n.Mode, from), r.Phases[i]
		switch {
		case !p.From.After(before.From):
			c.fault(at+".from", "write them in order of time", "%s is not after the one before", n.From)
		case p.hardness() <= before.hardness():
			c.fault(at+".mode", "each next mode is harder than the one before; to go back, change mode itself", "%s is not harder than %s before it", p, before)
		}
		r.Phases = append(r.Phases, p)
	}
}

func (c *checker) exceptions(path string, f *routeForm, r *Route) {
	seen := map[string]bool{}
	for i := range f.Exceptions {
		if c.err != nil {
			return
		}
		e, at := &f.Exceptions[i], fmt.Sprintf("%s.exceptions[%d]", path, i)
		if !plainText(e.Name, 64) || seen[e.Name] {
			c.fault(at+".name", "a short name, each once on its route: it is counted by it", "%.60q is no name, or stands there twice", e.Name)
		}
		seen[e.Name] = true
		out := Exception{Name: e.Name, Owner: e.Owner, Why: e.Why}
		if !plainText(e.Owner, maxText) || !plainText(e.Why, maxText) {
			c.fault(at, "owner: who answers for it; why: what has to become so that it can end", "an exception has an owner and says why")
		}
		c.excepted(at, e, &out)
		until, day, ok := moment(e.Until)
		if day {
			until = until.AddDate(0, 0, 1) // through that day
		}
		switch {
		case e.Until == "":
			c.fault(at, "until: 2026-12-31, at most a year ahead", "an exception has an end")
		case !ok:
			c.fault(at+".until", "a day, 2026-12-31, or an instant, 2026-12-31T12:00:00Z", "%.40q is no moment", e.Until)
		case until.After(c.names.Now.Add(longestException)):
			c.fault(at+".until", "at most a year ahead: look at it again then", "%s is too far ahead", e.Until)
		}
		out.Until = until
		r.Exceptions = append(r.Exceptions, out)
	}
}

// excepted reads who is excepted, and from what.
func (c *checker) excepted(at string, e *exceptionForm, out *Exception) {
	switch {
	case (e.Account == "") == (e.App == ""):
		c.fault(at, "account: an object id or a name such as ada@contoso.example; or app: its id", "an exception is for one account or one app")
	case e.App != "":
		id, ok := guid(e.App)
		if !ok {
			c.fault(at+".app", "the app's id", "%.60q is no app id", e.App)
		}
		out.App = id
	default:
		out.Account = strings.ToLower(e.Account)
		if _, id := guid(e.Account); !id && (!plainText(e.Account, maxText) || strings.Count(e.Account, "@") != 1 || strings.ContainsAny(e.Account, " *")) {
			c.fault(at+".account", "an object id, or a name such as ada@contoso.example", "%.60q is no account", e.Account)
		}
	}
	for i, s := range e.Reasons {
		reason, ok := ReasonOf(s)
		if !ok || reason < AppNotAllowed || reason > AgeUnknown {
			var can []string
			for r := AppNotAllowed; r <= AgeUnknown; r++ {
				can = append(can, r.String())
			}
			c.fault(fmt.Sprintf("%s.reasons[%d]", at, i), "some of "+strings.Join(can, ", "), "%.40q is nothing that can be excused", s)
		}
		out.Reasons = append(out.Reasons, reason)
	}
}
