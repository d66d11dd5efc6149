// Package doctor says what to export and whether what was exported is enough.
//
// A plan lists the requests for each file that the rule book needs, for a kind
// of partner, a cloud and a licence. A check holds what was read against the
// same list and says, rule by rule, what is there, what is cut and why, what is
// absent, and the one request that settles it. One table drives both:
// evidence.Requests and the needs of partner.Book.
//
// It is pure: it reads no file and no clock.
package doctor
