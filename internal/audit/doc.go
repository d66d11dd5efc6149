// Package audit is the vocabulary of the audit trail: what an event of
// Partnerguard's own doings says, and by which names.
//
// It does no I/O: the trail records events, features report them through an
// interface of their own that the trail meets.
package audit
