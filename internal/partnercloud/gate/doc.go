// Package gate stands before every service of the partner cloud. It marks each
// reply as local, remembers each request without its secrets, and does the harm
// it was asked to do.
//
// A [Fault] is what production does to clients now and then: throttling in the
// shape of the service, errors, slowness, cut connections, a write that was
// done and whose reply is lost, pages that come twice or change under way, a
// clock that is off, a token that has expired meanwhile. Which requests it hits
// is not left to chance: of N requests that it could hit it hits exactly
// round(share·N), spread evenly, so that a test that met it meets it again.
//
// What is never kept: authorization headers, cookies, bodies, and the values of
// query parameters whose names say that they are secrets. Pages and page tokens
// are held, bounded and only while a fault that needs them is on.
//
// Nothing runs between requests: no goroutine, no timer.
//
// Sources: contracts.md sections 2.2, 3.0, 4.2 and 7.3; shapes that are not
// published are named as ours where they are written.
package gate
