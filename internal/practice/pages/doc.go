// Package pages is the page Practices of the console.
package pages
