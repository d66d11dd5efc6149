package check

import (
	"fmt"
	"os"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/print"
)

// Said is what a file means.
type Said struct {
	Digest      string          `json:"digest"`
	At          time.Time       `json:"at"`
	Listen      []string        `json:"listen"`
	Forward     string          `json:"forward,omitempty"`
	Authorities []AuthoritySaid `json:"authorities"`
	SignIn      string          `json:"signIn,omitempty"`
	Routes      []RouteSaid     `json:"routes"`
	Dangers     []Danger        `json:"dangers"`
}

// AuthoritySaid is whose tokens are taken.
type AuthoritySaid struct {
	Name    string   `json:"name"`
	Keys    string   `json:"keys,omitempty"` // the file of them
	Issuers []string `json:"issuers"`
}

// RouteSaid is one route in words.
type RouteSaid struct {
	Name       string   `json:"name"`
	Serves     []string `json:"serves"` // host and path
	Upstream   string   `json:"upstream"`
	Mode       string   `json:"mode"`
	Next       []Phase  `json:"next"`
	Tenants    []string `json:"tenants"`
	Audiences  []string `json:"audiences"`
	Callers    []string `json:"callers"`
	Asks       []string `json:"asks"` // in words
	Apps       string   `json:"apps"`
	Customers  string   `json:"customers"`
	Exceptions []Except `json:"exceptions"`
	Other      []string `json:"other"`
	Lean       bool     `json:"lean"` // the short path may serve it
}

// Except is an exception.
type Except struct {
	Name    string    `json:"name"`
	Who     string    `json:"who"`
	Owner   string    `json:"owner"`
	Why     string    `json:"why"`
	Until   time.Time `json:"until"`
	Over    bool      `json:"over"`
	Reasons []string  `json:"reasons"` // none is all that can be excused
}

// Danger is something to look at.
type Danger struct {
	Route string `json:"route,omitempty"` // "" is the whole file
	Word  string `json:"word"`            // stable: mfa-none, apps-any, …
	Says  string `json:"says"`
	Fix   string `json:"fix"`
}

// soon is how long before its end an exception is told of.
const soon = 14 * 24 * time.Hour

// Explain says what a table means at a moment.
func Explain(t *gateway.Table, now time.Time) *Said {
	s := &Said{Digest: t.Digest, At: now, Listen: []string{}, Authorities: []AuthoritySaid{}, Routes: []RouteSaid{}, Dangers: []Danger{}}
	for _, l := range t.Listen {
		if l.Certificate != "" {
			s.Listen = append(s.Listen, l.At+" with TLS")
			continue
		}
		s.Listen = append(s.Listen, l.At+" without TLS")
		if !loopback(l.At) {
			s.danger("", "listen-plain", l.At+" listens without TLS beyond this machine: tokens and cookies can be read on the way to it",
				"tls: {certificate: …, key: …}, unless what is before it has TLS and nobody else reaches it")
		}
	}
	if t.Forward != nil {
		s.Forward = fmt.Sprintf("%s, for %s", t.Forward.At, joined(t.Forward.Peers))
	}
	for _, a := range t.Authorities {
		s.Authorities = append(s.Authorities, AuthoritySaid{Name: a.Name, Keys: a.Keys, Issuers: a.Issuers})
	}
	if t.SignIn != nil {
		s.SignIn = fmt.Sprintf("the app %s; a session lives %s, and %s while nobody uses it", t.SignIn.App, span(t.SignIn.Life), span(t.SignIn.Idle))
	}
	for _, r := range t.Routes {
		s.route(r, now)
	}
	s.files(t)
	return s
}

// Keys adds what is to be looked at of the authorities' keys.
func (s *Said) Keys(keys []verify.AuthorityStatus) {
	for _, k := range keys {
		if k.State != verify.KeysGood {
			s.danger("", "keys-"+string(k.State), "the keys of "+k.Name+" are not there: "+first(k.Why, string(k.State))+"; no token of it could be taken",
				"look at the network and at the authority; --keys FILE reads a file instead, --offline nothing")
		}
	}
}

func (s *Said) danger(route, word, says, fix string) {
	s.Dangers = append(s.Dangers, Danger{Route: route, Word: word, Says: says, Fix: fix})
}

func (s *Said) route(r *gateway.Route, now time.Time) {
	holds, _ := r.Phase(now)
	out := RouteSaid{Name: r.Name, Upstream: strings.Join(r.To.URLs, ", "), Mode: holds.String(), Next: []Phase{}, Tenants: r.Tenants,
		Audiences: append([]string{}, r.Audiences...), Callers: []string{}, Exceptions: []Except{}, Other: []string{}, Lean: r.Plain}
	hosts := r.Hosts
	if len(hosts) == 0 {
		hosts = []string{"every other host"}
	}
	for _, h := range hosts {
		out.Serves = append(out.Serves, h+" "+r.Path)
	}
	if r.Bearer {
		out.Callers = append(out.Callers, "api")
	}
	if r.Browser {
		out.Callers = append(out.Callers, "browser")
	}
	for _, p := range r.Phases {
		if p.From.After(now) {
			out.Next = append(out.Next, Phase{Mode: p.String(), From: p.From})
		}
	}
	out.Asks = asks(r)
	out.Apps = either(r.AnyApp, "any app of the tenants", r.Apps)
	out.Customers = either(r.AllCustomers, "all customers, and any other tenant that the partner's people are guests of", r.Customers)
	for i := range r.Exceptions {
		out.Exceptions = append(out.Exceptions, *except(&r.Exceptions[i], now))
	}
	out.Other = other(r)
	s.Routes = append(s.Routes, out)
	s.dangers(r, holds, out.Next, now)
}

// dangers are what of a route lets in more than a reader may think.
func (s *Said) dangers(r *gateway.Route, holds gateway.Phase, next []Phase, now time.Time) {
	say := func(word, says, fix string) { s.danger(r.Name, word, says, fix) }
	if holds.Mode == gateway.Off {
		say("mode-off", "nothing is asked: everybody who reaches it is served", "mode: report asks and writes down, and refuses nobody")
	}
	if holds.Mode != gateway.Enforce && len(next) == 0 {
		say("never-enforced", "it is "+holds.String()+", and nothing says from when it is enforced", "next: [{mode: enforce, from: DAY}]")
	}
	if !r.MFA && r.Context == "" {
		say("mfa-none", "no MFA is asked for", "leave mfa out: the claim is then asked for on every sign-in")
	} else if !r.MFA {
		say("context-alone", "a context names a policy's demand, and not that MFA met it",
			"have the tenant's policy for "+r.Context+" require MFA, or ask for the claim too")
	}
	if r.AnyApp {
		say("apps-any", "every app of the tenants may call without a user, and proves no MFA", "name them: apps: [ID]")
	}
	if r.AllCustomers {
		say("customers-all", "tokens of every tenant are taken that say their account is of the partner's", "name them: customers: [ID]")
	}
	if r.Bearer && len(r.Roles) == 0 && len(r.Groups) == 0 && len(r.Apps) > 0 {
		say("apps-no-role", "its apps need no role: a secret of theirs is enough", "roles: [an app role of the API] for all who call")
	}
	for _, u := range r.To.URLs {
		if strings.HasPrefix(u, "http://") && !loopback(strings.TrimPrefix(u, "http://")) {
			say("upstream-plain", u+" is reached without TLS: what says who asks can be read and forged on the way", "https:// and ca: FILE")
		}
	}
	for i := range r.Exceptions {
		e := &r.Exceptions[i]
		switch left := e.Until.Sub(now); {
		case left <= 0:
			say("exception-over", fmt.Sprintf("the exception %s is over since %s", e.Name, e.Until.Format(time.DateOnly)), "take it out of the file")
		case left < soon:
			say("exception-ends", fmt.Sprintf("the exception %s ends in %s, owner %s", e.Name, span(left), e.Owner), "ask its owner what has become of: "+e.Why)
		}
		if strings.Contains(e.Account, "@") {
			say("exception-by-name", fmt.Sprintf("the exception %s is for whoever is called %s", e.Name, e.Account), "name the account's object id")
		}
	}
}

// asks says a rule in words.
func asks(r *gateway.Route) (out []string) {
	switch {
	case r.MFA:
		out = append(out, "the MFA claim: amr has mfa")
	case r.Context == "":
		out = append(out, "no MFA")
	}
	if r.Context != "" {
		out = append(out, "the authentication context "+r.Context+": acrs has it")
	}
	if r.MaxAge > 0 {
		out = append(out, "a sign-in at most "+span(r.MaxAge)+" ago: auth_time")
	}
	if len(r.Clients) > 0 {
		out = append(out, "of users, a token through the app "+strings.Join(r.Clients, " or "))
	}
	var one []string
	for _, v := range r.Roles {
		one = append(one, "the role "+v)
	}
	for _, v := range r.Groups {
		one = append(one, "the group "+v)
	}
	if len(one) > 0 {
		out = append(out, strings.Join(one, " or "))
	}
	return out
}

// other says what else a route is set to.
func other(r *gateway.Route) []string {
	out := []string{}
	add := func(yes bool, s string) {
		if yes {
			out = append(out, s)
		}
	}
	add(r.FullTrail, "refuses when nothing can be written down")
	add(r.DropAuthorization, "the upstream does not see the token")
	add(r.EncodedSlash, "%2F in paths is let through")
	add(r.Preflight, "CORS preflights need no token")
	add(r.To.HTTP2, "the upstream is asked by HTTP/2")
	add(r.To.Health != "", "the upstream's health is asked at "+r.To.Health)
	l := r.Limits
	out = append(out, fmt.Sprintf("at most %s of body and %s of headers; an answer begins within %s; a silent stream ends after %s; %s",
		sized(l.Body), sized(int64(l.Header)), span(l.Timeout), span(l.Idle), tries(l.Retries)))
	add(l.Parallel > 0, fmt.Sprintf("at most %d requests at the upstream at a time", l.Parallel))
	return out
}

// sized says a size as the file writes it.
func sized(n int64) string {
	for _, u := range []struct {
		word string
		bits uint
	}{{"GB", 30}, {"MB", 20}, {"KB", 10}} {
		if n >= 1<<u.bits && n%(1<<u.bits) == 0 {
			return fmt.Sprintf("%d %s", n>>u.bits, u.word)
		}
	}
	return print.Plural(n, "bytes")
}

func tries(n int) string {
	if n == 0 {
		return "nothing is sent twice"
	}
	return "sent again at most " + print.Plural(int64(n), "times") + ", where that is safe"
}

func except(e *gateway.Exception, now time.Time) *Except {
	out := &Except{Name: e.Name, Who: "the account " + e.Account, Owner: e.Owner, Why: e.Why, Until: e.Until, Over: !now.Before(e.Until), Reasons: []string{}}
	if e.App != "" {
		out.Who = "the app " + e.App
	}
	for _, r := range e.Reasons {
		out.Reasons = append(out.Reasons, r.String())
	}
	return out
}

// files looks whether what the file names is there.
func (s *Said) files(t *gateway.Table) {
	look := func(route, what, path string) {
		if path == "" {
			return
		}
		if f, err := os.Open(path); err != nil {
			s.danger(route, "no-file", what+" "+path+" cannot be read", "the gateway does not start without it")
		} else {
			_ = f.Close()
		}
	}
	for _, l := range t.Listen {
		look("", "the certificate", l.Certificate)
		look("", "the key", l.Key)
	}
	if t.SignIn != nil {
		look("", "the secret's file", t.SignIn.SecretFile)
	}
	for _, r := range t.Routes {
		look(r.Name, "the file of roots", r.To.CA)
	}
}

func either(all bool, words string, list []string) string {
	switch {
	case all:
		return words
	case len(list) == 0:
		return "none"
	}
	return strings.Join(list, ", ")
}

func joined[T fmt.Stringer](list []T) string {
	var out []string
	for _, v := range list {
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}

func loopback(at string) bool {
	host := at
	if i := strings.LastIndexByte(at, ':'); i >= 0 && !strings.HasSuffix(at, "]") {
		host = at[:i]
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
