// Package proxy owns the ways by which a client that believes it talks to
// production reaches the partner cloud instead: an HTTPS proxy that ends the
// tunnels to the host names it knows, and a TLS listener for clients that were
// led there directly and say in their hello whom they mean.
//
// Nothing leaves the machine. A tunnel to any other host is refused with 403
// and a sentence; plain HTTP likewise. The only addresses it ever dials are
// loopback ones, for clients that send even those through their proxy.
//
// It answers loopback clients only unless told otherwise, and with a secret set
// only those that know it (RFC 9110, 11.7; RFC 7617), so that other people on
// the machine cannot use it to reach its loopback services.
package proxy
