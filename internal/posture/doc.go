// Package posture keeps what was judged, over time: the verdict of each
// requirement and account, the settings it rested on, what was not known; and
// tells what changed and why, what people left out and for how long, and what
// the rules of today say of the evidence of then.
//
// The data's way: whoever judges (app) brings a report to a [State] -> [Store.Keep]
// compares it with the last one and writes rows only of what differs -> [Compare]
// names the causes of what turned -> [Store.History] and [Store.Changes] read.
//
// It never judges: verdicts come in. It never changes a kept verdict: what is judged
// again with other rules stands beside it ([Store.Rejudge]). An exception silences
// alerts and changes no verdict; it is in force once a second person approved it.
//
// What is no longer known is never told as mended: where a list is not read whole any
// more, things that are missing in it were not removed. The directory's audit rows
// say who did something and when; they carry changed properties alone, so nothing is
// concluded from what they do not say.
package posture
