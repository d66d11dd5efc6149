// Package otp is the application for one-time passwords on a desk without phones:
// seeds sealed in a file of the person's own, opened for a short while, and never
// shown again.
//
// It is no provider and knows no tenant: whoever issued a seed checks its codes.
//
// Sources: RFC 6238, RFC 9106 (argon2id), contracts-2026-11.md section 6.
package otp
