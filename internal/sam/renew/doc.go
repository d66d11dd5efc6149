// Package renew keeps connections alive and says when they will die.
//
// A refresh token dies of 90 idle days; each use gives a new one and leaves the
// old one valid (contracts.md section 4.3). So a connection is renewed weekly:
// ask with the newest token, check the MFA claim of the Partner Center token
// that comes, store the new refresh token as the next generation in one
// transaction with the audit event, and keep the one used until the next is
// used with success. Whatever moment a process dies at, a token that works is
// in the vault:
//
//	ask -> answer -> check -> [ seal, next generation, audit ] -> forecast
//	 old    old       old         old until the commit             new, old
//
// What failed is told apart. What may pass is tried again, later each time and
// never before Retry-After. A rejection is final: the connection is marked, and
// asked about once a day, or at once when its app's credential changes. Only a
// token that Entra ID calls unknown or expired gives its predecessor a chance.
//
// Two processes may renew at once: a lease spares double work, the generation
// keeps them from overwriting each other. Clocks may jump: a renewal planned
// for a future that was none counts as due, and no wait is negative.
//
// Predict is pure: it foretells the end from idle time, credentials and the
// Conditional Access policies that apply, and lists what it could not read.
package renew
