// Package check explains a gateway's file: its routes and what is dangerous about them,
// its keys, and what a given request would get, why, and what its caller could do.
//
// It decides by the very rooms that the gateway decides by (guard, verify, answer), so
// what it says is what would happen; only revocations, sessions and the load of the
// moment are not known to it. It listens nowhere, keeps nothing, and asks an authority
// for its keys only where it is given a source that does. It works from files alone. No
// token is ever in what it gives.
//
// Followed: docs/gateway-config.md, contracts.md sections 4.4 and 4.5.
package check
