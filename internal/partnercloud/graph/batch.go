package graph

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// maxBatch is how many requests a batch may hold (contracts.md section 3.0).
const maxBatch = 20

type batchPart struct {
	ID        batchID           `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []batchID         `json:"dependsOn"`
}

// writes reports a part that must have a body, if an empty one.
func (p *batchPart) writes() bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPatch, http.MethodPut}, strings.ToUpper(p.Method))
}

// typed reports a Content-Type.
func (p *batchPart) typed() bool {
	for name := range p.Headers {
		if strings.EqualFold(name, "Content-Type") {
			return true
		}
	}
	return false
}

// batchID is the id of a part. Clients write numbers too; answers say text.
type batchID string

// UnmarshalJSON takes text and whole numbers.
func (id *batchID) UnmarshalJSON(b []byte) error {
	var n json.Number
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(id))
	}
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*id = batchID(n)
	return nil
}

// batch answers POST /$batch: each part by itself with its own status, parts in
// dependency order, answers in any order.
func (c *call) batch() (*reply, error) {
	if c.part {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "A batch request cannot be a part of a batch request.")
	}
	if c.r.Method != http.MethodPost {
		return nil, refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	c.route = &route{}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	parts, err := readBatch(c.body)
	if err != nil {
		return nil, err
	}
	done := map[batchID]int{} // status by id
	answers := make([]object, 0, len(parts))
	for len(done) < len(parts) {
		progress := false
		for _, p := range parts {
			if _, ok := done[p.ID]; ok {
				continue
			}
			ready, failed := true, false
			for _, d := range p.DependsOn {
				status, ok := done[d]
				ready = ready && ok
				failed = failed || ok && status >= 400
			}
			if !ready {
				continue
			}
			progress = true
			var answer object
			if failed {
				answer, done[p.ID] = partRefusal(p.ID, 424, "FailedDependency", "A request that this one depends on failed."), 424
			} else {
				answer, done[p.ID] = c.run1(p)
			}
			answers = append(answers, answer)
		}
		if !progress {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The dependsOn of the batch go round in a circle.")
		}
	}
	shuffle(answers)
	return &reply{call: c, status: http.StatusOK, body: appendValue(nil, object{{"responses", answers}})}, nil
}

func readBatch(body []byte) ([]batchPart, error) {
	var in struct {
		Requests []batchPart `json:"requests"`
	}
	if err := kit.Object(body, &in); err != nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Invalid batch payload format: %s.", err)
	}
	if len(in.Requests) == 0 || len(in.Requests) > maxBatch {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Number of batch request steps must be between 1 and the maximum value of %d.", maxBatch)
	}
	ids := map[batchID]bool{}
	for _, p := range in.Requests {
		if p.ID == "" || len(p.ID) > 100 || ids[p.ID] {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "Batch request ids must be given, at most 100 characters long, and unique.")
		}
		ids[p.ID] = true
		if p.writes() && (!p.typed() || len(p.Body) == 0) { // the whole batch is refused (microsoftgraph/msgraph-sdk-dotnet, issue 2628)
			return nil, refuse(http.StatusBadRequest, "BadRequest", "Write request id : %s does not contain Content-Type header or body.", clip(string(p.ID)))
		}
	}
	for _, p := range in.Requests {
		for _, d := range p.DependsOn {
			if !ids[d] || d == p.ID {
				return nil, refuse(http.StatusBadRequest, "BadRequest", "A dependsOn of the batch names a request that is not part of it.")
			}
		}
	}
	return in.Requests, nil
}

// shuffle puts the answers into any order, as the real service does.
func shuffle(list []object) {
	for i := len(list) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return
		}
		j := int(n.Int64())
		list[i], list[j] = list[j], list[i]
	}
}

func partRefusal(id batchID, status int, code, text string) object {
	return object{
		{"id", string(id)}, {"status", status}, {"headers", object{{"Content-Type", "application/json"}}},
		{"body", object{{"error", object{{"code", code}, {"message", text}}}}},
	}
}

// run1 answers one part.
func (c *call) run1(p batchPart) (object, int) {
	bad := func(text string) (object, int) {
		return partRefusal(p.ID, http.StatusBadRequest, "BadRequest", text), http.StatusBadRequest
	}
	method := strings.ToUpper(p.Method)
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
	default:
		return bad("The method of a batch request is not valid.")
	}
	target := "/" + strings.TrimLeft(p.URL, "/")
	rel, err := url.ParseRequestURI(target)
	if err != nil || len(p.URL) > 16<<10 || strings.Contains(p.URL, "://") && !strings.Contains(p.URL, "?") {
		return bad("The url of a batch request must be relative and valid.")
	}
	u, err := url.ParseRequestURI("/" + c.version() + target)
	if err != nil {
		return bad("The url of a batch request must be relative and valid.")
	}
	u.RawQuery = rel.RawQuery
	h := http.Header{}
	for k, v := range p.Headers {
		if len(h) < 50 && !strings.EqualFold(k, "Authorization") {
			h.Set(k, v)
		}
	}
	body := []byte(p.Body)
	var s string
	if len(body) > 0 && body[0] == '"' && json.Unmarshal(body, &s) == nil { // what is not JSON comes in base64
		if raw, err := base64.StdEncoding.DecodeString(s); err == nil {
			body = raw
		}
	}
	r := (&http.Request{
		Method: method, URL: u, Host: c.r.Host, TLS: c.r.TLS, Header: h, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: c.r.RemoteAddr,
	}).WithContext(c.r.Context())
	w := &recorder{head: http.Header{}}
	w.Header().Set("Request-Id", world.NewGUID())
	w.Header().Set("Client-Request-Id", c.head.Get("Client-Request-Id"))
	one := &call{g: c.g, r: r, head: w.Header(), now: c.now, auth: c.auth, part: true}
	rep, err := one.run()
	if err != nil {
		rep = one.refusal(err)
	}
	rep.write(w)
	out := object{}
	for _, k := range []string{"Content-Type", "Location", "Retry-After", "Www-Authenticate", "Request-Id", "X-Ms-Resource-Unit", "Odata-Version", "Etag"} {
		if v := w.Header().Get(k); v != "" {
			name := k
			if k == "Odata-Version" {
				name = "OData-Version"
			}
			out = append(out, member{name, v})
		}
	}
	answer := object{{"id", string(p.ID)}, {"status", w.code}, {"headers", out}}
	if b := w.body.Bytes(); len(b) > 0 {
		if rep.text {
			answer = append(answer, member{"body", string(b)})
		} else {
			answer = append(answer, member{"body", json.RawMessage(b)})
		}
	}
	return answer, w.code
}

// recorder takes the answer of one part.
type recorder struct {
	head http.Header
	code int
	body bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.head }
func (w *recorder) WriteHeader(code int)        { w.code = code }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
