// Package front listens: TLS with certificates that are read again, and two paths that
// decide and answer alike.
//
// Each connection's request heads pass one strict gate first ([Deps.CheckHead]), whatever
// path they take. Plain requests of HTTP/1.1 (no body, or a short one of a told length,
// with a bearer token or to a route that asks for none) are then passed on by a loop of
// few allocations, the lean path. At the first request that asks for more the connection
// goes, with every byte that was read, to net/http's server for the rest of its life, and
// its heads and chunks go on passing the gate. HTTP/2 goes there at once. Nobody chooses:
// the gateway does, by the request and by [gateway.Route.Plain].
//
// It never decides who may pass (package guard does), keeps no token, and logs none.
// Followed: RFC 9112 (framing, sections 6 and 7), RFC 9110 section 7.6 (what is of one
// hop alone), RFC 8446 by crypto/tls.
package front
