//go:build !judge

// Package contain owns stopping the bleeding: a plan of steps with the blast radius of each,
// a second person's approval (or a rule's, for what can be taken back), a durable state
// machine that does the steps, and taking back what can be taken back.
//
// It never locks out the last administrator, nor the account or app it acts with; it does
// nothing outside of the alert's subscription and its customer's and partner's directories;
// and it does no step that it did not plan itself.
//
// Sources: contracts.md sections 7.1 to 7.3 and 3.10, contracts-2026-11.md sections 4 and 5.
package contain
