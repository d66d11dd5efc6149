// Command verify checks a pack of evidence that partnerguard made, without partnerguard:
// with Go's standard library alone, small enough to be read before it is run.
//
//	go run . --key KEY pack.zip
//
// It checks that the file is a pack and nothing else, every sum, the signature, that each
// page of evidence is under the signed checkpoints of the audit trail, that each
// checkpoint is the beginning of the next, what was left out, and the time stamp. It does
// not judge: that the verdicts come out again from the evidence is for
// partnerguard pack verify. docs/pack-form.md of partnerguard says what a pack is.
//
// It opens the files that it is given and nothing else: no network, no other program.
// It exits 0 where the pack holds, 3 where it does not, and 2 where it could not look.
package main
