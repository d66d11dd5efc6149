// Package probe asks whether access that should exist exists, and access that should not does
// not. It only reads.
package probe
