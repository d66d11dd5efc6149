// Package syslog hands messages to a syslog server: UDP (RFC 5426), TCP with octet
// counting (RFC 6587 section 3.4.1), TLS (RFC 5425), or the machine's own socket. It
// writes the form of RFC 5424 and reads nothing: a server that takes a message says
// nothing, and over UDP nobody knows whether it came.
package syslog
