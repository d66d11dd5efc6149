package practice

import (
	"fmt"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// Ids of Azure's own, the same everywhere (Azure built-in roles; Azure Policy, "Allowed
// locations").
const (
	azureOwner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	allowedLocations = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
)

// everywhere are the partner's facts and those of each customer that was read.
func (j *judge) everywhere() []*facts.Facts {
	all := []*facts.Facts{j.Facts}
	for i := range j.customers {
		if c := j.customers[i].own; c != nil && c.Facts != nil {
			all = append(all, c.Facts)
		}
	}
	return all
}

// withAzure are the customers that are known to have Azure.
func (j *judge) withAzure() map[string]bool {
	out := map[string]bool{}
	for t := range j.Usage {
		out[t] = true
	}
	for _, b := range j.Bought {
		if t := b.Customer(); t != "" && b.Azure() {
			out[t] = true
		}
	}
	return out
}

// azureOwners looks for groups of the partner that own subscriptions of customers.
func (j *judge) azureOwners() ruling {
	var owners, others []assess.Evidence
	read := 0
	for _, f := range j.everywhere() {
		if f.Extent(evidence.AzureRoleAssignment) != evidence.Absent {
			read++
		}
		for _, r := range sorted(f.AzureRoles) {
			if !strings.EqualFold(string(r.Properties.PrincipalType), "ForeignGroup") {
				continue
			}
			e := assess.Evidence{Subject: r.Properties.Scope, RecordID: r.ID, Source: r.Source,
				Detail: "the group " + r.Properties.Principal + " of another tenant holds a role there"}
			if strings.HasSuffix(strings.ToLower(r.Properties.Role), azureOwner) {
				e.Detail = "the group " + r.Properties.Principal + " of another tenant is Owner there"
				owners = append(owners, e)
			} else {
				others = append(others, e)
			}
		}
	}
	n := len(owners) + len(others)
	azure := j.withAzure()
	var unread []assess.Evidence
	for i := range j.customers {
		c := &j.customers[i]
		if azure[c.tenant] && (c.own == nil || c.own.Facts.Extent(evidence.AzureRoleAssignment) != evidence.Entire) {
			unread = append(unread, assess.Evidence{Subject: c.name, RecordID: c.tenant, Source: c.source,
				Detail: "has Azure, and who holds rights there was not read, or not all of it"})
		}
	}
	settle := evidence.ReadingOf(evidence.AzureRoleAssignment)
	switch {
	case len(owners) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(owners), Total: n, Evidence: owners,
			Reason: fmt.Sprintf("%s Owner for good through a group of the partner's", count(len(owners), "subscription has an", "subscriptions have an")),
			Action: "give the group a narrower role (Contributor, Support Request Contributor), or make Owner something that is activated"}
	case len(unread) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: unread, Action: settle + ", in the tenant of " + unread[0].Subject,
			Reason: fmt.Sprintf("who holds rights in the Azure of %s was not read", count(len(unread), "customer", "customers"))}
	case len(others) == 0 && j.Whole(evidence.CustomerUsage) && len(azure) == 0:
		return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.CustomerUsage}, Reason: "no customer has Azure that is paid by use"}
	case read == 0 || len(azure) == 0:
		return ruling{Verdict: assess.Unknown, Total: n, Action: settle, Evidence: others,
			Reason: "which customers have Azure, and who holds rights there, was not read"}
	}
	return ruling{Verdict: assess.Met, Total: n, Evidence: others, Relies: []evidence.Kind{evidence.CustomerUsage},
		Reason: fmt.Sprintf("no group of the partner's is Owner; %s known", count(len(others), "other assignment is", "other assignments are"))}
}

// subscription is one of Azure's, with the facts that it was read with.
type subscription struct {
	id, name string
	f        *facts.Facts
	source   evidence.Source
}

// subscriptions are all that were read; lack says why there may be more.
func (j *judge) subscriptions() (out []subscription, lack *ruling) {
	for _, f := range j.everywhere() {
		for _, s := range sorted(f.Subscriptions) {
			out = append(out, subscription{strings.ToLower(s.ID), nonEmpty(string(s.Name), s.ID), f, s.Source})
		}
	}
	azure := j.withAzure()
	for i := range j.customers {
		c := &j.customers[i]
		if azure[c.tenant] && (c.own == nil || c.own.Facts.Extent(evidence.AzureSubscription) != evidence.Entire) {
			return out, &ruling{Verdict: assess.Unknown, Reason: "the subscriptions of " + c.name + " were not read, or not all of them",
				Action: inTenant(evidence.ReadingOf(evidence.AzureSubscription), c)}
		}
	}
	if len(out) == 0 && !(j.Whole(evidence.CustomerUsage) && len(azure) == 0) {
		return out, &ruling{Verdict: assess.Unknown, Reason: "no subscription of Azure was read", Action: evidence.ReadingOf(evidence.AzureSubscription)}
	}
	return out, nil
}

// eachSubscription asks of every subscription; has answers what is missing there, and the
// list that would show it where that was not read.
func (j *judge) eachSubscription(has func(s *subscription) (missing string, unread evidence.Kind), bad, good, act string) ruling {
	list, lack := j.subscriptions()
	var without, open []assess.Evidence
	settle := ""
	for i := range list {
		s := &list[i]
		e := assess.Evidence{Subject: s.name, RecordID: s.id, Source: s.source}
		missing, unread := has(s)
		switch {
		case unread != "":
			e.Detail = evidence.ListName(unread) + " was not read, or not all of it"
			open, settle = append(open, e), nonEmpty(settle, evidence.ReadingOf(unread))
		case missing != "":
			e.Detail = missing
			without = append(without, e)
		}
	}
	n := len(list)
	switch {
	case len(without) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(without), Total: n, Evidence: without, Action: act,
			Reason: fmt.Sprintf("%s of %d: %s", count(len(without), "subscription", "subscriptions"), n, bad)}
	case lack != nil:
		lack.Total = n
		return *lack
	case len(open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: open, Action: settle,
			Reason: fmt.Sprintf("of %s it is not known", count(len(open), "subscription", "subscriptions"))}
	case n == 0:
		return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.CustomerUsage}, Reason: "no customer has Azure that is paid by use"}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.CustomerUsage},
		Reason: fmt.Sprintf("all %s: %s", count(n, "subscription", "subscriptions"), good)}
}

// costAlerts asks of each subscription for an anomaly alert and one on the activity log.
func (j *judge) costAlerts() ruling {
	return j.eachSubscription(func(s *subscription) (string, evidence.Kind) {
		cost := finds(s, s.f.Beside.CostAlerts, func(t *facts.AzureThing) bool {
			return strings.EqualFold(string(t.Kind), "InsightAlert") && strings.EqualFold(string(t.Properties.Status), "Enabled")
		})
		log := finds(s, s.f.Beside.LogAlerts, func(t *facts.AzureThing) bool { return t.Properties.Enabled.True() })
		switch {
		case !cost && s.f.Extent(evidence.CostAlert) != evidence.Entire:
			return "", evidence.CostAlert
		case !log && s.f.Extent(evidence.ActivityAlert) != evidence.Entire:
			return "", evidence.ActivityAlert
		case !cost && !log:
			return "has neither a cost anomaly alert nor an alert on its activity log", ""
		case !cost:
			return "has no cost anomaly alert", ""
		case !log:
			return "has no alert on its activity log", ""
		}
		return "", ""
	}, "an alert is missing", "both alerts are set", "set an anomaly alert in Cost Management and an alert on the activity log in each")
}

// regions asks of each subscription whether unused regions are forbidden. How high its
// quota is no list shows that is read here, so it is never met.
func (j *judge) regions() ruling {
	ru := j.eachSubscription(func(s *subscription) (string, evidence.Kind) {
		is := func(t *facts.AzureThing) bool {
			return strings.HasSuffix(strings.ToLower(string(t.Properties.Definition)), allowedLocations) &&
				!strings.EqualFold(string(t.Properties.Enforce), "DoNotEnforce")
		}
		above := false // of a management group, which may hold the subscription
		for _, t := range s.f.Beside.Assigned {
			above = above || t.Subscription() == "" && is(t)
		}
		switch {
		case above || finds(s, s.f.Beside.Assigned, is):
			return "", ""
		case s.f.Extent(evidence.AzurePolicy) != evidence.Entire:
			return "", evidence.AzurePolicy
		}
		return "no policy forbids regions there", ""
	}, "every region is open", "unused regions are forbidden", "assign the policy Allowed locations to each, and ask for no more quota than is used")
	if ru.Verdict == assess.Met {
		return ruling{Verdict: assess.Unknown, Total: ru.Total, Reason: ru.Reason + "; how much quota there is was not read",
			Action: "GET /subscriptions/{id}/providers/Microsoft.Compute/locations/{location}/usages?api-version=2024-07-01 (Azure Resource Manager, Reader)"}
	}
	return ru
}

// finds says whether the subscription itself has such a thing.
func finds(s *subscription, all map[string]*facts.AzureThing, is func(*facts.AzureThing) bool) bool {
	for _, t := range all {
		if t.Subscription() == s.id && is(t) {
			return true
		}
	}
	return false
}
