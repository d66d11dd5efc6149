// Package provider is our side of Microsoft's External MFA: what Entra ID discovers,
// the request it posts with the hint about a person, and the answer that carries the
// claim.
//
// It judges no factor and knows no person: package mfa does. A hint that is not proven
// whole is refused, and nothing switches that off.
//
// Sources: contracts.md section 6, contracts-2026-11.md sections 0 and 2; OpenID
// Connect Core 1.0.
package provider
