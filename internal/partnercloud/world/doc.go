// Package world owns the state of the partner cloud: a partner tenant, its
// customers' tenants, control panel vendors, and everything in them that a
// sign-in or an API call can ask about; their logs; and the clock they share.
//
// One lock guards the whole [State]: all reading and changing happens inside
// [World.Do]. Rows of a [Table] are immutable once put: who changes one puts a
// copy, so that a reply may be encoded after the lock was given back.
//
// Customer tenants are made when somebody first asks for them, by the maker
// that the scenario registered, and come out the same for the same seed.
// The package decides nothing about MFA (see signon) and speaks no HTTP.
//
// Sources: contracts.md sections 1 to 3, 4.3, 7, 8.
package world
