// Package leaf cuts records into salted leaves of a tree, so that members can be left
// out by rule and what remains is still proved. It does no I/O.
package leaf
