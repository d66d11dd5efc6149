package signon

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// A partner's people appear in a customer's logs as technicians of the partner: their
// object id makes the name, the person is looked up in the partner's directory
// (contracts-2026-11.md section 3.1).

// TechnicianName is the display name of everybody who works for a partner.
func TechnicianName(partner *world.Tenant) string { return partner.Name + " Technician" }

// TechnicianUPN is the user name of a partner's user in a customer's logs.
func TechnicianUPN(userID string, customer *world.Tenant) string {
	return "user_" + strings.ToLower(strings.ReplaceAll(userID, "-", "")) + "@" + customer.Domain()
}

// Technician gives the row of a partner's user the names that a customer sees.
func Technician(row *world.SignIn, partner, customer *world.Tenant) {
	row.UserDisplayName = TechnicianName(partner)
	row.UserPrincipalName = TechnicianUPN(row.UserID, customer)
	row.SignInIdentifier = row.UserPrincipalName
}
