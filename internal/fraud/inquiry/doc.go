//go:build !judge

// Package inquiry owns the investigation of an alert: the snapshot that is taken at once, the
// timeline over all sources, what speaks for fraud and what against, and the report.
//
// The data's way: an [Inquiry] has what an alert wants read, through the resources that the
// archive has anyway, and says of each whether it was. A [Fold] takes records of those kinds,
// each with its [Place], from the archive or from files alike, and gives a [Timeline]: rows
// that belong together are one, times that lack are said. [Timeline.Judge] names what speaks for
// fraud, what against, and what is not known, with the one request that settles it. It never
// decides: a person does.
//
// It keeps nothing of its own. That something was read is known by the readings, what was read
// by the archive, that it was asked for by the trail.
//
// Texts of others are cleaned and bounded when a row is made; nothing else of them is kept.
//
// Sources: contracts.md sections 3.10 and 7.4, contracts-2026-11.md section 4.
package inquiry
