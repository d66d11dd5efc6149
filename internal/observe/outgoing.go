package observe

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"partnerguard/internal/evidence"
)

// Outgoing wraps a transport: a span a request within a recorded one, with method,
// host, the template of the path and the status. Who is asked is told nothing.
func Outgoing(next http.RoundTripper) http.RoundTripper { return outgoing{next} }

type outgoing struct{ next http.RoundTripper }

// RoundTrip sends.
func (o outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !trace.SpanFromContext(r.Context()).IsRecording() {
		return o.next.RoundTrip(r)
	}
	route := Template(r.URL.Path)
	ctx, of := otel.Tracer(name).Start(r.Context(), Text(r.Method+" "+route), trace.WithSpanKind(trace.SpanKindClient))
	s := Span{of}
	s.Say("http.request.method", r.Method, "server.address", r.URL.Hostname(), "url.template", route)
	res, err := o.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		s.End("no answer", true)
		return res, err
	}
	s.Say("http.response.status_code", strconv.Itoa(res.StatusCode))
	s.End(strconv.Itoa(res.StatusCode/100)+"xx", res.StatusCode >= 400)
	return res, nil
}

// CloseIdleConnections lets a client end what waits.
func (o outgoing) CloseIdleConnections() {
	if c, ok := o.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// words are the parts of paths that are Microsoft's: those of the table of requests,
// and those of what is not in it.
var words = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	add := func(path string) {
		path, _, _ = strings.Cut(path, "?")
		for part := range strings.SplitSeq(path, "/") {
			if part != "" && !strings.ContainsAny(part, "{}") {
				known[strings.ToLower(part)] = true
			}
		}
	}
	for _, r := range evidence.Requests() {
		add(r.Path)
		if r.Each != nil {
			add(r.Each.Path)
		}
	}
	for _, p := range []string{"/v1/v1.0/v2.0/beta/common/organizations/consumers/oauth2/token/authorize/devicecode",
		"/adminconsent/logout/kerberos/keys/discovery",
		"/.well-known/openid-configuration/$batch/$count/$value/$ref/delta/me/users/groups/applications/servicePrincipals/customers/generateToken",
		"/applicationconsents/addPassword/removePassword/addKey/removeKey/appRoleAssignments/oauth2PermissionGrants/revokeSignInSessions",
		"/subscriptions/providers/resourceGroups/microsoft.authorization/roleAssignments/microsoft.insights/eventtypes/management/values",
		"/tenants/userrealm/getmemberobjects/checkmembergroups/checkmemberobjects/transitivememberof/memberof/members/directoryobjects/getbyids"} {
		add(p)
	}
	return known
})

// maxParts bounds the parts of a template.
const maxParts = 12

// Template is a path without anything that names somebody: each part that is no word
// of Microsoft's becomes {}, and so does what stands in brackets behind one.
func Template(path string) string {
	known := words()
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if n++; n > maxParts {
			b.WriteString("/…")
			break
		}
		word, args, called := strings.Cut(part, "(")
		switch {
		case part == "":
			n--
			continue
		case !known[strings.ToLower(word)] && !known[strings.ToLower(part)]:
			b.WriteString("/{}")
		case called && args != ")":
			b.WriteString("/" + word + "({})")
		default:
			b.WriteString("/" + part)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}
