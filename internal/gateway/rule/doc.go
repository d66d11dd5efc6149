// Package rule decides whether an identity satisfies a route. It is pure.
package rule
