// Package signintest is what the tests of both halves of the sign-in engine read:
// the shared records, and records drawn at random.
package signintest
