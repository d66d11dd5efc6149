// Package authority is the partner cloud's Entra ID: discovery and keys, the
// authorization, token, device code, consent and logout endpoints, and the
// sign-in pages with password, TOTP, security key and External MFA.
//
// It decides nothing about policy: every sign-in, interactive or not, becomes a
// [signon.Attempt] and what the ruling says is done. Tokens come from bearer.
// It never shows a canned answer: what a page or an error says follows from the
// state of the world at that moment.
//
// Where what lives: browser sessions and refresh tokens in the world's state, by
// hashes; flows, codes, device codes, lock-outs and used assertions here, in
// bounded memory, none of them longer than ten minutes to a day. A restart ends
// flows and codes, not sessions.
//
// An interactive sign-in, as states:
//
//	account → password ┬→ second factor ┬→ stay signed in → consent → code
//	        ↘ security key ↗            └→ registration ↗
//
// Invariants: nothing is ever sent to a redirect URI that the client did not
// register; a flow moves only for the browser that began it, by its cookie and
// the token in the form; a code, a device code and a TOTP step work once; secrets
// are compared in constant time and never logged.
//
// Not here: personal accounts, passwords' self-service, certificates as factor,
// implicit grant of access tokens, SAML.
//
// Sources: contracts.md sections 1.2, 1.3, 2.1, 3.2, 4, 5.1, 6, 9.4, 10; RFC
// 6749, 7523, 7636, 8628, 9700; OpenID Connect Core; WebAuthn level 3; RFC 6238.
package authority
