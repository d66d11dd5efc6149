// Package entra holds what is Microsoft's and fixed: the well-known directory
// roles, apps, resources and other ids, the hosts of each national cloud, and
// the AADSTS codes. One table each; every row says where it is from. Nothing
// else in the product writes such an id, host or number (internal/arch).
//
// It decides nothing. What a code proves of a sign-in is the judge's, how the
// partner cloud behaves is its own: both find names here, and tests compare
// what the two believe. A column that only one side reads says so.
//
// It is pure: no I/O, no clock. All tables are read-only and safe to share.
package entra
