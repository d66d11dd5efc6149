// Package report makes what a pack says to people and to other programs: one HTML page,
// JSON, OSCAL assessment results, OCSF compliance findings with the profile record
// integrity, the rule book as it stood, what was judged by beside the pages, a bill of
// materials, and a text that says how to verify all of it.
//
// It decides nothing: verdicts, reasons and counts are the report's. For whom a pack is made
// decides what is told beside a verdict, and never the verdict; each pack says what its
// reader is not told. Equal inputs give equal bytes. It does no I/O, reads no clock and
// redacts nothing by rule: a redacted pack's report was judged from redacted evidence.
//
// Followed: OSCAL 1.2.1 (assessment results), OCSF 1.8.0 (class 2003) with the profile
// record_integrity of 1.9.0-dev, RFC 8785 (canonical JSON), RFC 9562 (UUIDs of version 5),
// CycloneDX 1.6; contracts-2026-11 section 1.1 for the agreement's edition.
package report
