// Package msapitest walks a local authority's sign-in pages as a browser
// without script does: for tests of what needs a person's sign-in. It knows
// pages, not the partner cloud's insides.
package msapitest
