// Package consent plans and applies the consent of the app at each customer:
// what is granted there, what is missing, what has drifted, and the way to mend
// it (contracts.md section 2.5).
//
// What is granted is observed, never assumed: an exchange in the customer's
// tenant gives a token, and its scopes are what there is. That nobody consented
// and that the customer never used a service are answers too; everything else
// is unknown, and where anything is unknown nothing is removed.
//
// A consent is never topped up by granting again: what lacks a permission is
// removed and granted anew. The removal takes every permission of the app at
// that customer, also on resources that are not named here. Between both the
// app has no access there; an intent in the database, written before the
// removal and ended when the new grant was seen, lets the next run tell of a
// crash in between and heal it. What was begun is not cut short by a request to
// stop.
//
// A dry run is the default. Each change is verified by a fresh token and stands
// in the audit trail.
package consent
