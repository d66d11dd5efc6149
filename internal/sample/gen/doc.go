// Command gen writes the exports of the sample partner, Contoso Cloud Partners:
//
//	go run ./gen exports
//
// It is deterministic: names give ids, one seed gives every choice, and no
// clock is read. Running it again changes no byte that anybody reads (the
// compressed file may differ between versions of Go; its content does not).
//
// Everything agrees because everything is derived from one list of people,
// apps, places and policies (world.go): a sign-in asks the policies what they
// demand, the registration report lists the methods sign-ins use, and the
// users' last sign-ins come from the log.
//
// What the partner has lived through, so that a report over it tells a story:
// admins are held to MFA and pass it; everyone else too, except from the
// trusted office, where the front desk and the sales team never see a prompt.
// A billing script signs in with a stored password, a scanner mails by SMTP
// AUTH, one old Outlook is left, and legacy authentication is blocked only in
// report-only mode. The emergency account is excluded from everything and has
// no second factor. A trial of Entra ID P2 ran out and left a risk policy and
// two eligible roles behind. Two customers still grant DAP, one relationship
// made by Microsoft's transition holds Global Administrator, and one alert
// waits for an answer.
//
// All people, companies and addresses are invented: Microsoft's fictional
// names, documentation domains and documentation address blocks.
package main
