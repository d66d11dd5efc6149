// Command packaging makes what is handed out of a commit: static programs for five
// platforms in archives, a Debian package, a bill of materials of each program,
// checksums, and a signature over these.
//
// It runs in a clone, never over files that no commit has, so that whoever has the
// commit and the same Go makes the same bytes. `make release` is its caller.
package main
