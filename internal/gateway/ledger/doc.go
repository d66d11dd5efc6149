// Package ledger writes down what the gateway decided: each decision counted, refusals
// by reason, client and route, never a token.
//
// [Ledger.Note] counts in memory without a lock and without waiting; [Ledger.Run] writes
// the counts into the table gateway_decisions every five seconds, in one transaction, and
// what was refused into the audit trail when its hour is over, one entry a route, reason,
// caller and client. Where the database is away the counts wait, bounded; beyond that
// they are counted as dropped, and [Ledger.Full] says so to routes that refuse then.
// A process that dies loses the counts of its last five seconds.
//
// [Make] turns counts, of the database or of a file of decisions ([ReadLines]), into the
// report: who would be refused tomorrow.
//
// Kept of a person: tenant and object id, and the account name as the token said it. Of
// somebody unknown: the network (24 bits of IPv4, 48 of IPv6). Never kept: a token, a
// cookie, a path, a query, an agent's text. Rows carry no mark: a count grants nothing.
package ledger
