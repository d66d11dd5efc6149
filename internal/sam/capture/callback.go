package capture

import (
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// Bounds of an answer.
const (
	maxAnswer = 64 << 10 // all of it
	maxCode   = 16 << 10
	maxState  = 256
)

// Callback is the answer that a browser brought: an authorization code, or an
// error (RFC 6749 section 4.1.2).
type Callback struct {
	State  secret.Text
	Code   secret.Text // zero with an error
	Err    string      // error, e.g. "access_denied"; "" with a code
	AADSTS int         // the code that error_description begins with; 0 without
	Issuer string      // iss (RFC 9207); "" when none came
	// Binding is the value of the browser's cookie, for a request that was bound
	// to a browser; the caller fills it in.
	Binding secret.Text
}

// ParseCallback reads the parameters of an answer, from a query or a form. What
// is malformed, doubled or too long is refused as Forged.
func ParseCallback(text string) (Callback, error) {
	bad := func(why string) (Callback, error) {
		return Callback{}, refuse(Forged, beginAgain, "the answer is not one of Entra ID: %s", why)
	}
	if len(text) > maxAnswer {
		return bad("it is too long")
	}
	v, err := url.ParseQuery(text)
	if err != nil {
		return bad("it cannot be read")
	}
	for _, name := range []string{"state", "code", "error", "iss", "error_description"} {
		if len(v[name]) > 1 {
			return bad(name + " comes twice")
		}
	}
	state, code, word := v.Get("state"), v.Get("code"), v.Get("error")
	switch {
	case state == "" || len(state) > maxState || !printable(state):
		return bad("it has no state")
	case code == "" && word == "":
		return bad("it has neither code nor error")
	case code != "" && word != "":
		return bad("it has both code and error")
	case len(code) > maxCode || !printable(code):
		return bad("its code cannot be")
	case len(word) > 64 || strings.ContainsFunc(word, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '_') }):
		return bad("its error cannot be")
	case len(v.Get("iss")) > 512 || !printable(v.Get("iss")):
		return bad("its issuer cannot be")
	}
	c := Callback{State: secret.New(state), Code: secret.New(code), Err: word, Issuer: v.Get("iss")}
	if word != "" {
		c.AADSTS = aadsts(v.Get("error_description"))
	}
	return c, nil
}

// aadsts reads the code that a description begins with. It is used for words
// alone: nothing is decided by it.
func aadsts(description string) int {
	rest, ok := strings.CutPrefix(description, "AADSTS")
	if !ok {
		return 0
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil || end > 9 {
		return 0
	}
	return n
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r >= 0x7f })
}

// Door says where answers may come in: everything else is refused.
type Door struct {
	Host string // of the Host header, with its port
	Path string
	Mode string // response_mode: "query" or "form_post"
	// Origin is the authority's, which a form must come from.
	Origin string
}

// Read takes an answer from a request. Its errors are a [Refusal] each, and have
// the status to refuse it with ([web.Status]): 421 for another host name (a name
// elsewhere that was made to lead here), 404 for another path, 405 for another
// method, 400 for what is malformed.
func (d Door) Read(w http.ResponseWriter, r *http.Request) (Callback, error) {
	no := func(status int, words string) (Callback, error) {
		return Callback{}, web.WithStatus(status, refuse(Forged, beginAgain, "%s", words))
	}
	if !strings.EqualFold(r.Host, d.Host) {
		return no(http.StatusMisdirectedRequest, "the request is for another host")
	}
	if r.URL.Path != d.Path || r.URL.RawPath != "" && r.URL.RawPath != d.Path {
		return no(http.StatusNotFound, "there is nothing at this address")
	}
	text := r.URL.RawQuery
	switch d.Mode {
	case "form_post":
		if r.Method != http.MethodPost {
			return no(http.StatusMethodNotAllowed, "the answer must come as a form")
		}
		if o := r.Header.Get("Origin"); o != "" && o != "null" && !strings.EqualFold(o, d.Origin) {
			return no(http.StatusForbidden, "the form comes from elsewhere")
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
			return no(http.StatusUnsupportedMediaType, "the answer must come as a form")
		}
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
		if err != nil {
			return no(http.StatusRequestEntityTooLarge, "the answer is too long")
		}
		text = string(b)
	default:
		if r.Method != http.MethodGet {
			return no(http.StatusMethodNotAllowed, "the answer must come as a link")
		}
	}
	return ParseCallback(text) // malformed is BadInput, 400
}

// doorOf is where the answers of a redirect URI come in.
func doorOf(redirect, mode, authority string) (Door, bool) {
	u, err := url.Parse(redirect)
	a, aerr := url.Parse(authority)
	if err != nil || aerr != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Door{}, false
	}
	path := u.Path
	if path == "" {
		path = "/"
	}
	return Door{Host: u.Host, Path: path, Mode: mode, Origin: a.Scheme + "://" + a.Host}, true
}

// isLoopback says that a redirect URI leads to this very machine.
func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
