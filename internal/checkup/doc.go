// Package checkup looks at an installation as whoever runs it would: clock,
// certificates, rights of files, ways to Microsoft, disk, queue, database, evidence,
// trail, backups, master key. Each finding says what is, how bad that is, and the
// command that mends it.
//
// It changes nothing and asks nobody for a secret. A thing that could not be looked at
// is a finding too: unknown, never well. What it knows of features comes from app.
package checkup
