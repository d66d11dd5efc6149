// Package pages are the pages Packs of the console.
package pages
