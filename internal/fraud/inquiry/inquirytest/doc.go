//go:build !judge

// Package inquirytest has stories that inquiries are tried on: a stolen administrator, and
// somebody who does what they always do. Tests only.
package inquirytest
