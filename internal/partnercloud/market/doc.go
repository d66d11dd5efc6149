// Package market holds what the partner cloud's Partner Center sells, and where:
// products with their SKUs and availabilities, terms and billing cycles, the legacy
// offers' view of them, Azure's meters, countries and currencies.
//
// Names, product types and most product ids are Microsoft's (read on its pages, or
// known); the rest of the ids, every price, every meter's rate and every exchange
// rate is invented, and stays the same. What is sold says so in its description.
//
// It is pure: tables, no state, no clock. All tables are read-only and safe to share.
package market
