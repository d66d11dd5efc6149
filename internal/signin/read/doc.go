// Package read reads sign-in events of every export shape: bytes of one record to
// [signin.Event], a stream of JSON lines to all of them. A [Pool] reads batches of many
// inputs at once: objects, lines, or rows of a [Table].
//
// [Decoder] is fast, works on the tokens of jsonscan and leaves what is out of the
// ordinary to [DecodeEvent], the oracle on encoding/json; both agree on every
// input. Shapes whose keys are not Microsoft Graph's own (foreign.go) are known to
// the oracle alone.
package read
