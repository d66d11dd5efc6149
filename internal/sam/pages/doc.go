// Package pages owns the console's pages of connections: the forecast of each one's
// death and the setting that kills it, renewals, the proof of MFA, the ends of the apps'
// credentials, and what a person may do: have one renewed, heal it by a sign-in, accept
// one that is held back, or end it. What is done it hands to whoever it was given;
// nothing here sees a token.
package pages
