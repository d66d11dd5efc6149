// Package problem is the error vocabulary of Partnerguard: a kind that is
// itself an error, one sentence that is safe for anyone to read, what to do
// next, and a cause that only a log sees.
//
// It never holds a secret, a token or a raw upstream body: whatever goes into
// Public or Hint will be printed. It imports nothing of ours.
package problem
