// Package notify remembers what was told, so that it is told once.
package notify
