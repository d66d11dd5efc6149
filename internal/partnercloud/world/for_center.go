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
func (s *State) RaiseAlert(a *Alert) { s.RaiseAlertAt(a, s.Clock.Now()) }

// RaiseAlertAt is RaiseAlert at a moment that has come. An alert that is there already is
// changed, and told of once more.
func (s *State) RaiseAlertAt(a *Alert, at time.Time) {
	p := s.PartnerTenant()
	p.Alerts.Put(a)
	name := ""
	if c := p.Customers.Get(a.Customer); c != nil {
		name = c.Name
	}
	s.Record(&AuditRecord{
		At: at, Customer: a.Customer, CustomerName: name, ResourceType: "subscription", Operation: "azure_fraud_event_detected",
		Data: []KeyValue{{Key: "SubscriptionId", Value: a.Subscription}, {Key: "EventId", Value: a.EventID}},
	})
}

// LegacyAlertType gives the name an alert type had before 15 May 2024 (contracts.md
// section 7.4; which former one belongs to which is general knowledge).
func LegacyAlertType(kind string) (string, bool) {
	m := alertNames()
	for i := 0; i < len(m); i += 2 {
		if m[i] == kind {
			return m[i+1], true
		}
	}
	return "", false
}

// AlertTypes are the known alert types.
func AlertTypes() (out []string) {
	m := alertNames()
	for i := 0; i < len(m); i += 2 {
		out = append(out, m[i])
	}
	return out
}

// alertNames are type and former type by turns.
func alertNames() []string {
	return []string{
		"CryptoMining", "networkConnectionsToCryptoMiningPools",
		"ARM_AnomalousResourceConsumption", "usageAnomalyDetection",
		"ARM_SuspiciousOperations", "usageAnomalyDetection",
		"VM_AnomalousDeployment", "virtualMachineDeploymentAnomaly",
		"AzureBatch_AnomalousDeployment", "multiRegionVirtualMachineScaleSetDeploymentAnomaly",
		"AzureContainerInstances_AnomalousDeployment", "multiRegionVirtualMachineScaleSetDeploymentAnomaly",
		"AzureMachineLearning_AnomalousDeployment", "multiRegionMachineLearningUsageAnomaly",
	}
}
