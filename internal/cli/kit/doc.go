// Package kit has what all commands share: the world a command runs in, flags
// with fixed values and dates, tables, progress, colour, writing an answer whole
// or not at all, asking for a secret, and the opening of an installation or of
// the local partner cloud.
//
// It imports no feature: what a command does is in its wing. Results go to
// standard output, everything else to standard error.
package kit
