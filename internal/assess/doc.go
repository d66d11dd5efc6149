// Package assess turns facts into verdicts: the rule book of package partner
// times what was read from exports.
//
// The data's way: facts -> [Assess] -> [Report]. A verdict is
// never better than its evidence: what could not be read is unknown, and
// unknown is never met. The contract (every user, every sign-in) and
// Microsoft's score (admin roles) are two views side by side, never mixed.
//
// The package reads no files and no clock; rendering lives in assess/render.
package assess
