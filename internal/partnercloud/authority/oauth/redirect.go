package oauth

import (
	"net/url"
	"strings"
)

// maxRedirect bounds a redirect URI.
const maxRedirect = 2048

// MatchRedirect reports that a redirect URI is one of those registered: equal
// character by character, save that the port of a loopback address is the
// client's to choose (RFC 8252 section 7.3). Fragments, credentials and script
// schemes never match.
func MatchRedirect(asked string, registered []string) bool {
	u, ok := SafeRedirect(asked)
	if !ok {
		return false
	}
	for _, r := range registered {
		if r == asked {
			return true
		}
		v, err := url.Parse(r)
		if err != nil || !Loopback(v) || !Loopback(u) {
			continue
		}
		if v.Scheme == u.Scheme && strings.EqualFold(v.Hostname(), u.Hostname()) &&
			strings.TrimSuffix(v.EscapedPath(), "/") == strings.TrimSuffix(u.EscapedPath(), "/") && v.RawQuery == u.RawQuery {
			return true
		}
	}
	return false
}

// SafeRedirect parses a redirect URI and refuses what no client may ever use.
func SafeRedirect(text string) (*url.URL, bool) {
	if text == "" || len(text) > maxRedirect || strings.ContainsAny(text, "\r\n\t\\ #<>\"") ||
		strings.ContainsFunc(text, func(c rune) bool { return c < 0x21 || c == 0x7f }) {
		return nil, false
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Fragment != "" {
		return nil, false
	}
	switch u.Scheme {
	case "", "javascript", "data", "vbscript", "file", "blob", "about":
		return nil, false
	case "http", "https":
		return u, u.Host != "" && u.Opaque == ""
	}
	return u, true
}

// Loopback reports an http address of this very machine.
func Loopback(u *url.URL) bool {
	h := u.Hostname()
	return u.Scheme == "http" && (h == "localhost" || h == "127.0.0.1" || h == "::1")
}

// WithParams adds parameters to a redirect URI's query, keeping what it has.
func WithParams(uri string, v url.Values) string {
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			sep = ""
		}
	}
	return uri + sep + v.Encode()
}

// Origin is the part of a redirect URI that a content security policy names:
// scheme and host, or the scheme alone. ok is false where it cannot be written
// there safely.
func Origin(uri string) (string, bool) {
	u, ok := SafeRedirect(uri)
	if !ok || strings.ContainsAny(u.Scheme+u.Host, ";, '*") {
		return "", false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Scheme + "://" + u.Host, true
	}
	return u.Scheme + ":", true
}
