// Package pages has the console's pages of the gateway: how ready each route is to be
// enforced, who would be refused and why, one caller, exceptions, revocations, and the keys
// of the authorities.
//
// It reads what it is given and changes nothing but revocations, by the right to manage. It
// shows names of accounts, so that whoever sees it may see people.
package pages
