package session

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The cookies. __Host- keeps other hosts of the domain and plain HTTP from setting them
// (RFC 6265bis section 4.1.3.2), and needs TLS; the plain names are for this machine alone.
//
// They are SameSite=Lax and not Strict: a person comes back from Entra ID by a navigation
// that another site began. What changes something here is a POST of this origin.
const (
	CookieSecure = "__Host-pg" // the session
	CookiePlain  = "pg"        // the session, over plain HTTP on this machine
	flowSuffix   = "-in"       // a sign-in under way
)

// maxCookie bounds a value, in bytes: browsers keep 4096 with name and attributes.
const maxCookie = 3600

// cookieOf finds the one value of a name in a header Cookie. Of several, which somebody
// else must have set, none counts.
func cookieOf(header, name string) (value string, there bool) {
	for header != "" {
		part := header
		if i := strings.IndexByte(header, ';'); i >= 0 {
			part, header = header[:i], header[i+1:]
		} else {
			header = ""
		}
		part = strings.Trim(part, " \t")
		if len(part) <= len(name) || part[len(name)] != '=' || part[:len(name)] != name {
			continue
		}
		if there {
			return "", false
		}
		value, there = part[len(name)+1:], true
	}
	return value, there
}

// loopback says that a host, perhaps with a port, is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// sessionCookie finds a session's cookie: its name, and its value.
func sessionCookie(host, header string) (name, value string) {
	if v, ok := cookieOf(header, CookieSecure); ok {
		return CookieSecure, v
	}
	if v, ok := cookieOf(header, CookiePlain); ok && loopback(host) {
		return CookiePlain, v
	}
	return "", ""
}

// cookieName is the name that a session's cookie has for a request, with a suffix.
func (m *Manager) cookieName(r *http.Request, suffix string) string {
	if m.d.Secure(r) {
		return CookieSecure + suffix
	}
	return CookiePlain + suffix
}

// bound is what a sealed text is good for: one cookie of one host.
func bound(name, host string) string { return name + " " + strings.ToLower(host) }

// cookieLine is a header Set-Cookie. A life of 0 takes the cookie away.
func cookieLine(name, value string, life time.Duration) string {
	age := int(life.Seconds())
	if age <= 0 {
		value, age = "", -1
	}
	c := http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(name, "__Host-")}
	return c.String()
}

// canonical is a host's own address for a request: where its cookies live and the answer
// of Entra ID comes in. Entra ID takes http for localhost alone; "" says that the host is
// reached by plain HTTP and is not this machine.
func (m *Manager) canonical(r *http.Request) string {
	if m.d.Secure(r) {
		return "https://" + strings.ToLower(r.Host)
	}
	if !loopback(r.Host) {
		return ""
	}
	u := url.URL{Host: r.Host}
	if p := u.Port(); p != "" {
		return "http://localhost:" + p
	}
	return "http://localhost"
}
