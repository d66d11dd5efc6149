package facts

import (
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
)

// Two exports of one thing may differ. What is kept must not depend on which
// file came first: the newer where the records say so, else what speaks against
// the partner, so that no verdict improves by the order of files.

// addAlert keeps the earliest answer that one of the copies shows.
func (f *Facts) addAlert(id string, a partner.Alert, src evidence.Source) {
	k := key(id, "", src)
	old, twice := f.Alerts[k]
	if twice {
		if open(old.Status) && !open(a.Status) || a.Answered.Set && (!old.Answered.Set || a.Answered.Before(old.Answered.Time)) {
			old, a = a, old
		}
		if a.Detected.Set && (!old.Detected.Set || a.Detected.Before(old.Detected.Time)) {
			old.Detected = a.Detected
		}
		old.Test = old.Test && a.Test
		a = old
	}
	f.Alerts[k] = a
}

func open(status string) bool { return status == "" || status == "active" }

// addAdoption keeps the copy of an app's day that counts more requests, since a
// day may have been exported before it was over. Days that cannot be read stay
// apart by what is written.
func (f *Facts) addAdoption(a *partner.Adoption) {
	day := a.LoginDate.Format(time.DateOnly)
	if !a.LoginDate.Set {
		day = "at:" + a.LoginDate.Raw + a.Source.String()
	}
	k := strings.ToLower(a.ApplicationID) + "|" + day
	if old := f.Adoption[k]; old != nil && old.Total.Set && old.Compliant.Set {
		switch {
		case !a.Total.Set, !a.Compliant.Set, a.Total.Value < old.Total.Value,
			a.Total.Value == old.Total.Value && a.Compliant.Value >= old.Compliant.Value:
			return
		}
	}
	f.Adoption[k] = a
}

// addRelationship keeps the copy modified last. Where that is not known, the
// roles of both count, and one of them active is active.
func (f *Facts) addRelationship(r *partner.Relationship) {
	k := key(r.ID, r.DisplayName, r.Source)
	old := f.Relationships[k]
	switch {
	case old == nil:
	case old.Modified.Set && r.Modified.Set && !old.Modified.Equal(r.Modified.Time):
		if old.Modified.After(r.Modified.Time) {
			return
		}
	default:
		never := time.Unix(0, 0)
		if old.Active(never) && !r.Active(never) {
			old, r = r, old
		}
		if !sameRoles(old.AccessDetails.Roles(), r.AccessDetails.Roles()) {
			r.AccessDetails.UnifiedRoles.Items = append(r.AccessDetails.UnifiedRoles.Items, old.AccessDetails.UnifiedRoles.Items...)
		}
		if old.EndDateTime.After(r.EndDateTime.Time) {
			r.EndDateTime = old.EndDateTime
		}
	}
	f.Relationships[k] = r
}

func sameRoles(a, b []string) bool {
	has := map[string]bool{}
	for _, id := range a {
		has[id] = true
	}
	for _, id := range b {
		if !has[id] {
			return false
		}
		delete(has, id)
	}
	return len(has) == 0
}

// addCustomer keeps what is known of DAP: a customers list does not carry
// allowDelegatedAccess, a single customer does. Customers carry no date, so
// where two say different things it is not known.
func (f *Facts) addCustomer(c *partner.Customer) {
	k := key(c.ID, c.CompanyProfile.TenantID, c.Source)
	if old := f.Customers[k]; old != nil {
		was, is := old.AllowDelegatedAccess, c.AllowDelegatedAccess
		c.Disputed = old.Disputed || was.Set && is.Set && was.Value != is.Value
		if !is.Set {
			c.AllowDelegatedAccess, c.Source = was, old.Source
		}
	}
	if c.Disputed {
		c.AllowDelegatedAccess = lenient.Bool{}
	}
	f.Customers[k] = c
}

// addRequirement keeps the newer copy; of two of one time, the one that does not
// say compliant.
func (f *Facts) addRequirement(r *partner.ScoreRequirement) {
	k := strings.ToLower(string(r.Type))
	if old := f.Requirements[k]; old != nil {
		if good, _ := old.Compliant(); old.Updated.After(r.Updated.Time) || old.Updated.Equal(r.Updated.Time) && !good {
			return
		}
	}
	f.Requirements[k] = r
}
