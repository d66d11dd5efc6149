// Package guard decides one request: which route, who asks, whether that is well, and
// whether it is refused now. It holds the generation of the file that holds now. It
// answers nothing and never waits.
package guard
