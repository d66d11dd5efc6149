// Package render owns how a partner's delegation is shown: as text, JSON and CSV, and the ways
// from people to roles as a picture. A picture is a graph in layers from left to right; what
// is too much for it is folded, and says how much it folds. It decides nothing.
//
// Names out of other tenants are hostile text: they are cleaned, bounded and escaped.
package render
