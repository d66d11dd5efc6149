// Package revoke keeps who may not come in any more: users, sessions, apps, tokens.
package revoke
