// Package texts compares and reads short texts where it happens for every sign-in:
// without allocation, and quickly where the texts are the usual ones.
package texts
