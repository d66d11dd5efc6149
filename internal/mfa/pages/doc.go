// Package pages has what people see of our provider: the page that asks for a factor,
// enrolment, a person's own factors, and the help desk's pages in the console.
//
// It decides nothing: package mfa does.
//
// Sources: contracts-2026-11.md section 6; WebAuthn Level 3; WCAG 2.2 AA.
package pages
