package check

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/print"
)

// Write says it to people.
func (s *Said) Write(p *print.Screen, keys []verify.AuthorityStatus, now time.Time) {
	p.Para("Listens     ", first(strings.Join(s.Listen, "; "), "nowhere itself"), print.Plain)
	if s.Forward != "" {
		p.Para("Forward     ", "other proxies ask at "+s.Forward, print.Plain)
	}
	if s.SignIn != "" {
		p.Para("Sign-in     ", s.SignIn, print.Plain)
	}
	for _, a := range s.Authorities {
		p.Para("Tokens of   ", print.Clean(a.Name, 120)+": "+strings.Join(a.Issuers, ", "), print.Plain)
	}
	for i := range s.Routes {
		s.Routes[i].write(p, now)
	}
	p.Section("Keys", "")
	if keys == nil {
		p.Para("", "They were not read.", print.Dim)
	}
	for _, k := range keys {
		writeKeys(p, k, now)
	}
	p.Section("To look at", "")
	if len(s.Dangers) == 0 {
		p.Para("", "Nothing lets in more than it says.", print.Green)
	}
	for _, d := range s.Dangers {
		lead := ""
		if d.Route != "" {
			lead = d.Route + ": "
		}
		p.Para("! ", lead+print.Clean(d.Says, 400)+" ("+d.Word+").", print.Yellow)
		p.Para("  ", "To do: "+print.Clean(d.Fix, 400)+".", print.Plain)
	}
}

func (r *RouteSaid) write(p *print.Screen, now time.Time) {
	p.Section("Route "+r.Name, "")
	row := func(lead, text string) { p.Para(fmt.Sprintf("  %-11s", lead), print.Clean(text, 2000), print.Plain) }
	for _, s := range r.Serves {
		row("serves", s)
	}
	row("upstream", first(r.Upstream, "another proxy has it"))
	row("now", modeWords(r.Mode))
	for _, n := range r.Next {
		row("next", modeWords(n.Mode)+", from "+print.When(n.From)+" (in "+span(n.From.Sub(now))+")")
	}
	row("who", strings.Join(r.Callers, " and ")+" callers of the tenant "+strings.Join(r.Tenants, ", "))
	if len(r.Audiences) > 0 {
		row("for", strings.Join(r.Audiences, ", "))
	}
	for _, a := range r.Asks {
		row("asks for", a)
	}
	row("apps", r.Apps)
	row("customers", r.Customers)
	for _, e := range r.Exceptions {
		end := "until " + print.When(e.Until)
		if e.Over {
			end = "over since " + print.When(e.Until)
		}
		what := "all that can be excused"
		if len(e.Reasons) > 0 {
			what = strings.Join(e.Reasons, ", ")
		}
		row("excepted", fmt.Sprintf("%s: %s, from %s, %s; owner %s: %s", e.Name, e.Who, what, end, e.Owner, e.Why))
	}
	for _, o := range r.Other {
		row("also", o)
	}
}

func writeKeys(p *print.Screen, k verify.AuthorityStatus, now time.Time) {
	style, words := print.Green, "read"
	if k.State != verify.KeysGood {
		style, words = print.Red, "NOT read: "+first(k.Why, string(k.State))
	}
	p.Para("  ", print.Clean(k.Name, 120)+": "+words, style)
	for _, key := range k.Keys {
		alg := first(key.Algorithm, "not used: several have its name")
		p.Para("    ", print.Clean(key.ID, 80)+" "+alg, print.Plain)
	}
	if !k.Read.IsZero() && now.Sub(k.Read) > time.Minute {
		p.Para("    ", "read "+span(now.Sub(k.Read))+" ago", print.Dim)
	}
}

// modeWords says a mode with what it means.
func modeWords(mode string) string {
	switch {
	case mode == "off":
		return "off: nothing is asked"
	case mode == "report":
		return "report: asked and written down, nobody is refused"
	case mode == "enforce":
		return "enforce: what is not well is refused"
	}
	return mode + ": what is not well is refused for that share of callers, always the same ones"
}

// Write says it to people.
func (t *Tried) Write(p *print.Screen) {
	style, head := print.Green, "passes"
	switch {
	case t.Refused:
		style, head = print.Red, "is refused: "+t.Title
	case t.Excused != nil:
		style, head = print.Yellow, "passes by the exception "+t.Excused.Name+", though "+t.Title
	case t.Enforce:
		style, head = print.Yellow, "is served, and would be refused: "+t.Title
	}
	p.Para("", print.Clean(t.Method, 20)+" "+t.URL+" "+print.Clean(head, 400)+".", style.Strong())
	row := func(lead, text string) {
		if text != "" {
			p.Para(fmt.Sprintf("  %-11s", lead), print.Clean(text, 2000), print.Plain)
		}
	}
	row("route", t.Route)
	row("mode", t.Mode)
	if t.Next != nil {
		row("next", t.Next.Mode+" from "+print.When(t.Next.From))
	}
	row("at", print.When(t.At))
	row("reason", t.Reason)
	row("because", t.Because)
	if c := t.Caller; c != nil {
		who := first(c.Account, c.ObjectID)
		if c.IsApp {
			who = "the app " + c.App
		}
		row("caller", who+" of "+c.Tenant+", MFA: "+c.MFA)
		told := "no"
		if t.Told && !t.Refused {
			told = "yes"
		}
		row("told", told+": the upstream is "+map[string]string{"yes": "told who asks", "no": "not told who asks"}[told])
	}
	t.Answer.write(p, "answer")
	t.Enforced.write(p, "enforced")
	for _, h := range t.Announce {
		row("header", h.Name+": "+h.Value)
	}
	row("to do", t.Fix)
	for _, n := range t.Notes {
		p.Para("  Note: ", print.Clean(n, 400)+".", print.Dim)
	}
}

func (a *Answer) write(p *print.Screen, lead string) {
	if a == nil {
		return
	}
	text := fmt.Sprint(a.Status)
	if a.Location != "" {
		text += " to " + a.Location
	}
	if c := a.Challenge; c != nil {
		text += ", WWW-Authenticate: " + first(c.Error, "a token is wanted") + ", authority " + c.Authorization
		if len(c.Claims) > 0 {
			text += ", claims " + string(c.Claims)
		}
	}
	p.Para(fmt.Sprintf("  %-11s", lead), print.Clean(text, 2000), print.Plain)
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
