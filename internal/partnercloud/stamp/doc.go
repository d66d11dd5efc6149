// Package stamp is a time stamping authority of this machine (RFC 3161), for tests
// of what asks for stamps and checks them. Its root is made anew with each
// authority and says that it is local.
//
// It takes SHA-256, SHA-384 and SHA-512, one policy and no extensions, and refuses
// everything else with the status that RFC 3161 has for it. Its certificate and its
// stamps can be spoiled, so that who checks them can be tried.
//
// Sources: RFC 3161, RFC 5816.
package stamp
