package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/kit"
)

// refuse makes a refusal in Graph's form (contracts.md section 3.0).
func refuse(status int, code, format string, args ...any) *kit.Fault {
	return kit.Refusef(status, code, format, args...)
}

func badRequest(format string, args ...any) *kit.Fault {
	return refuse(http.StatusBadRequest, "Request_BadRequest", format, args...)
}

func notFound(id string) *kit.Fault {
	return refuse(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", clip(id))
}

func denied() *kit.Fault {
	return refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func conflict(format string, args ...any) *kit.Fault {
	return refuse(http.StatusConflict, "Conflict", format, args...)
}

func unauthorized(text string) *kit.Fault {
	return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "%s", text).With("WWW-Authenticate",
		`Bearer realm="", authorization_uri="`+entra.Login+`/common/oauth2/authorize", client_id="`+entra.AppGraph+`"`)
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100]
	}
	return s
}

// fault turns a refused token into a refusal; what a client with continuous
// access evaluation can mend is a claims challenge.
func (c *call) fault(f *bearer.Fault) *kit.Fault {
	e := unauthorized(f.Text)
	if f.Code == "Revoked" || f.Code == "Disabled" {
		e = e.With("WWW-Authenticate", bearer.Challenge(c.g.login+"/common/oauth2/authorize", bearer.RevokedClaims(c.now.Unix())))
	}
	return e
}

// refusal renders any error. What is not one of ours is an internal error whose
// text only the log sees.
func (c *call) refusal(err error) *reply {
	var e *kit.Fault
	var o *odata.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &o):
		e = refuse(http.StatusBadRequest, "BadRequest", "%s", o.Text)
	default:
		c.g.log.Error("a Graph call failed", "call", c.String(), "error", err)
		e = refuse(http.StatusInternalServerError, "InternalServerError", "The partner cloud could not answer.")
	}
	e.Headers(c.head)
	inner := object{
		{"date", c.now.UTC().Format("2006-01-02T15:04:05")},
		{"request-id", c.head.Get("Request-Id")},
		{"client-request-id", c.head.Get("Client-Request-Id")},
	}
	body := object{{"error", object{{"code", e.Code}, {"message", e.Text}, {"innerError", inner}}}}
	return &reply{call: c, status: e.Status, body: appendValue(nil, body)}
}

// reply is an answer. body is JSON, or plain text when text is set.
type reply struct {
	call   *call
	status int
	header http.Header
	body   []byte
	make   func() ([]byte, error) // makes body outside of the world's lock
	done   func()                 // called when body was written
	text   bool
	media  string // "": JSON, or plain text
}

func (rep *reply) write(w http.ResponseWriter) {
	h := w.Header()
	if rep.make != nil {
		body, err := rep.make()
		if err != nil {
			rep = rep.call.refusal(err)
		} else {
			rep.body = body
		}
	}
	for k, v := range rep.header {
		h[k] = v
	}
	if len(rep.body) == 0 {
		w.WriteHeader(rep.status)
		return
	}
	if rep.media != "" {
		h.Set("Content-Type", rep.media)
		h.Set("Odata-Version", "4.0")
	} else if rep.text {
		h.Set("Content-Type", "text/plain")
	} else {
		level := "minimal"
		if rep.call != nil && rep.call.level != "" && rep.status < 400 {
			level = rep.call.level
		}
		if level == "none" {
			rep.body = stripped(rep.body)
		}
		h.Set("Content-Type", "application/json;odata.metadata="+level+";odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
		h.Set("Odata-Version", "4.0")
	}
	h.Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
	if rep.done != nil {
		rep.done()
	}
}

// member is one property of an object; object keeps them in order.
type member struct {
	name  string
	value any
}

type object []member

// Field finds a property.
func (o object) Field(name string) (any, bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	for i := range o {
		if strings.EqualFold(o[i].name, name) {
			return o[i].value, true
		}
	}
	return nil, false
}

// MarshalJSON writes the properties in order.
func (o object) MarshalJSON() ([]byte, error) { return appendValue(nil, o), nil }

func (o object) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, o[i].name)
		b = append(b, ':')
		b = appendValue(b, o[i].value)
	}
	return append(b, '}')
}

// appender is what writes itself.
type appender interface{ appendJSON(b []byte) []byte }

// appendValue writes any value as JSON without escaping for HTML.
func appendValue(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case appender:
		return x.appendJSON(b)
	case string:
		return appendText(b, x)
	case bool:
		return strconv.AppendBool(b, x)
	case int:
		return strconv.AppendInt(b, int64(x), 10)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case time.Time:
		return appendTime(b, x)
	case json.RawMessage:
		if len(x) == 0 {
			return append(b, "null"...)
		}
		return append(b, x...)
	case []string:
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, s)
		}
		return append(b, ']')
	case []object:
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.appendJSON(b)
		}
		return append(b, ']')
	case []any:
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, s)
		}
		return append(b, ']')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return append(b, "null"...)
	}
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}

// appendTime writes a moment as Graph does; the zero moment is null.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.Truncate(100*time.Nanosecond).UTC().AppendFormat(b, "2006-01-02T15:04:05.9999999Z")
	return append(b, '"')
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			var buf bytes.Buffer
			e := json.NewEncoder(&buf)
			e.SetEscapeHTML(false)
			_ = e.Encode(s)
			return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
