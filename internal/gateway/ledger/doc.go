// Package ledger writes down what the gateway decided: each decision counted, refusals
// by reason, client and route, never a token.
package ledger
