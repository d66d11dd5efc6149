// Package signin is what sign-in events are and what each proves.
//
// The data's way: bytes of one record -> [Event] (package read) -> [Judgement]
// ([Judge]) -> [Summary] (package fold). This package holds the nouns and the
// rules; it looks at one event at a time.
//
// Verdicts, one meaning each, are listed at [Verdict]. The rule that matters
// most: authenticationRequirement=singleFactorAuthentication alone proves
// nothing, and neither does the absence of a field that this export never has.
//
// The three packages are pure: they open no file and read no clock.
//
// Sources: contracts.md sections 3.1, 3.2, 9.1 and 10.
package signin
