// Package customers owns what the console shows of a partner's customers: which they are,
// what reach the partner has there (DAP, and GDAP with its roles and ends), and how each
// one's own facts stand. It says what was read and of when; what was not read is
// unknown, and never a zero.
//
// [Build] makes the partner's part of it out of its facts, [Own] a customer's own part
// out of its sign-ins; both are pure and kept as a snapshot. [Pages] shows them together
// with how the readings stand, which whoever makes it supplies. Who is limited to some
// customers sees those alone, also in counts, charts, searches and exports.
//
// Followed: Partner Center's customers and Graph's delegatedAdminRelationship v1.0.
package customers
