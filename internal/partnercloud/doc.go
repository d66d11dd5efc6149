// Package partnercloud is the local cloud of a CSP partner: Entra ID, Microsoft
// Graph, Partner Center, Azure Resource Manager, a key vault and a small portal
// over one world, in which policy decides tokens, tokens carry the MFA claim, APIs refuse
// a missing claim, logs record it, and the clock can jump.
//
// This package composes the rooms and listens. Each service has a loopback port
// that speaks TLS by a local certificate authority and plain HTTP (the first
// byte decides); a proxy and a listener by server name answer under the
// production host names, for unmodified clients. Nothing of it ever calls out:
// what is not the partner cloud is refused.
//
// The rooms: world (state, clock), signon (the decision), bearer (tokens),
// authority (Entra ID), graph, center, arm, keyvault, portal, scenario (what is in the
// world), ca, gate (faults, what was seen), proxy, control. They speak from the
// contracts and share nothing with the product's own client.
package partnercloud
