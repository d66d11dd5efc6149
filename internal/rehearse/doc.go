// Package rehearse replays recorded sign-ins through settings that are not on
// yet, beside today's, and says who and what would break, each with its way
// out.
//
// The data's way: surviving rows of the fold -> [History], which counts rows of
// equal signature together -> [Rehearse], which decides each signature once by
// today's and by the proposed settings -> [Result].
//
// It changes nothing in any tenant and does no I/O. What a log does not show
// cannot be rehearsed: the result names the span it rests on.
package rehearse
