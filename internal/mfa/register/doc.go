// Package register makes our provider known to Entra ID: the app, its consent and the
// method's configuration, planned first and applied after.
//
// Sources: contracts.md sections 3.8 and 6.4, contracts-2026-11.md section 2.
package register
