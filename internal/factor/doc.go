// Package factor has the pure rules of second factors: one-time passwords and the
// addresses and files that carry their seeds, recovery codes, what slows an attacker
// down, and which amr may answer which acr.
//
// It reads no clock, keeps nothing and decides about nobody: callers give it values.
//
// Sources: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 8176 (amr), the otpauth convention,
// contracts.md section 6, contracts-2026-11.md section 6.
package factor
