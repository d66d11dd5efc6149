// Package rule decides whether an identity satisfies a route. It is pure, and never asks whether
// a token is genuine.
package rule
