// Package proxy passes requests on, all of HTTP: versions 1.1 and 2, WebSocket, gRPC,
// streams; and nothing that two readers could read in two ways.
package proxy
