// Package web is the HTTP kernel: a server with limits, the headers and checks
// that every handler of ours stands behind, and a graceful end.
//
// What it refuses by itself: forms from other sites (CSRF), bodies and headers
// that are too large, clients that are too slow. What a handler panics with is
// logged and never shown. It knows no page and no feature.
package web
