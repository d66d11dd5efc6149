// Package eam is Entra's side of External MFA (external authentication methods):
// it reads a provider's discovery and keys, and judges the id_token that comes
// back.
//
// It shows no page, keeps no sign-in and knows no user: the authority does. The
// judgement is a function of values, see [Check]. What is fetched is bounded in
// size and time and kept for 24 hours of the world's clock.
//
// Sources: contracts.md section 6; OpenID Connect Core sections 2, 3.2, 4.
package eam
