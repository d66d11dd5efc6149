//go:build !judge

package move

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/print"
)

// OfferLife is how long a customer has to approve a relationship that was offered.
const OfferLife = 90 * 24 * time.Hour

// Invitation is what a customer's administrator gets: a link, and what it means.
type Invitation struct {
	Customer     string    `json:"customerTenantId"`
	Name         string    `json:"name"`
	Relationship string    `json:"relationshipId"`
	Title        string    `json:"displayName"`
	Link         string    `json:"link"`
	Offered      time.Time `json:"offered"`
	Ends         time.Time `json:"ends"` // the offer lapses
	Reminder     int       `json:"reminder"`
	Subject      string    `json:"subject"`
	Text         string    `json:"text"`
}

// admin is Microsoft's admin center.
const admin = "https://" + entra.M365AdminHost

// link is where a customer's administrator approves a relationship (contracts.md section
// 3.11).
func link(base, relationship string) string {
	if base == "" {
		base = admin
	}
	return strings.TrimSuffix(base, "/") + "/AdminPortal/Home#/partners/invitation/granularAdminRelationships/" + url.PathEscape(relationship)
}

// invitation makes the words for a customer. Names come from others: each is cleaned, and
// what goes into a subject is short.
func invitation(base string, c *Customer, p *Progress, partner string) Invitation {
	i := Invitation{Customer: c.Tenant, Name: print.Clean(c.Name, print.MaxName), Relationship: p.Relationship, Title: p.Name,
		Link: link(base, p.Relationship), Offered: p.Offered, Ends: p.Offered.Add(OfferLife), Reminder: p.Reminded}
	i.Subject = "Please approve: less access for your partner"
	if partner = print.Clean(partner, 60); partner != "" {
		i.Subject = "Please approve: less access for " + partner
	}
	if p.Reminded > 0 {
		i.Subject = "Reminder: " + i.Subject
	}
	var b strings.Builder
	who := "we"
	fmt.Fprintf(&b, "To the administrator of %s\n\n", i.Name)
	fmt.Fprintf(&b, "Today %s can administer your Microsoft tenant with more rights than the work needs. Please approve the smaller set below;\n"+
		"what is there today is ended after that.\n\n", who)
	fmt.Fprintf(&b, "1. Sign in here as an administrator of your tenant %s:\n   %s\n", c.Tenant, i.Link)
	fmt.Fprintf(&b, "2. Compare the name (%s) and the roles with this message.\n3. Choose Approve.\n\n", i.Title)
	b.WriteString("The role Customer Delegated Admin Relationship Administrator is enough for this. No Global Administrator is needed.\n\n")
	if c.Relationship != nil {
		b.WriteString("Roles that are asked for:\n")
		names := make([]string, 0, len(c.Relationship.Roles))
		for _, r := range c.Relationship.Roles {
			names = append(names, roleName(r))
		}
		slices.Sort(names) // as the customer's page is compared with it
		for _, name := range names {
			fmt.Fprintf(&b, "- %s\n", name)
		}
		fmt.Fprintf(&b, "\nFor: %s.", lasts(c.Relationship))
	}
	fmt.Fprintf(&b, " The offer lapses on %s.\n", i.Ends.UTC().Format(time.DateOnly))
	b.WriteString("You can end the relationship at any time in the Microsoft 365 admin center, under Settings > Partner relationships.\n")
	i.Text = b.String()
	return i
}

// lasts says in words how long a relationship lasts.
func lasts(r *Relationship) string {
	text := strings.TrimSuffix(strings.TrimPrefix(r.Duration, "P"), "D") + " days"
	if r.AutoExtend != "" {
		return text + ", then extended by 180 days each time, until one of us ends it"
	}
	return text
}

// roleName is a role as people know it.
func roleName(id string) string {
	if r, ok := entra.FindRole(id); ok {
		return r.Name
	}
	return id
}
