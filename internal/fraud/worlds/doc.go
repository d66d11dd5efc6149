// Package worlds owns simulated worlds of Azure use, normal ones and attacks, that the detector
// is tried on. They were written before the detector and are frozen: each comes out of its seed.
// Only tests and benchmarks import it.
//
// A world is 30 to 120 days of a partner's customers: what runs costs, what is made is in the
// Activity Log, and use is rated a day later. Worlds 0 to 199 are normal, each with a main trait
// (growth, month ends, migrations, ...) and often others; worlds 200 to 259 hold one attack each,
// of six kinds, in an otherwise normal world. Truth says what was attacked, when, and what it cost.
//
// Worlds with an even seed are for training (a detector's thresholds, a peer's parameters), those
// with an odd seed for the test alone: who tunes looks at the even ones only. Each trait, and each
// way of hiding over all kinds of attack, is in both halves.
//
// Nothing here is random beyond the seed: numbers are whole, so they are the same on every
// processor, and testdata/frozen.sha256 holds the sum of each world's files.
//
// Source: contracts-2026-11.md section 4.
package worlds
