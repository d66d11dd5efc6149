package gateway

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/entra"
)

// Defaults of gateway.yaml.
const (
	DefaultLeeway   = 2 * time.Minute
	DefaultKeysKept = 24 * time.Hour
	DefaultLife     = 8 * time.Hour
	DefaultIdle     = 30 * time.Minute
)

const connected = "connected"

// whole fills a table from a file.
func (c *checker) whole(f *form, t *Table) {
	if f.Version != 1 {
		c.fault("version", "version: 1", "must be 1, got %d", f.Version)
	}
	c.listen(f, t)
	t.Trusted = c.networks("trusted", f.Trusted)
	c.authorities(f, t)
	t.Leeway = c.span("leeway", f.Leeway, DefaultLeeway, 0, claim.MaxLeeway)
	t.KeysKept = c.span("keysKept", f.KeysKept, DefaultKeysKept, time.Hour, 7*24*time.Hour)
	t.Assertion = f.Identity.Assertion == nil || *f.Identity.Assertion
	if s := f.SignIn; s != nil {
		t.SignIn = c.signIn(s)
	}
	tenants := c.tenants("tenants", f.Tenants)
	switch n := len(f.Routes); {
	case n == 0:
		c.fault("routes", "name at least one: what is in no route is not served", "there is none")
	case n > MaxRoutes:
		c.fault("routes", "let several paths or hosts share one", "there are %d, and at most %d are taken", n, MaxRoutes)
	}
	exceptions := 0
	for i := range f.Routes {
		exceptions += len(f.Routes[i].Exceptions)
	}
	if exceptions > MaxExceptions {
		c.fault("routes", "except a group's app, or give the rule another form", "they have %d exceptions, and at most %d are taken", exceptions, MaxExceptions)
	}
	for i := range f.Routes {
		if c.err != nil {
			return
		}
		t.Routes = append(t.Routes, c.route(fmt.Sprintf("routes[%d]", i), &f.Routes[i], t, tenants))
	}
	c.apart(t.Routes)
}

func (c *checker) listen(f *form, t *Table) {
	if len(f.Listen) == 0 && f.Forward == nil {
		c.fault("listen", "listen: [{at: 127.0.0.1:8480}]", "there is no address to listen on")
	}
	if len(f.Listen) > maxListen {
		c.fault("listen", "", "there are %d addresses, and at most %d are taken", len(f.Listen), maxListen)
	}
	seen := map[string]bool{}
	once := func(path, at string) (loopback bool) {
		loopback, ok := place(at)
		if !ok || seen[at] {
			c.fault(path, "such as 127.0.0.1:8480, each once", "%.60q is no host:port, or stands there twice", at)
		}
		seen[at] = true
		return loopback
	}
	for i, l := range f.Listen {
		path := fmt.Sprintf("listen[%d]", i)
		loopback := once(path+".at", l.At)
		out := Listen{At: l.At}
		switch {
		case l.TLS == nil && !loopback && !l.Plain:
			c.fault(path, "tls: {certificate: c.pem, key: k.pem}; or plain: true where something before it has TLS",
				"%s is not this machine alone, and tokens and cookies would cross the wire for all to read", l.At)
		case l.TLS != nil && l.Plain:
			c.fault(path+".plain", "take one of them out", "it has TLS and is plain")
		case l.TLS != nil && (l.TLS.Certificate == "" || l.TLS.Key == ""):
			c.fault(path+".tls", "tls: {certificate: c.pem, key: k.pem}", "a certificate and its key are needed")
		case l.TLS != nil:
			out.Certificate, out.Key = c.beside(l.TLS.Certificate), c.beside(l.TLS.Key)
		}
		t.Listen = append(t.Listen, out)
	}
	if f.Forward != nil {
		once("forward.at", f.Forward.At)
		t.Forward = &Forward{At: f.Forward.At, Peers: c.networks("forward.peers", f.Forward.Peers)}
		if len(f.Forward.Peers) == 0 {
			t.Forward.Peers = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
		}
	}
	if f.Admin != "" {
		if t.Admin = f.Admin; !once("admin", f.Admin) {
			c.fault("admin", "admin: 127.0.0.1:8482", "health and metrics are for this machine alone")
		}
	}
}

// networks are those whose word is believed: everybody's is nobody's.
func (c *checker) networks(path string, list []string) (out []netip.Prefix) {
	c.many(path, len(list))
	for i, s := range list {
		p, ok := network(s)
		if !ok {
			c.fault(fmt.Sprintf("%s[%d]", path, i), "such as 10.0.0.0/8 or 192.0.2.7", "%.60q is no network and no address", s)
			continue
		}
		if p.Bits() == 0 {
			c.fault(fmt.Sprintf("%s[%d]", path, i), "name the addresses of the proxies in front",
				"%s is everybody, who could then say anything of themselves", p)
		}
		out = append(out, p)
	}
	return out
}

func (c *checker) authorities(f *form, t *Table) {
	if len(f.Authorities) == 0 {
		c.fault("authorities", "authorities: [{cloud: connected}]", "there is none, so no token could be genuine")
	}
	c.many("authorities", len(f.Authorities))
	seen := map[string]bool{}
	for i := range f.Authorities {
		path := fmt.Sprintf("authorities[%d]", i)
		a := c.authority(path, &f.Authorities[i])
		if seen[a.Name] {
			c.fault(path, "take one of them out", "%s stands there twice", a.Name)
		}
		seen[a.Name] = true
		t.Authorities = append(t.Authorities, a)
	}
}

func (c *checker) authority(path string, a *authorityForm) Authority {
	if (a.Cloud == "") == (a.Keys == "") || a.Keys == "" && len(a.Issuers) > 0 {
		c.fault(path, "{cloud: connected}, or {keys: jwks.json, issuers: [https://issuer.example/]}",
			"it is either a cloud, or a file of keys with its issuers")
		return Authority{}
	}
	if a.Keys != "" {
		out := Authority{Name: a.Keys, Keys: c.beside(a.Keys), Issuers: a.Issuers}
		if len(a.Issuers) == 0 {
			c.fault(path+".issuers", "issuers: [https://issuer.example/]", "whose keys are they? a token's iss is held to it")
		}
		c.many(path+".issuers", len(a.Issuers))
		for i, s := range a.Issuers {
			u, err := url.Parse(strings.ReplaceAll(s, TenantID, "tenant"))
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(s) > 512 || strings.Count(s, TenantID) > 1 {
				c.fault(fmt.Sprintf("%s.issuers[%d]", path, i), "as iss has it whole; "+TenantID+" stands for the token's tid", "%.60q is no issuer", s)
			}
		}
		return out
	}
	if a.Cloud == connected {
		if c.names.Connected == nil {
			c.fault(path+".cloud", "name a cloud, such as public; or connect first: partnerguard connect", "no installation says which cloud is connected")
			return Authority{}
		}
		out := *c.names.Connected
		out.Name, out.Cloud = connected, connected
		return out
	}
	var open []string
	for _, cloud := range entra.Clouds() {
		if cloud.Closed {
			continue
		}
		if cloud.Name == a.Cloud {
			return Authority{Name: cloud.Name, Cloud: cloud.Name, Issuers: CloudIssuers(cloud.Authority, cloud.Issuers)}
		}
		open = append(open, cloud.Name)
	}
	c.fault(path+".cloud", "one of "+connected+", "+strings.Join(open, ", "), "there is no cloud %.40q", a.Cloud)
	return Authority{}
}

func (c *checker) signIn(f *signInForm) *SignIn {
	app, ok := guid(f.App)
	if !ok {
		c.fault("signIn.app", "the client id of the registration that browsers sign in by", "%.60q is no app id", f.App)
	}
	s := &SignIn{App: app}
	if path, isFile := strings.CutPrefix(f.Secret, "file:"); isFile {
		s.SecretFile = c.beside(path)
	} else {
		s.Secret = f.Secret
	}
	if s.SecretFile == "" && !nameForm.MatchString(s.Secret) {
		c.fault("signIn.secret", "secret: NAME of one that is sealed here, or secret: file:PATH; never the secret itself",
			"it is no name of a secret and no file")
	}
	s.Life = c.span("signIn.life", f.Life, DefaultLife, 5*time.Minute, 7*24*time.Hour)
	s.Idle = c.span("signIn.idle", f.Idle, min(DefaultIdle, s.Life), time.Minute, s.Life)
	return s
}

// tenants resolves the word connected, and gives ids in lower case.
func (c *checker) tenants(path string, list []string) (out []string) {
	c.many(path, len(list))
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if s == connected {
			if s = c.names.Tenant; s == "" {
				c.fault(at, "write the partner tenant's id, or say it: --tenant", "no installation says which tenant is connected")
				continue
			}
		}
		id, ok := guid(s)
		if !ok || slices.Contains(out, id) {
			c.fault(at, "a tenant's id, or "+connected+"; each once", "%.60q is no tenant's id, or stands there twice", s)
		}
		out = append(out, id)
	}
	return out
}

// span reads a duration between two bounds.
func (c *checker) span(path, s string, absent, least, most time.Duration) time.Duration {
	if s == "" {
		return absent
	}
	d, ok := span(s)
	if !ok {
		c.fault(path, "such as 30s, 90m, 12h or 7d", "%.40q is no duration", s)
	} else if d < least || d > most {
		c.fault(path, "", "it is %s, and %s to %s can be", s, least, most)
	}
	return d
}

func (c *checker) many(path string, n int) {
	if n > maxList {
		c.fault(path, "", "there are %d, and at most %d are taken", n, maxList)
	}
}
