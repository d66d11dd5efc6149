// Package deb walks through the life of the Debian package, as an administrator meets
// it: installed, set up, served, upgraded, removed, purged, installed again, restored.
// It is built with the tag "deb", and `make package-test` runs it in a root of its own,
// in which no systemd runs: what units say is started here as they say it.
package deb
