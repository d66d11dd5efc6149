// Package portal owns the partner cloud's small portal: the status of the
// Partner security requirements with its three metrics and downloads, the
// security requirements with their points, and the customers with a way into
// their tenants. Beside it stands the page of the admin center on which a customer's
// administrator answers a partner's offer of delegated administration.
//
// It is a client of the authority like any other: authorization code with PKCE,
// the browser's session here, the MFA claim from the access token that came of
// it. A signed-in person without the claim is asked for it as far as enforcement
// stands; every page looked at is a portal request of the adoption reports. Who
// may see what follows from the roles of this moment.
//
// The pages are server-rendered, carry no script but one that reads the offer's id
// from behind the # of its link, and wear our own name and look.
//
// Sources: contracts.md sections 1.2, 1.4, 1.5, 2.4; RFC 6749, 7636, 9700,
// OpenID Connect Core.
package portal
