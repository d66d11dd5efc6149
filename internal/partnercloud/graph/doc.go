// Package graph is Microsoft Graph, v1.0 and beta, over the partner cloud's
// world: what a partner's tools read and write there, and nothing else.
//
// A request goes through one path: version and route; the bearer token; the
// permission of the token and the roles its caller has at this moment; the
// service's throttle; the handler, inside the world's lock; and the encoding of
// the answer, outside of it. Answers are never canned: every number and status
// follows from the world's state and its clock.
//
// routes.go is the table of what is served, permits.go says who may, shapes.go how
// rows are shown; every row of the table names its handler.
//
// The package never mints tokens and never decides a sign-in: What-If and the
// security score ask the access engine. Names of properties come from Graph's
// published metadata, see known.go.
//
// Sources: contracts.md sections 3, 7.4, 8.3, 10; OASIS OData 4.01; Microsoft
// Graph metadata as listed in known.go.
package graph
