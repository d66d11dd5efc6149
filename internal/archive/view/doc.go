// Package view shows the archive as the export that somebody would have made at a
// moment: the same files, as the lines of an export plan write them, so that
// [partnerguard/internal/intake] reads collected pages like any export. It is the
// only road from the archive to a judge.
//
// A list is the newest reading of it that was whole; changes since are merged over
// it. Where there is none, what there is of an unfinished one is shown, with a next
// link left in, as an export that broke off has it. A refusal is a file of its own.
// A log is JSON lines, a file a day of reading, later readings behind earlier ones.
//
// Files are made while they are read: nothing is held but a page and, of a list
// that is read by its changes, the changes.
package view
