// Package sample is the embedded sample partner: exports of an invented
// company, Contoso Cloud Partners, in the shapes real exports have, so that
// anybody can see a report before exporting anything.
//
// The partner is the one of the partner cloud's default scenario. The files
// under exports are what its Graph and its Partner Center answer to an
// administrator who makes the requests of the export plan, and are never edited
// by hand: TestExports makes them again and compares, go generate writes them.
// The package reads nothing else and decides nothing.
//
// What the partner has lived through, so that a report over it tells a story:
// admins are held to MFA and pass it; everyone else too, except from the
// trusted office, where the front desk and the sales team never see a prompt.
// A billing script signs in with a stored password, a scanner mails by SMTP
// AUTH, one old Outlook is left, and legacy authentication is blocked only in
// report-only mode. The emergency account is excluded from everything and has
// no second factor. A trial of Entra ID P2 ran out and left a risk policy behind,
// and two people whose eligible roles became permanent ones that no policy
// lists. Four customers still grant DAP, two relationships are roads to Global
// Administrator, and one alert waits for an answer. One account's sign-ins come
// from a tool whose export has nothing that could prove MFA, and the oldest
// from a workspace, in a table.
//
// Of three customers the folder customers has, a folder each, the directory's audit log of
// 90 days, as somebody has it who keeps it, and who holds which role there. It stands beside
// exports, since none of it is the partner's own.
//
// All people, companies and addresses are invented: Microsoft's fictional
// names, documentation domains and documentation address blocks.
package sample
