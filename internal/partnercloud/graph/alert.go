package graph

import (
	"net/http"
	"slices"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const (
	alertsPath = "security/partner/securityAlerts"
	alertType  = "partner.security.partnerSecurityAlert"
)

// newAlertShape shows the partner security alerts (contracts.md section 3.13).
func newAlertShape() *shape {
	type a = *world.Alert
	opt := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	sh := newShape(alertType, func(x any) string { return x.(a).ID },
		f("id", func(x a) any { return x.ID }),
		f("displayName", func(x a) any { return x.Name }),
		f("description", func(x a) any { return opt(x.Description) }),
		f("alertType", func(x a) any { return x.Type }),
		f("severity", func(x a) any { return x.Severity }),
		f("confidenceLevel", func(x a) any { return x.Confidence }),
		f("status", func(x a) any { return x.Status }),
		f("resolvedReason", func(x a) any { return opt(x.Reason) }),
		f("resolvedBy", func(x a) any { return opt(x.ResolvedBy) }),
		f("resolvedOnDateTime", func(x a) any { return x.ResolvedOn }),
		f("detectedDateTime", func(x a) any { return x.Detected }),
		f("firstObservedDateTime", func(x a) any { return x.First }),
		f("lastObservedDateTime", func(x a) any { return x.Last }),
		f("customerTenantId", func(x a) any { return x.Customer }),
		f("subscriptionId", func(x a) any { return x.Subscription }),
		f("valueAddedResellerTenantId", func(x a) any { return opt(x.Reseller) }),
		f("catalogOfferId", func(x a) any { return opt(x.Offer) }),
		f("isTest", func(x a) any { return x.Test }),
		f("affectedResources", func(x a) any {
			out := []object{}
			for _, r := range x.Resources {
				out = append(out, object{{"resourceId", r.ID}, {"resourceType", r.Type}})
			}
			return out
		}),
		f("activityLogs", func(x a) any {
			out := []object{}
			for _, l := range x.Activity {
				out = append(out, object{{"statusFrom", l.From}, {"statusTo", l.To}, {"updatedBy", l.By}, {"updatedDateTime", l.At}})
			}
			return out
		}),
		f("additionalDetails", func(x a) any {
			names := make([]string, 0, len(x.Details))
			for k := range x.Details {
				names = append(names, k)
			}
			slices.Sort(names)
			out := object{}
			for _, k := range names {
				out = append(out, member{k, x.Details[k]})
			}
			return out
		}),
	)
	sh.kind = func(any) string { return alertType }
	return sh
}

func alerts(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, alertsPath, c.g.sh.alert, rows(&t.Alerts))
}

func changeAlert(c *call, s *world.State, t *world.Tenant, x *world.Alert) (*reply, error) {
	if err := (fields{"status": enum("active investigating resolved").need(), "resolvedReason": enum("legitimate ignore fraud")}).check("", c.in); err != nil {
		return nil, err
	}
	to, reason := str(c.in, "status"), str(c.in, "resolvedReason")
	if to == "" {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "The status is required.")
	}
	if (to == "resolved") != (reason != "") {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "A resolvedReason goes with the status resolved, and only with it.")
	}
	by := c.caller.UPN
	if by == "" {
		by = c.caller.Client()
	}
	old := *x
	t.Alerts.Change(x.ID, func(x *world.Alert) {
		x.Activity = append(slices.Clone(x.Activity), world.AlertActivity{From: old.Status, To: to, By: by, At: c.now})
		x.Status, x.Reason = to, reason
		x.ResolvedBy, x.ResolvedOn = "", time.Time{}
		if to == "resolved" {
			x.ResolvedBy, x.ResolvedOn = by, c.now
		}
	})
	s.Dirty()
	ch := change{
		activity: "Update partner security alert", category: "Other", service: "Partner Security", target: target("PartnerSecurityAlert", x.ID, x.Name),
	}
	ch.changed("Status", old.Status, to)
	ch.changed("ResolvedReason", old.Reason, reason)
	c.audit(s, t, ch)
	return c.one(t, alertsPath, c.g.sh.alert, t.Alerts.Get(x.ID))
}

// agentOr lets admin agents in, whatever their directory roles, besides those who
// hold one of the roles.
func agentOr(roles ...string) func(*call, *world.State, *world.Tenant) error {
	return func(c *call, _ *world.State, t *world.Tenant) error {
		if c.caller.AppOnly() || c.hasRole(roles...) || t.InGroup(c.caller.ObjectID, world.AdminAgents) {
			return nil
		}
		return denied()
	}
}
