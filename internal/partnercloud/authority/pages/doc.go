// Package pages owns what the sign-in service shows: the templates, the style,
// the one small script that speaks to a security key, and the headers that fence
// them in.
//
// It decides nothing and reads no request. Every page works without script, but
// for the security key, which has no other way. No picture, name or colour is
// Microsoft's: each page says that it is a local partner cloud's.
package pages
