// Package object knows the forms of what a plan changes: how each kind is read and written, its
// canonical form, what differs in words, the request of a step and of its way back. What
// is not known to us is carried along and never written back.
//
// It does no I/O. Followed: contracts-2026-11 section 5.
package object
