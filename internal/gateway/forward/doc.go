// Package forward answers other people's proxies whether a request may go on: nginx,
// Traefik, HAProxy, Caddy (contracts-2026-11 section 8). docs/gateway-forward.md has a
// configuration for each.
//
// It owns one endpoint, [Path]. What was asked comes in headers, of one family and never
// of two: X-Forwarded-Method, -Host and -Uri, or X-Original-Method, -Host and -URI. All
// three must be there, once. A caller's own headers travel with a proxy's question, so
// whoever sends the family that his proxy does not set is refused, and a proxy that sets
// too little finds out by its first request. Only configured peers may ask.
//
// A 200 carries what the upstream may be told, every name of it, an unknown one empty, so
// that a proxy that copies them writes over what the caller had sent. It never reads a
// body, keeps nothing, and decides nothing itself: that is the judge's.
package forward
