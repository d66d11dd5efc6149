// Package console is the web console: who comes in, as whom, and what they may
// do; and where the features' pages are mounted. It owns no page of a feature.
//
// Ways in:
//
//	link    made on this machine, works once within ten minutes, from this machine alone
//	entra   OpenID Connect at the connected tenant, with proof of MFA
//	token   pg_…, for programs: a scope, an end
//
// A sign-in: GET /signin -> POST /signin/entra -> Entra ID -> GET /signin/callback
// -> proven: a session; without the MFA claim: /signin/step-up, once -> the page that
// was asked for.
//
// Who may what: a [Grant] (a row that somebody with the right to manage made) or a
// directory role of the tenant gives one role; a role is a set of rights; a route is
// mounted behind one right ([Console.Guard]). Nobody without a role comes in. Rows that
// grant (sessions, links, roles, tokens) are marked by the vault, and held to what the
// trail says of them last: who can write the database makes no administrator.
//
// Every act stands in the trail: entered, refused and why, stepped up, ended, roles and
// tokens made and removed, links made and used. A secret never does.
//
// Followed: OpenID Connect Core 1.0, RFC 6749, RFC 7636 (PKCE), RFC 9207 (iss), RFC
// 9700 (OAuth security), RFC 6265bis (cookies), Microsoft's claims challenge.
package console
