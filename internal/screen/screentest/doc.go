// Package screentest renders a page of the console as a browser gets it, without a
// console around it: for the tests of features, and to look at a page while it is made.
package screentest
