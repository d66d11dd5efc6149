// Package role owns what the directory's roles may do: their actions, which act of an audit
// log wants which action, which role Microsoft's task table names for it, what a thief of a
// role could do, and of which acts of a role there is a log at all. It is data with source
// and date, embedded, and the rules over it.
//
// Followed: contracts.md section 8, contracts-2026-11.md sections 3.1 to 3.3.
package role
