// Package mfa owns the people and the factors of our own provider of External MFA:
// who has which factor, the challenges they answer, what locks an account and what
// opens it again.
//
// It speaks no protocol of Entra ID's (mfa/provider does) and writes no page
// (mfa/pages does). An account is a tenant's id and an object id together; names are
// shown and identify nobody.
//
// Sources: contracts.md section 6, contracts-2026-11.md sections 2 and 6.
package mfa
