package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// Our own measures (docs/practices.md).
const (
	unusedAfter   = 90 * 24 * time.Hour
	credentialAge = 2 * 365 * 24 * time.Hour
)

// openConsent are the policies that let accounts consent to more than what is harmless,
// closedConsent those that do not (Microsoft Graph, permissionGrantPolicy: the built-in
// ones). Of a policy of the tenant's own that cannot be told from its name.
const (
	grantsForSelf  = "managepermissiongrantsforself."
	openConsent    = "microsoft-user-default-legacy"
	closedConsent  = "microsoft-user-default-low"
	managedConsent = "microsoft-user-default-recommended"
)

// consent asks whether accounts may consent to apps by themselves, or whether they may
// ask somebody.
func (j *judge) consent() ruling {
	w, p := j.Beside.Workflow, j.Beside.Consent
	if w != nil && w.Enabled.True() && !j.Disputed(evidence.AdminConsentPolicy) {
		return ruling{Verdict: assess.Met, Relies: []evidence.Kind{evidence.AdminConsentPolicy}, Reason: "the admin consent workflow is on",
			Evidence: []assess.Evidence{{Subject: "admin consent workflow", Detail: "isEnabled is true", Source: w.Source}}}
	}
	if p == nil || j.Disputed(evidence.AuthorizationPolicy) {
		return ruling{Verdict: assess.Unknown, Reason: "what accounts may consent to was not read", Action: evidence.ReadingOf(evidence.AuthorizationPolicy)}
	}
	grants, said := p.Grants()
	if !said {
		return ruling{Verdict: assess.Unknown, Reason: "the authorization policy was read without permissionGrantPoliciesAssigned",
			Action: evidence.ReadingOf(evidence.AuthorizationPolicy)}
	}
	var open, own []string
	for _, g := range grants {
		id, self := strings.CutPrefix(strings.ToLower(g), grantsForSelf)
		switch {
		case !self, id == closedConsent, id == managedConsent: // the first is of owners of teams and chats
		case id == openConsent:
			open = append(open, g)
		default:
			own = append(own, id)
		}
	}
	ev := []assess.Evidence{{Subject: "user consent", Source: p.Source,
		Detail: "permissionGrantPoliciesAssigned: " + nonEmpty(strings.Join(grants, ", "), "none")}}
	switch {
	case len(open) > 0 && w == nil:
		return ruling{Verdict: assess.Unknown, Evidence: ev, Action: evidence.ReadingOf(evidence.AdminConsentPolicy), Against: true,
			Reason: "every account may consent to any app for itself; whether the admin consent workflow is on was not read"}
	case len(open) > 0:
		return ruling{Verdict: assess.NotMet, Affected: 1, Total: 1, Evidence: ev, Reason: "every account may consent to any app for itself",
			Action: "restrict user consent, and turn the admin consent workflow on"}
	case len(own) > 0:
		return ruling{Verdict: assess.Unknown, Evidence: ev, Reason: "what the tenant's own consent policy " + own[0] + " allows was not read",
			Action: "GET /policies/permissionGrantPolicies/" + own[0] + " (Policy.Read.PermissionGrant)"}
	}
	return ruling{Verdict: assess.Met, Total: 1, Evidence: ev, Relies: []evidence.Kind{evidence.AuthorizationPolicy},
		Reason: "accounts may consent to nothing by themselves, or to harmless permissions alone"}
}

// apps looks for credentials that ended or are old, and for apps that nobody uses.
func (j *judge) apps() ruling {
	at := j.bench.At(evidence.Application)
	var bad []assess.Evidence
	n := 0
	for _, a := range sorted(j.Directory.Applications) {
		n++
		name := nonEmpty(a.DisplayName, a.AppID, a.ID)
		for _, c := range slices.Concat(a.PasswordCredentials.Items, a.KeyCredentials.Items) {
			if detail := staleCredential(&c, at); detail != "" {
				bad = append(bad, assess.Evidence{Subject: name, RecordID: string(c.KeyID), Detail: detail, Source: a.Source})
			}
		}
	}
	unused, dim := j.unusedApps()
	bad = append(bad, unused...)
	for _, k := range []evidence.Kind{evidence.Application, evidence.ServicePrincipal} {
		if len(bad) == 0 && j.Extent(k) == evidence.Absent {
			return ruling{Verdict: assess.Unknown, Reason: evidence.ListName(k) + " was not read", Action: evidence.ReadingOf(k)}
		}
	}
	switch {
	case len(bad) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: n + len(j.Directory.ServicePrincipals), Evidence: bad,
			Reason: fmt.Sprintf("%s not cleaned up", count(len(bad), "app or credential is", "apps or credentials are")),
			Action: "remove what nobody uses and what has ended"}
	case j.Extent(evidence.AppActivity) == evidence.Absent:
		return ruling{Verdict: assess.Unknown, Total: n, Reason: "no credential has ended or is old; which apps nobody uses is not known",
			Action: evidence.ReadingOf(evidence.AppActivity)}
	case len(dim) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: dim, Action: evidence.ReadingOf(evidence.ServicePrincipal),
			Reason: fmt.Sprintf("of %s no use is known, and not since when it is there", count(len(dim), "app", "apps"))}
	}
	return ruling{Verdict: assess.Met, Total: n + len(j.Directory.ServicePrincipals), Relies: []evidence.Kind{evidence.Application, evidence.ServicePrincipal,
		evidence.AppActivity}, Reason: "no credential has ended or is older than two years, and every app was used within 90 days"}
}

// staleCredential says what is wrong with a credential; "" nothing.
func staleCredential(c *directory.Credential, at time.Time) string {
	name := nonEmpty(string(c.DisplayName), string(c.KeyID), "a credential")
	switch {
	case c.EndDateTime.Set && c.EndDateTime.Before(at):
		return name + " ended on " + c.EndDateTime.Format(time.DateOnly) + " and is still there"
	case c.StartDateTime.Set && at.Sub(c.StartDateTime.Time) > credentialAge:
		return name + " is of " + c.StartDateTime.Format(time.DateOnly) + ", older than two years"
	}
	return ""
}

// unusedApps are enabled apps of others than Microsoft that were not used for 90 days, and
// those of which no use is known and not since when they are there.
func (j *judge) unusedApps() (unused, dim []assess.Evidence) {
	if j.Extent(evidence.AppActivity) != evidence.Entire {
		return nil, nil // what it does not hold may have been used
	}
	at := j.bench.At(evidence.AppActivity)
	for _, s := range sorted(j.Directory.ServicePrincipals) {
		owner := strings.ToLower(string(s.AppOwnerOrganizationID))
		switch {
		case owner == entra.TenantMicrosoftServices, owner == entra.TenantMicrosoft, s.AccountEnabled.False():
			continue
		case !strings.EqualFold(string(s.ServicePrincipalType), "Application") && s.ServicePrincipalType != "": // managed identities and the like
			continue
		}
		e := assess.Evidence{Subject: nonEmpty(s.DisplayName, s.AppID, s.ID), RecordID: s.ID, Source: s.Source}
		last := j.Beside.LastUse(s.AppID)
		if !last.IsZero() {
			e.Observed = &last
		}
		switch {
		case !last.IsZero() && at.Sub(last) <= unusedAfter:
		case !last.IsZero():
			e.Detail = "was last used on " + last.Format(time.DateOnly)
			unused = append(unused, e)
		case !s.Created.Set:
			e.Detail = "no use of it is known, and not since when it is there"
			dim = append(dim, e)
		case at.Sub(s.Created.Time) > unusedAfter:
			e.Detail = "is there since " + s.Created.Format(time.DateOnly) + ", and no use of it is known"
			unused = append(unused, e)
		}
	}
	return unused, dim
}
