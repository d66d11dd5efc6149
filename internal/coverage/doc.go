// Package coverage owns the pages that show what a tenant's settings prove: who is asked
// for MFA, where, and with which client; one decision step by step; a rehearsal of a
// change; and what each policy does.
//
// The data's way: the access engine of a judgement -> [Build] -> [Part], kept as a
// snapshot -> the screens of a [Feature]. Every cell is computed by access.Engine and
// every witness was confirmed by it; nothing is decided here. What is not known stays
// unknown.
//
// Names of accounts are shown to whoever has the right screen.SeePeople alone.
package coverage
