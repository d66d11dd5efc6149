// Package notify owns the memory of what was told, so that it is told once, also
// by several processes and over restarts. It sends nothing and decides nothing:
// what is told, to whom and when is the business of whoever tells it.
package notify
