// Package detect owns our own eyes on Azure fraud: from use and the Activity Log alone it says
// where a subscription is abused, and when that could first be known.
//
// Records are folded into a [Part] for each customer, in any order, and each but once; [Judge]
// walks a part in the order of time and weighs what it sees. Each sign of abuse has a stated
// weight in log-odds ([Weights]); what speaks for a legitimate deployment has a negative one; a
// subscription is a finding from a sum on. There is one finding for a cause.
//
// It is causal: what it says of a moment rests on records up to that moment, so a replay shows
// the true time to detect. What was not read is said to be not known (blind), and never taken
// for quiet. It never calls Microsoft, reads no clock and keeps nothing: who has parts to keep
// marshals them.
//
// Source: contracts-2026-11.md section 4; Microsoft Learn, "Azure Activity Log event schema",
// "Understand the daily-rated usage line items".
package detect
