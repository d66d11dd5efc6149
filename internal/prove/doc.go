// Package prove owns the answer to questions over all sign-ins, as people and
// scripts get it: a [Report] wraps the proofs of the access engine with what
// was read for them. Its renderers are in prove/render.
//
// It decides nothing: verdicts, gaps and witnesses are the engine's.
package prove
