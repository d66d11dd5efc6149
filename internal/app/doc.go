// Package app is the composition root: it builds what a command needs, joins
// the floors (intake to the engines, the engines to assess), and tears it down
// again in order. It holds no rule of its own.
package app
