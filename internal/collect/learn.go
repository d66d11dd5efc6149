//go:build !judge

package collect

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
)

// maxNamed bounds the groups that are looked into one by one.
const maxNamed = 50_000

// learn takes from an answer what later readings need: which groups policies and
// roles name, which groups lie in them, and who the customers are. What cannot be
// read is nothing to learn from; whoever judges says so.
func (r *round) learn(res evidence.Resource, a *msapi.Answer) {
	if a.Status != 200 {
		return
	}
	switch res.Kind {
	case evidence.ConditionalAccessPolicy:
		var in struct {
			Value []struct {
				Conditions struct {
					Users struct {
						Include []string `json:"includeGroups"`
						Exclude []string `json:"excludeGroups"`
					} `json:"users"`
				} `json:"conditions"`
			} `json:"value"`
		}
		if json.Unmarshal(a.Body, &in) == nil {
			for _, p := range in.Value {
				r.name(p.Conditions.Users.Include...)
				r.name(p.Conditions.Users.Exclude...)
			}
		}
	case evidence.RoleAssignment, evidence.RoleEligibility:
		var in struct {
			Value []struct {
				ID        string  `json:"principalId"`
				Principal *kindOf `json:"principal"`
			} `json:"value"`
		}
		if json.Unmarshal(a.Body, &in) == nil {
			for _, x := range in.Value {
				if x.Principal == nil || x.Principal.group() {
					r.name(x.ID)
				}
			}
		}
	case evidence.Group:
		var in struct {
			Value []kindOf `json:"value"`
		}
		if json.Unmarshal(a.Body, &in) != nil {
			return
		}
		for _, x := range in.Value {
			if a.Of == "" {
				r.listed[strings.ToLower(x.ID)] = true
				if r.t.Partner && agents[x.Name] {
					r.name(x.ID)
				}
			} else if x.group() {
				r.name(x.ID)
			}
		}
	case evidence.User:
		var in struct {
			Value []struct{} `json:"value"`
		}
		if json.Unmarshal(a.Body, &in) == nil {
			n, anew := len(in.Value), a.Number == 0 && r.cursor(res).delta == ""
			if anew {
				r.t.accounts = 0
			}
			r.t.accounts += n
			r.ops = append(r.ops, func(ctx context.Context) error { return r.c.addAccounts(ctx, r.t.ID, n, anew) })
		}
	case evidence.Customer:
		r.customer(a)
	}
}

// fewAccounts is up to how many accounts a month of a tenant's log is asked for in
// one go: the limit on requests is what makes a long reading of a small one long.
const fewAccounts = 1000

// wide is how wide the slices of a log may be; 0 is as the table says.
func (r *round) wide(res evidence.Resource) time.Duration {
	if res.Way != evidence.Sliced || r.t.accounts == 0 || r.t.accounts > fewAccounts {
		return 0
	}
	return res.Back
}

type kindOf struct {
	Type string `json:"@odata.type"`
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

// agents are the groups of a partner that DAP acts by.
var agents = map[string]bool{"AdminAgents": true, "HelpdeskAgents": true}

func (k kindOf) group() bool { return strings.EqualFold(k.Type, "#microsoft.graph.group") }

// name counts groups as named. An id that is no group's is in no list of groups.
func (r *round) name(ids ...string) {
	for _, id := range ids {
		if len(id) == 36 && len(r.groups) < maxNamed {
			r.groups[strings.ToLower(id)] = true
		}
	}
}

// customer takes a page of customers, or one of them.
func (r *round) customer(a *msapi.Answer) {
	type one struct {
		ID      string `json:"id"`
		Allow   *bool  `json:"allowDelegatedAccess"`
		Profile struct {
			Tenant string `json:"tenantId"`
			Domain string `json:"domain"`
			Name   string `json:"companyName"`
		} `json:"companyProfile"`
	}
	var in struct {
		one
		Items []one `json:"items"`
	}
	if json.Unmarshal(a.Body, &in) != nil {
		return
	}
	if a.Of != "" {
		in.Items = []one{in.one}
	}
	for _, x := range in.Items {
		t := Tenant{ID: strings.ToLower(x.Profile.Tenant), Domain: clip(x.Profile.Domain), Name: clip(x.Profile.Name)}
		if t.ID == "" {
			t.ID = strings.ToLower(x.ID)
		}
		if len(t.ID) != 36 || t.ID == r.t.ID {
			continue
		}
		if x.Allow != nil && *x.Allow {
			t.Risk = 2 // whoever may act for the partner may act there, with all rights
		}
		r.customers = append(r.customers, t)
	}
}

func clip(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// learned takes over who the customers are, once their list was read; whole says that
// these are all.
func (r *round) learned(whole bool) {
	if len(r.customers) == 0 {
		return
	}
	byID := map[string]Tenant{}
	for _, t := range r.customers {
		t.Risk = max(t.Risk, byID[t.ID].Risk)
		byID[t.ID] = t
	}
	var list []Tenant
	for _, t := range byID {
		list = append(list, t)
	}
	r.ops = append(r.ops, func(ctx context.Context) error { return r.c.Known(ctx, list, whole) })
}
