// Package page is the page for shared floors: people without phones come to one
// machine, each opens their own file of one-time passwords with their own passphrase,
// takes a code, and it closes by itself.
//
// It answers the machine itself alone, and works without script. Who opened, who was
// refused and who took which code when is in the trail, before a code is shown; codes,
// seeds and passphrases are nowhere. A wrong passphrase has the next one for that name
// wait, up to a minute: everybody here sits at the same machine, so nothing tells the
// person from who guesses, and a longer wait would shut the person out. Names that
// nobody has are treated as the others are, and cost the same time.
//
// Files are opened by a passphrase alone. A security key does not open them: it would
// need WebAuthn's prf extension to give the key that unseals, which not every key and
// browser here has, and without it a key would only be a check in front of a file that
// this process can open anyway. Files are made by otp add --person.
//
// Sources: contracts-2026-11.md section 6, RFC 6238.
package page
