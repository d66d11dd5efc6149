// Package connect has the commands by which a partner is connected and its customers
// are looked at: connect, customers and token check.
package connect
