// Package proxy passes requests on, all of HTTP: versions 1.1 and 2, WebSocket, gRPC,
// streams; and nothing that two readers could read in two ways.
//
// It owns how a request is read ([CheckHead], [CheckTarget], [CheckHost], [NewConn]), what
// of it reaches an upstream, the connections to upstreams and their health, and what is
// answered where an upstream fails. It decides nothing (package guard does), writes no
// refusals (package answer) and no facts (package assert), and keeps nothing of a body.
//
// Fail closed: what is not plain is answered by 400 and ends its connection; without a
// table there is no route. Followed: RFC 9110 (fields of the hop, methods that may be sent
// twice), RFC 9112 (grammar, framing; what it leaves to a reader is refused), RFC 9113,
// RFC 3986 section 6, RFC 9457.
package proxy
