package app

import (
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/facts"
)

// Delegated is what is known of customers' logs when the partner is judged: nil parts were not read.
type Delegated struct {
	Use       map[string]*use.Part // by the customer's tenant, lower case
	Recommend *recommend.Result
}

// delegationFeed is what the rule book takes of delegated rights.
func delegationFeed(f *facts.Facts, asOf time.Time, known *Delegated) *assess.Delegation {
	inv := delegation.Build(f, asOf)
	out := &assess.Delegation{Rests: map[string]assess.Rest{}}
	for i := range inv.Customers {
		c := &inv.Customers[i]
		if c.DAP == delegation.Unknown {
			if e, is := unlisted(c); is {
				out.Unlisted = append(out.Unlisted, e)
			}
		}
		if c.DAP == delegation.Yes && known != nil {
			rests, ask := watch.Rests(known.Use[c.Tenant], asOf)
			out.Rests[c.Tenant] = assess.Rest{Known: rests != delegation.Unknown, Rests: rests == delegation.Yes, Settle: ask}
		}
	}
	if known == nil || known.Recommend == nil {
		return out
	}
	out.Items = len(known.Recommend.Items)
	for _, x := range watch.Find(watch.Input{Inventory: inv, Recommend: known.Recommend, AsOf: asOf}) {
		if x.Kind == watch.Unused {
			out.Unused = append(out.Unused, assess.Evidence{Subject: x.Where, Detail: x.What, RecordID: x.Relationship})
		}
	}
	return out
}

// unlisted is a customer with an active relationship of which nothing says whether DAP is in place,
// because Partner Center's list does not have it.
func unlisted(c *delegation.Customer) (e assess.Evidence, is bool) {
	for _, list := range c.Listed {
		if list == "customers" {
			return e, false // what its record lacks the facts say themselves
		}
	}
	for i := range c.Relationships {
		if r := &c.Relationships[i]; r.Active {
			return assess.Evidence{Subject: c.Name, RecordID: r.ID,
				Detail: "has the active relationship " + r.Name + ", and is not in the list of customers"}, true
		}
	}
	return e, false
}
