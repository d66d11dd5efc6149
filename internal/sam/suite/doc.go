// Package suite puts the parts of the Secure Application Model together for one
// installation: store, capture, renewal, exchange, broker, consents, invitations
// and the memory of the past; and holds what a person does with them, each act
// with its entry in the audit trail.
//
// Everything that steers a secret comes from the seal or from the program, never
// from a row alone (decisions/0006). A Suite is safe for concurrent use once New
// has returned, as its parts are.
package suite
