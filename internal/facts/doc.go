// Package facts owns everything that was read about one partner: the decoded
// records of all kinds, the summary of its sign-ins, and the account given of
// each input. [Facts.Tenant] brings it to the form the access engine decides
// by.
//
// It decodes and keeps; it judges nothing and does no I/O. Intake fills it
// through package app; assess, prove and rehearse read it.
package facts
