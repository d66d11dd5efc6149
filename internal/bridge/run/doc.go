// Package run joins the rooms of the bridge: it listens as bridge.yaml says, lets
// devices in by the store, sends by the queue, and opens mailboxes upstream. It has what
// an installation shows of a bridge: the page of devices, the gauges, what waits.
//
// It owns no table and no protocol.
package run
