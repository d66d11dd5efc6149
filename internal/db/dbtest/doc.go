// Package dbtest lends databases to tests: SQLite always, PostgreSQL where one
// can be had. A feature's contract suite runs over [Each].
//
// PostgreSQL is taken from PARTNERGUARD_TEST_POSTGRES (a URL of a server on
// which databases may be made), else a private server is started from the
// binaries of the machine, once a test process. Where there is none the test
// says so, and fails when CI is set.
package dbtest
