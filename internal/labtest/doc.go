// Package labtest is the rig of tests that want a cloud: a running partner cloud,
// a client of it, its people and apps, and where they are asked for a trail and a
// vault over a database. Tests only.
package labtest
