package web

import (
	"context"
	"net/http"
	"strings"

	"partnerguard/internal/pattern"
	"partnerguard/internal/token"
)

type keyRequest struct{}

// RequestID is the id of the request whose context this is: in the response as
// X-Request-Id, in the log, in problem+json. "" outside of a request.
func RequestID(ctx context.Context) string {
	if q, ok := ctx.Value(keyRequest{}).(*request); ok {
		return q.id
	}
	return ""
}

var (
	plainID     = pattern.Later(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	traceparent = pattern.Later(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$`)
)

// requestID takes the id that the caller, or a proxy, gave the request: the
// trace id of a traceparent (W3C Trace Context section 3.2), or X-Request-Id.
// What is doubled or not well formed is as good as none, and gets a random one:
// an id goes into the log.
func requestID(h http.Header) string {
	if v := h["Traceparent"]; len(v) == 1 && len(v[0]) <= 512 {
		m := traceparent.FindStringSubmatch(v[0])
		if m != nil && m[1] != "ff" && (m[1] != "00" || m[4] == "") && strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != "" {
			return m[2]
		}
	}
	if v := h["X-Request-Id"]; len(v) == 1 && plainID.MatchString(v[0]) {
		return v[0]
	}
	return token.GUID()
}
