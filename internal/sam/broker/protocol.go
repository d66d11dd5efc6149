package broker

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/problem"
)

// Path is where tokens are asked for, below a server's address.
const Path = "/msi/token"

// Limits of what is read of a request.
const (
	maxHeader = 16 << 10 // an OIDC token of a workload has a few kilobytes
	maxQuery  = 4 << 10
)

// HardenServer sets the limits of a server that answers callers: nobody can
// hold a connection by being slow, send long headers, or open streams without
// end. WriteTimeout leaves time for a token that must be fetched first.
func HardenServer(s *http.Server) {
	s.ReadHeaderTimeout = 5 * time.Second
	s.ReadTimeout = 10 * time.Second
	s.WriteTimeout = 90 * time.Second
	s.IdleTimeout = 60 * time.Second
	s.MaxHeaderBytes = maxHeader
	s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
}

// parameters are those that mean something here; those that name an identity
// come last.
var parameters = [...]string{"api-version", "resource", "token_sha256_to_refresh", "client_id", "clientid", "object_id", "principal_id", "mi_res_id",
	"msi_res_id", "customer"}

const (
	paramVersion = iota
	paramResource
	paramRefused
	paramIdentity
)

// readAsk reads a request of the protocol. clientID is that of the caller's
// connections, which is nobody's customer. Unknown parameters are ignored, as
// App Service does; a known one given twice is an error, since two readers could
// take different ones.
func readAsk(r *http.Request, isClient func(id string) bool) (Ask, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return Ask{}, problem.New(problem.Limit, "the query is longer than %d bytes", maxQuery)
	}
	// Names in any case, as App Service takes them. Read by hand, once: what is
	// asked for is the same for every later reader.
	v := [len(parameters)]string{}
	given := [len(parameters)]bool{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if strings.ContainsRune(pair, ';') {
			return Ask{}, problem.New(problem.Usage, "the query cannot be read")
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return Ask{}, problem.New(problem.Usage, "the query cannot be read")
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return Ask{}, problem.New(problem.Usage, "the query cannot be read")
		}
		i := slices.IndexFunc(parameters[:], func(p string) bool { return strings.EqualFold(p, name) })
		if i < 0 {
			continue
		}
		if given[i] {
			return Ask{}, problem.New(problem.Usage, "the parameter %s is given more than once", parameters[i])
		}
		v[i], given[i] = value, true
	}
	switch v[paramVersion] {
	case "2019-08-01", "2017-09-01":
	case "":
		return Ask{}, problem.New(problem.Usage, "the parameter api-version is missing").WithHint("it is 2019-08-01")
	default:
		return Ask{}, problem.New(problem.Usage, "the api-version %.40q is not known", v[paramVersion]).WithHint("it is 2019-08-01")
	}
	a := Ask{Resource: v[paramResource], Refused: v[paramRefused]}
	if a.Resource == "" {
		return Ask{}, problem.New(problem.Usage, "the parameter resource is missing")
	}
	if len(a.Resource) > 300 || len(a.Refused) > 64 {
		return Ask{}, problem.New(problem.Usage, "a parameter is too long")
	}
	// Which identity is meant says which customer: these name a user-assigned
	// identity in Azure.
	for i := paramIdentity; i < len(parameters); i++ {
		id, name := strings.TrimSpace(v[i]), parameters[i]
		if k := strings.LastIndexByte(id, '/'); k >= 0 && strings.HasSuffix(name, "res_id") {
			id = id[k+1:]
		}
		if id == "" || (name == "client_id" || name == "clientid") && isClient(id) {
			continue
		}
		if len(id) > 255 {
			return Ask{}, problem.New(problem.Usage, "the identity is longer than any customer's name")
		}
		if a.Customer != "" && !strings.EqualFold(a.Customer, id) {
			return Ask{}, problem.New(problem.Usage, "two identities are named: %.80q and %.80q", a.Customer, id)
		}
		a.Customer = id
	}
	return a, nil
}

// screen refuses what no SDK sends: other methods, bodies, browsers, and
// requests that two readers could understand differently.
func screen(r *http.Request) *Refusal {
	bad := func(status int, words string) *Refusal { return &Refusal{Status: status, Words: words} }
	switch {
	case r.URL.Path != Path:
		return bad(http.StatusNotFound, "there is nothing here; tokens are at "+Path)
	case r.Method != http.MethodGet:
		return bad(http.StatusMethodNotAllowed, "only GET is answered")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return bad(http.StatusBadRequest, "a request for a token has no body")
	case r.URL.Host != "" || r.URL.Scheme != "":
		return bad(http.StatusBadRequest, "this is no proxy")
	}
	for name := range r.Header {
		if name == "Origin" || name == "Cookie" || name == "Referer" || name == "Via" || name == "Forwarded" || strings.HasPrefix(name, "Sec-Fetch-") ||
			strings.HasPrefix(name, "X-Forwarded-") {
			return bad(http.StatusForbidden, "browsers and proxies get no token here")
		}
	}
	return nil
}

// answer writes a token as App Service does.
func (b *Broker) answer(w http.ResponseWriter, h *Handout, resource string) {
	// The caller reads the moment by its own clock.
	left := max(h.Until.Sub(b.d.Now()), 0)
	buffer := buffers.Get().(*[]byte)
	body := append((*buffer)[:0], `{"access_token":`...)
	if h.Plain {
		body = append(append(append(body, '"'), h.Access.Reveal()...), '"')
	} else {
		body = appendJSON(body, h.Access.Reveal())
	}
	body = append(body, `,"expires_on":"`...)
	body = strconv.AppendInt(body, b.d.Machine().Add(left).Unix(), 10)
	body = append(body, `","resource":`...)
	body = appendJSON(body, resource)
	body = append(body, `,"token_type":"Bearer","client_id":`...)
	body = appendJSON(body, h.ClientID)
	body = append(body, '}')
	head := w.Header()
	head["Content-Type"] = jsonType
	head["Cache-Control"] = noStore
	head["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body)
	clear(body) // a token does not stay behind
	if *buffer = body[:0]; cap(body) <= 16<<10 {
		buffers.Put(buffer)
	}
}

// buffers are answers' memory.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

var (
	jsonType = []string{"application/json; charset=utf-8"}
	noStore  = []string{"no-store"}
)

// appendJSON writes a JSON string; tokens need no escaping.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			raw, _ := json.Marshal(s)
			return append(b, raw...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// refusal writes an error as App Service does.
func refusal(w http.ResponseWriter, r *Refusal) {
	body, _ := json.Marshal(struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}{r.Status, r.Error()})
	head := w.Header()
	head["Content-Type"] = jsonType
	head["Cache-Control"] = noStore
	if r.RetryAfter > 0 {
		head.Set("Retry-After", strconv.Itoa(int((r.RetryAfter+time.Second-1)/time.Second)))
	}
	if r.Status == http.StatusMethodNotAllowed {
		head.Set("Allow", http.MethodGet)
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}

func usage(err error) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Words: public(err), Fix: problem.HintOf(err), cause: err}
}

func asRefusal(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	return &Refusal{Status: http.StatusInternalServerError, Words: "an error inside", cause: err}
}

// loopbackHost says whether a Host header is one of ours: against names that a
// stranger's DNS leads to 127.0.0.1.
func loopbackHost(host, port string) bool {
	h, p, err := net.SplitHostPort(host)
	return err == nil && p == port && slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, strings.ToLower(h))
}
