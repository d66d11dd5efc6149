//go:build !judge

// Package pages owns what the console shows of delegation: per customer, and the ways from a
// person to a role as a picture.
package pages
