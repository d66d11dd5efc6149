// Package assert tells an upstream who asks, in headers that outsiders cannot set and
// in a signed assertion that the upstream can check.
package assert
