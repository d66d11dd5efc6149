// Package people shows the accounts of a tenant: what each can answer with, whether
// the settings ask it for MFA at every sign-in, what the log saw of it, and what to do.
//
// The data's way: a judgement's facts, engine, accounts and rolled up days -> [Build] ->
// [Part], which app keeps as a snapshot -> [Feature] prepares its rows once a version ->
// the page People, its exports and the palette.
//
// It judges nothing and reads no table: verdicts come in, and what the settings prove is
// asked of package access. What was not read is said to be so, cell for cell: it is never
// none, never zero, and never "no".
package people
