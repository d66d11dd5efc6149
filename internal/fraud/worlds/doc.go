// Package worlds owns simulated worlds of Azure use, normal ones and attacks, that the detector
// is tried on. They were written before the detector and are frozen: each comes out of its seed.
// Only tests and benchmarks import it.
//
// Source: contracts-2026-11.md section 4.
package worlds
