// Package dates holds what Microsoft changes on dates against what was read of
// one partner: who is hit here, nobody, or not known, each with what settles it.
//
// The changes are data ([partner.Changes]). A hit rests on records; nobody is
// said only where the evidence was read to its end, is of late, and, for a log,
// covers 30 days with sign-ins that nobody typed in. The package asks nothing
// and reads no clock.
package dates
