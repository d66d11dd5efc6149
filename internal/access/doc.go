// Package access owns the settings that decide whether a sign-in needs MFA:
// security defaults, Conditional Access policies, named locations,
// authentication strengths and the authentication methods policy.
//
// Here are the settings as exported, decoded leniently from Microsoft Graph and
// ScubaGear's PascalCase form. Unknown enum values are kept raw, never dropped
// and never fatal. The package is pure: no I/O, no clock.
//
// Sources: contracts.md sections 3.5, 3.6, 3.8, 9.4.
package access
