// Package front listens: TLS with certificates that are read again, and two paths that
// decide and answer alike.
//
// Each request's head passes [proxy.CheckHead] first, whatever path it takes. Plain
// requests of HTTP/1.1 (no body, or a short one of a told length, with a bearer token or to
// a route that browsers do not come to) are then passed on by a loop of few allocations,
// the lean path, over connections of its own ([Lines]). At the first request that asks for
// more, or that is not well formed, the connection goes with every byte that was read to
// net/http's server and package proxy for the rest of its life, behind [proxy.NewConn].
// HTTP/2 goes there at once. Nobody chooses: the gateway does, by the request and by
// [gateway.Route.Plain].
//
// An upstream's answer is read as strictly: one whose end two readers could see in two
// places is a 502.
//
// It never decides who may pass (package guard does), keeps no token, and logs none.
// Followed: RFC 9112 (framing, sections 6 and 7), RFC 9110 section 7.6 (what is of one
// hop alone), RFC 8446 by crypto/tls.
package front
