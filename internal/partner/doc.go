// Package partner owns the partner programme: kinds of partner, clouds, the
// dated milestones, the rule book of the Partner security requirements, and
// the records Partner Center and Graph publish about it (relationships,
// customers, alerts, MFA adoption, security score).
//
// The rule book is data: each [Rule] has its text, its source, whom it binds,
// since when by contract and since when by technical enforcement, and which
// evidence decides it. [Rule.On] answers how it stands on a date, for a kind
// of partner, in a cloud. Deciding verdicts belongs to package assess.
//
// It does no I/O and reads no clock.
//
// Sources: contracts.md sections 1, 2.3, 2.4, 2.9, 3.11 to 3.13, 7, 8.
package partner
