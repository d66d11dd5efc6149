// Package client asks a running Partnerguard over its API: pages of rows, and acts. It
// proves itself by a token of the console, trusts the roots it is given, says problem
// details as problem.Error, and asks again where a server says that it cannot now. It
// knows no feature: whoever asks says what a row is.
//
// Followed: RFC 9110, RFC 9457 (problem details), RFC 6750 (bearer tokens).
package client
