// Package front speaks to devices: SMTP submission, IMAP and POP3, each by TLS from the
// first byte or by STARTTLS, and without TLS where bridge.yaml says so.
//
// It owns the connections of devices and their limits: how many, how long they may be
// silent, how long a line is. It lets nobody in by itself: the password is the store's to
// judge. SMTP ends here, and a message goes to the queue. IMAP and POP3 end here only
// until the device is in; after it, bytes go both ways as they come, so that whatever
// extension the server has works, and memory does not grow with a mailbox.
//
// Nothing that came before TLS counts after it (CVE-2011-0411). A message's end is
// CRLF.CRLF alone, and bare CR and LF become CRLF before anybody else reads them, so
// that no second message hides in one (SMTP smuggling). No password is logged.
//
// Sources: RFC 6409, 5321, 4954, 3207, 8314; RFC 3501, 2595, 4959, 7888, 5530; RFC 1939,
// 2449, 2595, 5034, 3206.
package front
