// Package web is the HTTP kernel: routes that say who may ask, the headers and
// checks that every one of them stands behind, errors that become answers in
// one place, and a server with limits and a graceful end.
//
// A feature registers [Route]s at a [Mux]; [Kernel] is the one there is. A
// handler returns an error: its kind decides the status ([Status]), and the
// person gets a page, the program problem+json (RFC 9457), a protocol with
// errors of its own what its route's Fail writes. Words that may be shown are
// those of a problem.Error; everything else, and every hidden cause, goes to the
// log alone.
//
// What it refuses by itself: forms from other sites (CSRF), bodies and headers
// that are too large, clients and handlers that are too slow, whoever is not
// where the route says. The log and the metrics know routes by name: never a
// path, a query or a header's value, which may be secrets. It knows no page and
// no feature.
//
// Followed: RFC 9110, RFC 9457, W3C Trace Context (traceparent), CSP Level 3.
package web
