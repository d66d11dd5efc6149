// Package kit is what the APIs of the partner cloud have in common: refusals,
// bodies within a limit, sealed page tokens, the address a request came to and how
// an answer is sent. The shape of an error's body, its codes and its words are each
// API's own and stay there.
package kit
