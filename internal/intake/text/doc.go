// Package text makes texts of stored bytes and takes them apart, whatever is
// written in them: [Open] takes off compression and encoding, [OpenZip] and
// [OpenWorkbook] open containers, [Scanner] reads JSON from a stream and [Members]
// and [Elements] what is known to be valid, [CSV] reads rows, [HCL] and [DSC] the
// literals of configurations. A [Cutter] tells the objects of a list apart without
// passing them one by one.
//
// It knows nothing of evidence: what the texts are is said by package intake.
// Memory is bounded whatever the bytes, and nothing is executed or unpacked to
// disk. The limits are constants here or arguments; what exceeds one comes back
// as an error that says so, and where the shape allows it reading goes on.
package text
