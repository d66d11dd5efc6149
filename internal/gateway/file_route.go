package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// DefaultLimits are those of a route that says none.
var DefaultLimits = Limits{Body: 10 << 20, Header: 32 << 10, Timeout: 30 * time.Second, Idle: 5 * time.Minute, Retries: 1}

const maxText = 200 // runes of what people write

func (c *checker) route(path string, f *routeForm, t *Table, tenants []string) *Route {
	r := &Route{Name: f.Name, Leeway: t.Leeway, EncodedSlash: f.AllowEncodedSlash, Preflight: f.Preflight}
	if !nameForm.MatchString(f.Name) {
		c.fault(path+".name", "such as panel: a to z, 0 to 9 and dashes, at most 64", "%.60q is no name", f.Name)
	}
	for i, have := range t.Routes {
		if have.Name == f.Name {
			c.fault(path+".name", "give each its own: reports and metrics go by it",
				"%s is the name of the route on line %d too", f.Name, c.line(fmt.Sprintf("routes[%d]", i)))
		}
	}
	c.where(path, f, r)
	c.upstream(path+".upstream", f, r, t)
	c.callers(path, f, r, t, tenants)
	c.mfa(path+".mfa", f.MFA, r)
	c.who(path, f, r)
	c.phases(path, f, r)
	c.exceptions(path, f, r)
	if f.Trail != "" && f.Trail != "full" {
		c.fault(path+".trail", "trail: full, or leave it out: served though nothing can be written down", "%.40q is no trail", f.Trail)
	}
	r.FullTrail = f.Trail == "full"
	if f.Authorization != "" && f.Authorization != "pass" && f.Authorization != "drop" {
		c.fault(path+".authorization", "pass (the default) or drop", "%.40q is neither", f.Authorization)
	}
	r.DropAuthorization = f.Authorization == "drop"
	c.limits(path+".limits", &f.Limits, r)
	r.Plain = len(r.To.URLs) > 0 && !r.To.HTTP2
	for _, s := range r.To.URLs {
		r.Plain = r.Plain && strings.HasPrefix(s, "http://")
	}
	return r
}

func (c *checker) where(path string, f *routeForm, r *Route) {
	hosts, at := f.Hosts, path+".hosts"
	if f.Host != "" {
		if len(hosts) > 0 {
			c.fault(path+".hosts", "write all of them under hosts", "it has both host and hosts")
		}
		hosts, at = []string{f.Host}, path+".host"
	}
	c.many(at, len(hosts))
	for _, s := range hosts {
		h, ok := host(s)
		if !ok || slices.Contains(r.Hosts, h) {
			c.fault(at, "such as panel.contoso.example or *.contoso.example, without a port, each once; other letters as xn--",
				"%.60q is no host, or stands there twice", s)
		}
		r.Hosts = append(r.Hosts, h)
	}
	if r.Path = f.Path; r.Path == "" {
		r.Path = "/"
	}
	switch {
	case !isPath(r.Path):
		c.fault(path+".path", "such as / or /api/v1: whole segments of a to z, 0 to 9 and ._~!$+,=:@- without / at the end",
			"%.60q is no path of a route", f.Path)
	case Reserved(r.Path):
		c.fault(path+".path", "another path", "below %s are the gateway's own pages on every host", own)
	}
}

func (c *checker) upstream(path string, f *routeForm, r *Route, t *Table) {
	u := f.Upstream
	if u == nil {
		if t.Forward == nil {
			c.fault(path, "upstream: http://127.0.0.1:9000; without one another proxy must ask: forward", "it has none")
		}
		return
	}
	urls, at := u.URLs, path+".urls"
	if u.URL != "" {
		if len(urls) > 0 {
			c.fault(at, "write all of them under urls", "it has both url and urls")
		}
		urls, at = []string{u.URL}, path
	}
	if len(urls) == 0 || len(urls) > 16 {
		c.fault(path, "upstream: http://127.0.0.1:9000", "it has %d addresses, and 1 to 16 are taken", len(urls))
	}
	r.To = Upstream{CA: c.beside(u.CA), ServerName: u.ServerName, Health: u.Health, HTTP2: u.HTTP2}
	tls := true
	for _, s := range urls {
		o, ok := origin(s)
		if !ok || slices.Contains(r.To.URLs, o) {
			c.fault(at, "such as http://127.0.0.1:9000: no path, no name and password, each once",
				"%.80q is no address of an upstream, or stands there twice", s)
		}
		r.To.URLs = append(r.To.URLs, o)
		tls = tls && strings.HasPrefix(o, "https://")
	}
	if len(r.To.URLs) > 0 {
		r.Upstream = r.To.URLs[0]
	}
	if !tls && (u.CA != "" || u.ServerName != "") {
		c.fault(path, "https:// in its address, or take ca and serverName out", "ca and serverName are for TLS")
	}
	if h, ok := host(u.ServerName); u.ServerName != "" && (!ok || strings.HasPrefix(h, "*")) {
		c.fault(path+".serverName", "a name in its certificate", "%.60q is no host", u.ServerName)
	}
	if u.Health != "" && !isPath(u.Health) {
		c.fault(path+".health", "such as /healthz", "%.60q is no path", u.Health)
	}
}

func (c *checker) callers(path string, f *routeForm, r *Route, t *Table, tenants []string) {
	callers := f.Callers
	if callers == nil {
		callers = []string{"api"}
	}
	for i, s := range callers {
		switch {
		case s == "api" && !r.Bearer:
			r.Bearer = true
		case s == "browser" && !r.Browser:
			r.Browser = true
		default:
			c.fault(fmt.Sprintf("%s.callers[%d]", path, i), "api, browser, or both", "%.40q is no kind of caller, or stands there twice", s)
		}
	}
	if !r.Bearer && !r.Browser {
		c.fault(path+".callers", "api, browser, or both", "there is none")
	}
	if r.Browser && t.SignIn == nil {
		c.fault(path+".callers", "signIn: {app: ID, secret: NAME}, or callers: [api]", "browsers cannot sign in: the file has no signIn")
	}
	if r.Tenants = tenants; f.Tenants != nil {
		r.Tenants = c.tenants(path+".tenants", f.Tenants)
	}
	if len(r.Tenants) == 0 {
		c.fault(path+".tenants", "tenants: [connected], here or for the whole file", "no tenant is accepted, so nobody could come")
	}
	c.many(path+".audiences", len(f.Audiences))
	for i, s := range f.Audiences {
		if id, ok := guid(s); ok {
			s = id
		}
		if !plainText(s, 512) || strings.ContainsAny(s, " *") || slices.Contains(r.Audiences, s) {
			c.fault(fmt.Sprintf("%s.audiences[%d]", path, i), "api://… or the app id, as aud has it, each once",
				"%.60q is no audience, or stands there twice", s)
		}
		r.Audiences = append(r.Audiences, s)
	}
	if r.Bearer && len(r.Audiences) == 0 {
		c.fault(path+".audiences", "the API's identifier URI and its app id: v1 tokens have one, v2 tokens the other",
			"without them a token for any API at all would do")
	}
}

func (c *checker) mfa(path string, f *mfaForm, r *Route) {
	if f == nil {
		r.MFA = true
		return
	}
	if f.none {
		return
	}
	r.MFA = f.Claim == nil || *f.Claim
	if r.Context = f.Context; r.Context != "" && !contextIs.MatchString(r.Context) {
		c.fault(path+".context", "the id of an authentication context: c1 to c99", "%.40q is none", f.Context)
	}
	r.MaxAge = c.span(path+".maxAge", f.MaxAge, 0, time.Minute, 90*24*time.Hour)
	if !r.MFA && r.Context == "" {
		c.fault(path, "a context that the tenant's policies demand MFA for, or mfa: none", "neither the claim nor a context is asked for")
	}
}

// who reads which apps, clients, roles, groups and customers may.
func (c *checker) who(path string, f *routeForm, r *Route) {
	ids := func(name string, list []string) (out []string) {
		c.many(path+"."+name, len(list))
		for i, s := range list {
			id, ok := guid(s)
			if !ok || slices.Contains(out, id) {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, name, i), "an id as the directory shows it: 8-4-4-4-12 digits and a to f; each once",
					"%.60q is no id, or stands there twice", s)
			}
			out = append(out, id)
		}
		return out
	}
	pick := func(name, all string, ch choice) (any bool, list []string) {
		if ch.word != "" && ch.word != "none" && ch.word != all {
			c.fault(path+"."+name, "none, "+all+", or a list of ids", "%.40q is nothing that may stand here", ch.word)
		}
		return ch.word == all, ids(name, ch.list)
	}
	r.AnyApp, r.Apps = pick("apps", "any", f.Apps)
	r.AllCustomers, r.Customers = pick("customers", "all", f.Customers)
	r.Clients, r.Groups = ids("clients", f.Clients), ids("groups", f.Groups)
	c.many(path+".roles", len(f.Roles))
	for i, s := range f.Roles {
		if id, ok := guid(s); ok {
			s = id // a directory role, by its template
		}
		if !plainText(s, 256) || slices.Contains(r.Roles, s) {
			c.fault(fmt.Sprintf("%s.roles[%d]", path, i), "an app role's value, or a directory role's template id, each once",
				"%.60q is no role, or stands there twice", s)
		}
		r.Roles = append(r.Roles, s)
	}
}

func (c *checker) limits(path string, f *limitsForm, r *Route) {
	l := DefaultLimits
	sized := func(name, s string, absent, least, most int64) int64 {
		if s == "" {
			return absent
		}
		n, ok := size(s)
		if !ok || n < least || n > most {
			c.fault(path+"."+name, "a number with B, KB, MB or GB, such as 10MB", "it is %.40q, and %d to %d bytes can be", s, least, most)
		}
		return n
	}
	l.Body = sized("body", f.Body, l.Body, 1, 64<<30)
	l.Header = int(sized("header", f.Header, int64(l.Header), 4<<10, 1<<20))
	l.Timeout = c.span(path+".timeout", f.Timeout, l.Timeout, time.Second, time.Hour)
	l.Idle = c.span(path+".idle", f.Idle, l.Idle, time.Second, 24*time.Hour)
	if f.Retries != nil {
		l.Retries = *f.Retries
	}
	if l.Retries < 0 || l.Retries > 5 {
		c.fault(path+".retries", "", "it is %d, and 0 to 5 can be", l.Retries)
	}
	if l.Parallel = f.Parallel; l.Parallel < 0 || l.Parallel > 100_000 {
		c.fault(path+".parallel", "0 is without a bound", "it is %d, and 0 to 100000 can be", l.Parallel)
	}
	r.Limits = l
}

// apart refuses routes that one request could be of both of.
func (c *checker) apart(routes []*Route) {
	type spot struct{ host, path string }
	first := map[spot]int{}
	for i, r := range routes {
		hosts := r.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, h := range hosts {
			s := spot{h, strings.ToLower(r.Path)}
			if k, there := first[s]; there {
				c.fault(fmt.Sprintf("routes[%d]", i), "one of them, another host, or a path that differs by more than its case",
					"%s and %s on line %d are the same host and path", r.Name, routes[k].Name, c.line(fmt.Sprintf("routes[%d]", k)))
				return
			}
			first[s] = i
		}
	}
}

// plainText says whether a text is there, of bounded length, and shows as it is.
func plainText(s string, most int) bool {
	return s != "" && len([]rune(s)) <= most && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
