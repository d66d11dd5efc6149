// Package control owns the control API of the partner cloud and its client: the
// clock, the faults, what was seen, the sign-in log as it grows, key rollover
// and enforcement. It decides nothing: it parses, calls, and answers in JSON.
//
// Who holds its secret can do anything to the lab, so it is guarded like more:
// loopback clients only; a Host header that names loopback, so that a page in a
// browser cannot reach it through a name of its own (DNS rebinding); a bearer
// secret compared in constant time before anything else is looked at; bodies of
// 64 KB at most; no CORS.
//
// Routes, all under /v1: info, ca.pem, clock, faults, requests, log/signins,
// keys/rollover, enforcement. Errors are {"error":{"kind","message","hint"}}.
// With ?follow=1 requests and log/signins go on as JSON lines until the client
// leaves.
package control
