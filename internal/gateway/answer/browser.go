package answer

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
)

// The gateway's own paths, on every host that has a route. An upstream never sees them.
const (
	OwnPrefix   = "/.partnerguard/"
	SignInPath  = OwnPrefix + "sign-in"
	StepUpPath  = OwnPrefix + "step-up"
	SignOutPath = OwnPrefix + "sign-out"
)

// Browser says whether a person looks at the answer: a page is being opened, not fetched
// by a script. Browsers say so themselves (Fetch Metadata); of older ones what they take
// tells. Who brings a token is a program.
func Browser(r *gateway.Request) bool {
	switch {
	case r.Authorization != "" || r.Doubled || r.RequestedWith != "":
		return false
	case r.FetchMode != "":
		return r.FetchMode == "navigate" && (r.FetchDest == "" || r.FetchDest == "document")
	}
	return takesHTML(r.Accept)
}

// takesHTML says whether Accept names HTML, and does not refuse it. A mere */* is what
// programs send.
func takesHTML(accept string) bool {
	for range 64 {
		part, rest, more := strings.Cut(accept, ",")
		kind, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(kind), "text/html") || strings.EqualFold(strings.TrimSpace(kind), "application/xhtml+xml") {
			q := strings.ReplaceAll(strings.ToLower(params), " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
		if !more {
			break
		}
		accept = rest
	}
	return false
}

// person answers a browser, where one looks.
func person(d *gateway.Decision, r *gateway.Request, o Options) (Answer, bool) {
	if !Browser(r) {
		return Answer{}, false
	}
	kind := d.Reason.Kind()
	enters := o.SignIn && d.Route != nil && d.Route.Browser
	if enters && (kind == gateway.Sign || kind == gateway.Challenge) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return redirect(d, r), true
		}
		return lost(d, r), true
	}
	p := Page{Title: titles[kind], Sub: r.Host, Tone: print.Bad, Banner: d.Reason.Title(), Fix: d.Reason.Fix(), Facts: facts(d, r)}
	if kind == gateway.Serve {
		p.Banner, p.Fix = gateway.BadRequest.Title(), gateway.BadRequest.Fix()
	}
	if kind == gateway.Later || kind == gateway.Slower {
		p.Tone = print.Doubt
	}
	if enters && kind == gateway.Forbid && d.Identity != nil {
		p.Links = append(p.Links, Link{Text: "Use another account", Path: SignInPath + "?" + url.Values{"as": {"other"}, "to": {Wish(r)}}.Encode()})
	}
	a := p.Answer(status(kind, true))
	if a.Status == http.StatusUnauthorized {
		a.set("WWW-Authenticate", Challenge(d.Route, d.Reason, r.Now, o))
	}
	return a, true
}

var titles = map[gateway.Kind]string{
	gateway.Serve: "Not understood", gateway.Sign: "Not for browsers", gateway.Challenge: "Not for browsers", gateway.Forbid: "You may not enter",
	gateway.NotFound: "Nothing here", gateway.Bad: "Not understood", gateway.Later: "Not just now", gateway.Slower: "Too many attempts",
}

// facts are what somebody tells whoever can help.
func facts(d *gateway.Decision, r *gateway.Request) []Fact {
	var out []Fact
	if d.Identity != nil && d.Identity.Account != "" {
		out = append(out, Fact{"Account", d.Identity.Account})
	}
	out = append(out, Fact{"Reason", d.Reason.String()})
	if r.ID != "" {
		out = append(out, Fact{"Request", r.ID})
	}
	return out
}

// redirect sends a browser to the sign-in, or to the page that says why it must step up.
func redirect(d *gateway.Decision, r *gateway.Request) Answer {
	q := url.Values{"to": {Wish(r)}}
	to := SignInPath
	switch {
	case d.Reason == gateway.SessionOver:
		q.Set("why", d.Reason.String())
	case d.Reason == gateway.Revoked:
		q.Set("why", d.Reason.String())
	case d.Reason.Kind() == gateway.Challenge:
		to = StepUpPath
		q.Set("why", d.Reason.String())
	}
	a := Answer{Status: http.StatusFound, Body: []byte{}}
	a.set("Location", to+"?"+q.Encode())
	a.set("Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest, Cookie")
	return a
}

// lost tells somebody whose form was not taken; it is never sent again by itself.
func lost(d *gateway.Decision, r *gateway.Request) Answer {
	to := "/"
	if d.Route.Path != "" {
		to = SafePath(d.Route.Path)
	}
	path, text := SignInPath, "Sign in"
	if d.Identity != nil && d.Reason.Kind() == gateway.Challenge && d.Reason != gateway.Revoked {
		path, text = StepUpPath, "Step up"
	}
	q := url.Values{"to": {to}, "why": {d.Reason.String()}}
	p := Page{Title: "Nothing was sent", Sub: r.Host, Tone: print.Doubt, Banner: d.Reason.Title(), Facts: facts(d, r),
		Words: []string{"What you sent was not passed on. Go back for it once you have signed in, if the page still holds it"},
		Links: []Link{{Text: text, Path: path + "?" + q.Encode(), Primary: true}}}
	return p.Answer(http.StatusUnauthorized)
}

// maxWish bounds the address that somebody comes back to, in bytes.
const maxWish = 2000

// Wish is the address that was asked for, as a path of the same host.
func Wish(r *gateway.Request) string {
	to := r.Path
	if r.Query != "" {
		to += "?" + r.Query
	}
	if len(to) > maxWish {
		to = r.Path
	}
	return SafePath(to)
}

// SafePath is an address of this host to go to, "/" for anything else: another host, a
// scheme, whatever a browser could take for one, and the gateway's own paths, which would
// send somebody round in circles.
func SafePath(to string) string {
	if to == "" || to[0] != '/' || len(to) > maxWish || strings.HasPrefix(to, "//") {
		return "/"
	}
	for i := range len(to) {
		if c := to[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return "/"
		}
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	path := u.Path // as it is read: %2e%2e and %5c are seen through
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) || strings.HasPrefix(path, "//") ||
		strings.HasPrefix(path, OwnPrefix) || path+"/" == OwnPrefix {
		return "/"
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return "/"
		}
	}
	return to
}
