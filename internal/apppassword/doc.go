// Package apppassword says what app passwords can and cannot do in a tenant: whether
// one would work for an account, until when, and what breaks it; who depends on one,
// and the nearest way out.
//
// It makes none and reads nothing by itself: facts come in, findings go out.
//
// Sources: contracts.md section 9.2, contracts-2026-11.md sections 1.4 and 6.
package apppassword
