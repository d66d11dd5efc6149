// Package find finds the changes that would meet a requirement or reach a preset, cheapest first,
// and makes a plan of them.
//
// It does no I/O and reads no clock; it changes nothing.
package find
