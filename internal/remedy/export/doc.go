// Package export writes a plan for people who manage by code: Terraform, Graph requests, PowerShell,
// Bicep. What a tool cannot say is said in words, and never left out silently.
//
// It does no I/O, and what it writes holds no secret.
package export
