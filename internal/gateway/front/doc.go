// Package front listens: TLS with certificates that are read again, and two paths that
// decide and answer alike.
//
// Each request's head passes [proxy.CheckHead] first, whatever path it takes. Requests of
// HTTP/1.1 without a body, or with a short one of a told length, to routes whose upstream
// speaks HTTP/1.1 without TLS ([gateway.Route.Plain]), are then passed on by a loop of few
// allocations, the lean path, over connections of its own ([Lines]). All that a route's rule
// can ask for is asked there too. At the first request that needs more of HTTP (chunks, a
// long body, an upgrade, Expect, trailers, a preflight, the gateway's own pages), or that is
// not well formed, the connection goes with every byte that was read to net/http's server
// and package proxy for the rest of its life, behind [proxy.NewConn]. HTTP/2 goes there at
// once. Nobody chooses: the gateway does, by the request and the route.
//
// An upstream's answer is read as strictly: one whose end two readers could see in two
// places is a 502.
//
// It never decides who may pass (package guard does), keeps no token but a connection's last
// ([gateway.Memory]), and logs none.
// Followed: RFC 9112 (framing, sections 6 and 7), RFC 9110 section 7.6 (what is of one
// hop alone), RFC 8446 by crypto/tls.
package front
