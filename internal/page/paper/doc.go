// Package paper prints a page as PDF with a Chromium that is installed on the
// machine: nothing else lays a page out as a browser shows it. The browser gets a
// profile of its own that is thrown away, and the page loads nothing.
package paper
