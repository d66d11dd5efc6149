// Package watch owns what is to be looked at by itself of a partner's delegation: ends of
// relationships, roads to Global Administrator, unused roles, inactive DAP, people who left,
// new rights in Azure, and consents that grew. It finds; telling is for others.
package watch
