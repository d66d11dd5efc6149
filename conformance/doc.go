// Package conformance runs Microsoft's own client libraries, unmodified, against
// the partner cloud, and prints which client did what. It has a module of its
// own: none of these libraries is part of the product.
//
// Each check runs twice. By endpoints: the client is configured with the
// cloud's addresses. By names: the client keeps its production host names and
// the whole process runs under "partnerguard cloud exec", which sends them to
// the cloud and refuses every other host.
package conformance
