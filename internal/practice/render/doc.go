// Package render writes judged practices for people and for other programs.
package render
