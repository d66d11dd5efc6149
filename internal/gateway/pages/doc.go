// Package pages has the console's pages of the gateway.
package pages
