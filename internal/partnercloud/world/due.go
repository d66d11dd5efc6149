package world

import (
	"slices"
	"time"
)

// comeDue plays stories, and writes down what became of the partner's delegated admin
// relationships by the mere passing of time, each once, with the Partner Center audit record
// that its webhook follows from (contracts.md sections 2.6, 2.7, 3.11). It is
// called with every change of the world, and before whatever comes after the next
// moment at which something is due: until then it does nothing.
func (s *State) comeDue() {
	p := s.PartnerTenant()
	if p == nil {
		return
	}
	now := s.Clock.Now()
	if s.due.known && s.due.version == p.version && now.Before(s.due.at) {
		return
	}
	today := now.UTC().Truncate(24 * time.Hour)
	s.due.known, s.due.version, s.due.at = true, p.version, today.Add(24*time.Hour) // terms end with a day
	if s.Settle != nil && !s.due.settled.Equal(today) {
		s.due.settled = today
		s.Settle(now)
	}
	s.storiesDue(now)
	for _, r := range p.Relationships.List() {
		s.relationshipDue(p, r, now)
	}
	s.membershipsDue(p, now)
}

// soon notes a moment at which to look again.
func (s *State) soon(at time.Time) {
	if at.Before(s.due.at) {
		s.due.at = at
	}
}

func (s *State) relationshipDue(p *Tenant, r *Relationship, now time.Time) {
	next := *r
	changed := false
	became := func(status, operation string, at time.Time) {
		changed = true
		next.Status, next.Due = status, time.Time{}
		s.RecordGDAP(&AuditRecord{ResourceType: "granular_admin_relationship", Operation: operation, At: at}, r, "")
	}
	switch next.Status {
	case "approved", "activating":
		if due := next.Due; !due.IsZero() && now.Before(due) {
			s.soon(due)
		} else if !due.IsZero() {
			became("active", "granular_admin_relationship_activated", due)
		}
	case "terminationRequested", "terminating":
		if due := next.Due; !due.IsZero() && now.Before(due) {
			s.soon(due)
		} else if !due.IsZero() {
			became("terminated", "granular_admin_relationship_terminated", due)
		}
	}
	if next.Status == "active" {
		if end := next.EndAt(now); !end.IsZero() && now.Before(end) {
			s.soon(end)
		} else if !end.IsZero() {
			became("expired", "granular_admin_relationship_expired", end)
		}
	}
	for i := range next.Assignments {
		a := &next.Assignments[i]
		if a.Status != "pending" || a.Due.IsZero() || a.Fails {
			continue
		}
		if now.Before(a.Due) {
			s.soon(a.Due)
			continue
		}
		s.RecordGDAP(&AuditRecord{ResourceType: "granular_admin_access_assignment", Operation: "granular_admin_access_assignment_activated", At: a.Due}, r,
			a.ID)
		changed = true
		list := slices.Clone(next.Assignments)
		list[i].Status, list[i].Due = "active", time.Time{}
		next.Assignments = list
	}
	if changed {
		p.Relationships.Put(&next)
	}
}

// RecordGDAP appends an audit record about a relationship, or one of its access
// assignments, and its customer.
func (s *State) RecordGDAP(rec *AuditRecord, r *Relationship, assignment string) {
	rec.Customer, rec.CustomerName = r.Customer, r.CustomerName
	rec.Data = append(rec.Data, KeyValue{Key: "RelationshipId", Value: r.ID})
	if assignment != "" {
		rec.Data = append(rec.Data, KeyValue{Key: "AccessAssignmentId", Value: assignment})
	}
	s.Record(rec)
}
