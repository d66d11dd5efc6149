// Package pages are the pages Remedy of the console: plans, gates, stages, the proof before and after.
//
// They change nothing by themselves: an act goes through package run, as on the command line.
package pages
