// Package db opens the database: SQLite in one file, embedded and the default,
// or PostgreSQL when several processes share the work.
//
// Features write one SQL for both: placeholders are $1, $2 …; times are
// integers (microseconds since 1970 UTC, see [Micros]); booleans are 0 and 1;
// JSON is text; conflicts are "ON CONFLICT … DO UPDATE". The schema is in
// migrations/, one file a step and dialect, embedded, forward only; opening
// brings it up to date and refuses a schema newer than the program.
//
// The database holds nothing secret in the clear: what is secret goes through
// the vault. The SQLite file is made for its owner alone.
package db
