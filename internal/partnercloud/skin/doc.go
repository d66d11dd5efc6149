// Package skin is how the partner cloud's own pages look: the tokens and
// components of package page, with a skin of their own and a strip on top of
// every page, so that nobody takes them for Microsoft's pages or for
// Partnerguard's. It decides nothing.
package skin
