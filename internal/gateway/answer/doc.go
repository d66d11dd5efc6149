// Package answer says no in the way that who asks understands: a claims challenge for
// MSAL's clients, a problem document, a page or a way to sign in for a browser.
package answer
