// Package watch owns what is to be looked at by itself of a partner's delegation: ends of
// relationships, roads to Global Administrator, unused roles, DAP and inactive DAP, people who
// left, new rights in Azure, and consents that grew; and the calendar of the ends. It finds;
// telling is for others. It is pure: it reads no clock, does no I/O, and changes nothing.
//
// What was not read is not well: where a list is not whole a finding says so, with the one
// request that settles it.
//
// Followed: contracts.md section 8.2, contracts-2026-11.md section 3.3; calendars RFC 5545.
package watch
