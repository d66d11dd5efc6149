// Package center owns the partner cloud's Partner Center REST API at
// api.partnercenter.microsoft.com: customers, relationships, their users and
// roles, subscriptions and Azure entitlements, budgets, consent, the MFA
// adoption reports, audit records, fraud events, webhooks; commerce: agreements, the
// catalogue, carts and orders, invoices and usage, profiles, devices and tickets; and
// the settings of enforcement that the control API changes.
//
// Commerce is one world. What is bought, suspended or ended comes into the customer's
// directory by one function (call.keep), and its money follows from what happened to
// it (package ledger) at invented prices (package market). Operations stand in tables
// by topic, routes_*.go; what is left out, in routes_left_out.go.
//
// Each request passes the same gates in the same order: the token (audience,
// lifetime, life), the throttle, the kind of caller (app-only or app+user), the
// MFA claim as far as enforcement stands, the caller's rights at this moment,
// and, for a write, whether the same MS-RequestId was answered before. The MFA
// claim is never asked of an app-only token. Requests are remembered for the
// adoption reports, writes for the audit records.
//
// A handler runs with the state locked and hands back a value; it is encoded
// and written after the lock was given back. Webhooks are delivered to this
// machine alone: whatever else is registered is recorded as refused.
//
// The wire is spoken from contracts.md sections 1.3, 2, 5.3, 7.1, 7.2, 8.3 and
// 10, and from the pages of Microsoft that the tables name. The package shares no type with the product's own client.
package center
