// Package snapshot keeps what the console shows of a tenant: the facts as they were
// judged the last time, in parts, each made by the feature that shows it.
//
// A page must answer in a tenth of a second over hundreds of tenants, and judging takes
// seconds; so what a judgement knew is written down once, in the form pages want, and
// read often. A part has the moment as of which it was judged, the newest segment it
// rests on, and a version, by which decoded parts are remembered in this process.
//
// Nothing here is evidence, and nothing is judged by it: it can be thrown away, and the
// next judgement makes it again. It does not say when a fact was read; its makers do.
package snapshot
