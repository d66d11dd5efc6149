package provider

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Status is how the provider is.
type Status struct {
	Issuer        string    `json:"issuer"` // "" where there is no public address
	Discovery     string    `json:"discoveryUrl"`
	Authorization string    `json:"redirectUri"`
	Cloud         string    `json:"cloud"`
	Keys          []KeyNow  `json:"keys"`
	Tenants       []Tenant  `json:"tenants"`
	Counts        []Count   `json:"counts"` // of the days asked for, the newest first
	Entra         EntraKeys `json:"entraKeys"`
}

// KeyNow is a published key and how long it is what it is.
type KeyNow struct {
	Key
	AgeDays float64   `json:"ageDays"`
	Turns   time.Time `json:"turns,omitzero"` // when the next thing happens to it by itself
}

// Status says how the provider is; counts are of the last days.
func (p *Provider) Status(ctx context.Context, days int) (s Status, err error) {
	s = Status{Issuer: p.Issuer(), Discovery: p.Discovery(), Authorization: p.Authorization(), Cloud: p.d.Cloud.Name, Keys: []KeyNow{}, Entra: p.entra.tell()}
	list, err := p.Keys(ctx)
	if err != nil {
		return s, err
	}
	now := p.d.Now()
	for i := range list {
		k := list[i]
		if k.State == Withdrawn {
			continue
		}
		n := KeyNow{Key: k, AgeDays: float64(now.Sub(k.Made)/time.Hour) / 24}
		switch k.State {
		case Signing:
			n.Turns = k.Signs.Add(p.d.Config.KeyLife)
		case Next:
			n.Turns = k.Made.Add(signsOn)
		case Old:
			n.Turns = k.Ended.Add(keptOld)
		}
		s.Keys = append(s.Keys, n)
	}
	if s.Tenants, err = p.Tenants(ctx); err != nil {
		return s, err
	}
	s.Counts, err = p.readCounts(ctx, now.UTC().AddDate(0, 0, -days).Format(time.DateOnly))
	return s, err
}

// Metrics adds what was asked and refused today, and how old Entra ID's keys are.
func (p *Provider) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_mfa_requests_today", "Requests of External MFA since midnight UTC, by what became of them.", "what",
		func(ctx context.Context) (map[string]float64, error) {
			list, err := p.readCounts(ctx, p.d.Now().UTC().Format(time.DateOnly))
			n := map[string]float64{}
			for _, c := range list {
				n[c.What] += float64(c.N)
			}
			return n, err
		})
	observe.Gauge(reg, "partnerguard_mfa_entra_keys_age_seconds", "How long ago Entra ID's keys were read by this process.", "",
		func(context.Context) (map[string]float64, error) {
			if k := p.entra.tell(); !k.Read.IsZero() {
				return map[string]float64{"": p.d.Now().Sub(k.Read).Seconds()}, nil
			}
			return nil, nil
		})
}

// Ready says that requests can be answered: nobody is asked where no tenant is served.
func (p *Provider) Ready(ctx context.Context) error {
	if p.Issuer() == "" {
		return nil
	}
	_, err := p.readKeys(ctx)
	return err
}
