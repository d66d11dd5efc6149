// Package gatewaytest mints tokens and plays authorities and upstreams for tests.
//
// An [Authority] has RSA keys of 2,048 bits and serves their JSON Web Key Set over
// HTTP and from memory; it rolls, empties, hides and slows them when told. [Authority.Mint]
// makes tokens of Entra ID's form (contracts.md section 4.4) and lets a test change or
// spoil any part of them. An [Upstream] answers what it saw.
//
// Signatures are made with the standard library alone, so that a verifier under test
// does not check its own work. Nothing here is for anything but tests.
package gatewaytest
