// Package sheet says which text a spreadsheet would run instead of show.
//
// Everything that writes CSV asks it, so that there is one guard and not one
// per writer: the report of sign-ins, the sheets of print, the downloads
// of the partner cloud's portal.
package sheet
