package gate

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// maxDrain bounds what is read of a body that nobody wants.
const maxDrain = 4 << 20

// refuse answers in the shape in which the service itself would: 429, 5xx, 401
// for an expired token, 400 for a page that is gone.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, service string, status int, after time.Duration) {
	// A client that tries again reuses its body: take it all before answering.
	if r.Body != nil {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	}
	id := RequestID(r.Context())
	f := failure{status: status, now: g.now().UTC(), id: id, client: clientRequestID(r), seconds: int(math.Ceil(after.Seconds()))}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Cache-Control", "Location"} {
		h.Del(name) // of a reply that a panic cut short
	}
	if f.seconds > 0 {
		h.Set("Retry-After", itoa(f.seconds))
	}
	var body any
	challenge := ""
	switch service {
	case Graph:
		h.Set("request-id", id)
		if f.client != "" {
			h.Set("client-request-id", f.client)
		}
		body = f.graph()
		// Microsoft names its own sign-in address here; ours would send a client out of
		// the partner cloud.
		challenge = `Bearer realm="", error="invalid_token", error_description="The access token expired"`
	case ARM:
		h.Set("x-ms-request-id", id)
		h.Set("x-ms-correlation-request-id", id)
		body = f.arm()
		challenge = `Bearer error="invalid_token", error_description="The access token expired"`
	case Vault:
		h.Set("x-ms-request-id", id)
		body = f.vault()
		challenge = `Bearer error="invalid_token", error_description="The access token expired"`
	case Center:
		h.Set("MS-CorrelationId", id)
		h.Set("MS-RequestId", first(r.Header.Get("MS-RequestId"), id))
		if status == http.StatusUnauthorized {
			// Some 401s have no body (contracts.md 2.2).
			h.Set("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:"+id)
			w.WriteHeader(status)
			return
		}
		body = f.center()
	case Login:
		h.Set("x-ms-request-id", id)
		if wantsPage(r) {
			f.page(w)
			return
		}
		body = f.login()
	default:
		f.page(w)
		return
	}
	if challenge != "" && status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", challenge)
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic("gate: a failure has no JSON: " + err.Error()) // strings and numbers alone
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// failure is what the shapes have in common.
type failure struct {
	status  int
	now     time.Time
	id      string
	client  string
	seconds int
}

type object map[string]any

// graph is the error of contracts.md 3.0; the throttling body is the sample of
// Microsoft's own throttling guidance. generalException, serviceNotAvailable
// are published codes; that a page token which was read before is refused as
// Directory_ExpiredPageToken is ours.
func (f *failure) graph() object {
	inner := object{"date": f.now.Format("2006-01-02T15:04:05"), "request-id": f.id, "client-request-id": first(f.client, f.id)}
	code, message := "generalException", "An unexpected error occurred."
	switch f.status {
	case http.StatusTooManyRequests:
		code, message = "TooManyRequests", "Please retry again later."
		inner["code"], inner["status"], inner["message"] = "429", "429", "Please retry after"
	case http.StatusUnauthorized:
		code, message = "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."
	case http.StatusServiceUnavailable:
		code, message = "serviceNotAvailable", "The service is temporarily unavailable. Try again later."
	case http.StatusBadRequest:
		code, message = "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request."
	}
	return object{"error": object{"code": code, "message": message, "innerError": inner}}
}

// arm is the error of contracts.md 7.3; the words are those clients have met,
// without a published list.
func (f *failure) arm() object {
	const stamp = "1/2/2006 3:04:05 PM"
	code, message := "InternalServerError", "Encountered internal server error. Diagnostic information: timestamp '"+f.now.Format("20060102T150405Z")+
		"', tracking id '"+f.id+"'."
	switch f.status {
	case http.StatusTooManyRequests:
		code, message = "TooManyRequests", "The request is being throttled."
		if f.seconds > 0 {
			message += fmt.Sprintf(" Please try again after '%d' seconds.", f.seconds)
		}
	case http.StatusUnauthorized:
		code = "ExpiredAuthenticationToken"
		message = "The access token expiry UTC time '" + f.now.Add(-time.Minute).Format(stamp) + "' is earlier than current UTC time '" +
			f.now.Format(stamp) + "'."
	case http.StatusServiceUnavailable:
		code, message = "ServiceUnavailable", "The service is temporarily unavailable, please try again later."
	case http.StatusBadGateway:
		code, message = "BadGateway", "The gateway received an invalid response."
	case http.StatusGatewayTimeout:
		code, message = "GatewayTimeout", "The gateway did not receive a response within the specified time period."
	case http.StatusBadRequest:
		code, message = "InvalidSkipToken", "The provided skip token has expired."
	}
	return object{"error": object{"code": code, "message": message}}
}

// vault is Key Vault's error; Throttled is published, the words of the rest are
// ours.
func (f *failure) vault() object {
	code, message := "InternalServerError", "An internal error occurred while processing the request."
	switch f.status {
	case http.StatusTooManyRequests:
		code, message = "Throttled", "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
	case http.StatusUnauthorized:
		code, message = "Unauthorized", "[TokenExpired] Error validating token: the token is expired."
	case http.StatusServiceUnavailable:
		code, message = "ServiceUnavailable", "The service is temporarily unavailable."
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		code, message = "ServiceUnavailable", "The service did not answer in time."
	}
	return object{"error": object{"code": code, "message": message}}
}

// center has two shapes: throttling, and the rest (contracts.md 2.2). The codes
// of the rest are ours.
func (f *failure) center() object {
	if f.status == http.StatusTooManyRequests {
		wait := "later"
		if f.seconds > 0 {
			wait = fmt.Sprintf("in %d seconds", f.seconds)
		}
		return object{"statusCode": f.status, "message": "Rate limit is exceeded. Try again " + wait + "."}
	}
	code, description := f.status, http.StatusText(f.status)
	if f.status == http.StatusBadRequest {
		description = "The continuation token is not valid any more."
	}
	return object{"code": code, "description": description, "data": []string{}, "source": "PartnerApi"}
}

// login is the error of contracts.md 4.2. 90055 is the authority's code for too
// many requests of a tenant, 90033 for a transient failure of its own.
func (f *failure) login() object {
	code, word, text := entra.CodeTransient, "temporarily_unavailable", "A transient error has occurred. Please try again."
	switch f.status {
	case http.StatusTooManyRequests:
		code, text = entra.CodeTenantThrottled, "The server is terminating the request because the tenant sends too many requests."
	case http.StatusBadRequest:
		code, word, text = entra.CodeFieldMissing, "invalid_request", "The request is not valid any more."
	case http.StatusInternalServerError:
		word = "server_error"
	}
	stamp := f.now.Format("2006-01-02 15:04:05Z")
	return object{
		"error":             word,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, text, f.id, first(f.client, f.id), stamp),
		"error_codes":       []int{code}, "timestamp": stamp, "trace_id": f.id, "correlation_id": first(f.client, f.id),
	}
}

// page is what a person sees.
func (f *failure) page(w http.ResponseWriter) {
	title := html.EscapeString(fmt.Sprintf("%d %s", f.status, http.StatusText(f.status)))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.WriteHeader(f.status)
	fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>[local] %[1]s: Partner cloud</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style></head>
<body><p><strong>Local partner cloud.</strong> Not Microsoft. Invented people; nothing leaves this machine.</p><h1>%[1]s</h1><p>The Partner cloud, which runs on this machine and is not Microsoft, was asked to fail here, or failed. Try again.</p><p>Request %[2]s</p></body></html>
`, title, html.EscapeString(f.id))
}

// wantsPage says whether a person's browser asks.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return clip(s, 64)
		}
	}
	return ""
}
