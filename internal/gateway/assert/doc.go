// Package assert tells an upstream who asks: in headers that nobody outside can set, and
// in a signed assertion by which an upstream can check that they came from the gateway.
// docs/gateway-upstream.md is what it promises to upstreams.
//
// It owns the names that are taken from every request, the names that are set, the
// assertion's form and the set of keys that is published. It never decides anything, and
// never sees a token: it writes what package verify and package session have proven.
//
// Followed: RFC 7515, RFC 7517, RFC 7519, RFC 7638, RFC 8725 (an explicit type, one
// algorithm, an audience), contracts-2026-11 section 8.
package assert
