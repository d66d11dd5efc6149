// Package run puts a gateway together, and takes a changed file over without dropping a
// request.
//
// It reads gateway.yaml, listens, and hands each generation of the file to whoever serves
// by it, in one order: what may refuse it first, then the guard, the proxy, the front.
// Every five seconds, and when it is told to ([Gateway.Reload]), it looks at the file
// again: a broken one is refused with its line, the old one stays, and the trail and
// [Gateway.Status] say so. Listeners that both files have stay with their connections. A
// route's mode that turns by its date is recorded; that it turns is the route's own doing.
//
// It judges and answers nothing. Which parts there are is up to whoever makes it.
package run
