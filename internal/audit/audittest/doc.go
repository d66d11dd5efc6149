// Package audittest remembers in memory what is recorded. Tests only.
package audittest
