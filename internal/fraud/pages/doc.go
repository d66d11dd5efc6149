//go:build !judge

// Package pages owns the console's pages of fraud and of spending.
package pages
