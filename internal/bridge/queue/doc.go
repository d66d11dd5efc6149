// Package queue keeps messages that the bridge took until Exchange Online has them, or
// their sender is told that it will not.
//
// A message that was taken is on the disk, synced, before the device is told so: sealed
// in a file of its own, under a key of its own that the vault has and that goes with
// the message. Its row says where it goes, is marked by the vault, and goes too: nothing
// of a message is kept after it was sent.
//
// It sends at least once. Where the end of a message was sent and no answer came, or the
// process died at that moment, the server may have it: it is sent again, under the
// Message-ID it had, so that the second can be known for one, and the trail says so. The
// other choice loses scans without a word, and who scanned does not look.
//
// Sources: RFC 5321 sections 4.5.4 and 6, RFC 3464 (notices), RFC 6409 section 8.
package queue
