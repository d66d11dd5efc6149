// Package front listens: TLS with certificates that are read again, and for plain
// requests of HTTP/1.1 a lean path; all else it hands to package proxy.
package front
