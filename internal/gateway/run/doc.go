// Package run puts a gateway together, and takes a changed file over without dropping
// a request.
package run
