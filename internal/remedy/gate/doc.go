// Package gate decides whether a plan may be done: the proof over the settings after each step, the
// rehearsal on recorded sign-ins, who could be locked out, licences, and what Microsoft
// would refuse. What cannot be said keeps the gate shut.
//
// It does no I/O and reads no clock.
package gate
