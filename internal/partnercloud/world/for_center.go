package world

import (
	"iter"
	"slices"
	"time"
)

// RequestsFor is how long a request to Partner Center is remembered: what the
// MFA adoption reports cover (contracts.md section 2.4).
const RequestsFor = 7 * 24 * time.Hour

// maxRequests bounds the live requests that are kept; slackRequests is how many
// more may come before the oldest are let go, so that one call does not copy all.
const (
	maxRequests   = 20_000
	slackRequests = 2_000
)

// LogRequest appends a request to Partner Center, portal or API, to a tenant's,
// fills in what it lacks of id and moment, and lets go what is too old or too
// much. The row is immutable from then on.
func (s *State) LogRequest(t *Tenant, r *PartnerRequest) {
	now := s.Clock.Now()
	if r.ID == "" {
		r.ID = NewGUID()
	}
	if r.At.IsZero() {
		r.At = now
	}
	t.Requests = append(t.Requests, r)
	if len(t.Requests) >= maxRequests+slackRequests {
		keep := t.Requests[len(t.Requests)-maxRequests:]
		for len(keep) > 0 && now.Sub(keep[0].At) > RequestsFor {
			keep = keep[1:]
		}
		t.Requests = slices.Clone(keep)
	}
	s.dirty = true
}

// NewestRequests yields the requests of a tenant since a moment, newest first:
// the live rows, then the generated days. Stop early: a day is made only when it
// is reached.
func (s *State) NewestRequests(t *Tenant, from time.Time) iter.Seq[*PartnerRequest] {
	return func(yield func(*PartnerRequest) bool) {
		give := func(rows []*PartnerRequest) bool {
			for _, r := range slices.Backward(rows) {
				if !r.At.Before(from) && !yield(r) {
					return false
				}
			}
			return true
		}
		if !give(t.Requests) || s.History == nil {
			return
		}
		first := s.History.First()
		if from.After(first) {
			first = from
		}
		first = first.UTC().Truncate(24 * time.Hour)
		for day := s.Created.UTC().Truncate(24 * time.Hour); !day.Before(first); day = day.Add(-24 * time.Hour) {
			if !give(s.History.Requests(s, t, day)) {
				return
			}
		}
	}
}

// RaiseAlert puts a fraud alert into the partner tenant and the audit record
// from which its webhook follows (contracts.md sections 2.6, 2.7, 2.9).
func (s *State) RaiseAlert(a *Alert) {
	p := s.PartnerTenant()
	p.Alerts.Put(a)
	name := ""
	if c := p.Customers.Get(a.Customer); c != nil {
		name = c.Name
	}
	s.Record(&AuditRecord{
		Customer: a.Customer, CustomerName: name, ResourceType: "subscription", Operation: "azure_fraud_event_detected",
		Data: []KeyValue{{Key: "SubscriptionId", Value: a.Subscription}, {Key: "EventId", Value: a.EventID}},
	})
}
