package scenario

import (
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// attacks are guesses at passwords, and in a compromised tenant the sign-ins of
// who guessed right.
func (w *writer) attacks(day time.Time) {
	d := diceOf(w.h.past.seedOf("attack/"+w.p.tenant.ID), uint64(day.Unix()/86400))
	from := w.h.sc.attackers()
	if n := len(w.p.actors); n > 0 && d.IntN(6) == 0 {
		a := &w.p.actors[d.IntN(n)]
		if a.user.Enabled && !a.user.Guest && !a.user.Created.After(day) {
			at := hours(d, day)
			for i := range 2 + d.IntN(4) {
				v := visit{at: at.Add(time.Duration(i*7) * time.Second), to: exchangeTarget(), from: from, host: uint32(d.IntN(100)), kind: "legacy",
					client: "IMAP4", id: d.Uint64(), session: d.Uint64(), attack: true}
				bad := w.attempt(w.p.tenant, w.p.tenant, a, &v)
				bad.Steps = []world.Step{passwordStep(v.at, a.user, false)}
				code := entra.CodeWrongPassword
				if i > 2 {
					code = entra.CodeLocked
				}
				w.write(v.at, &bad, failed(code), code, v.id, 6)
			}
		}
	}
	if day.Before(w.h.created.AddDate(0, 0, -3)) {
		return
	}
	_, admin := targets()
	for i := range w.p.actors {
		a := &w.p.actors[i]
		if a.user.Risk != "high" {
			continue
		}
		for k := range 1 + d.IntN(3) {
			v := visit{at: day.Add(time.Duration(1+k*3)*time.Hour + time.Duration(d.IntN(3600))*time.Second), to: admin[d.IntN(2)], from: from,
				host: uint32(d.IntN(100)), id: d.Uint64(), session: d.Uint64(), risk: "high", attack: true}
			w.sign(w.p.tenant, a, &v)
		}
	}
}

// apps are the sign-ins of the tenant's own apps.
func (w *writer) apps(day time.Time) {
	t := w.p.tenant
	if t.Kind != world.PartnerTenant {
		return
	}
	sites := w.h.sc.spots()
	towns := citySpots()
	for i := range w.h.sc.Apps {
		a := &w.h.sc.Apps[i]
		id := w.h.past.appIDOf(a)
		sp := t.SP(id)
		app := t.Apps.Get(w.h.past.state.GUID("object/" + id))
		if sp == nil || app == nil {
			continue
		}
		for _, name := range sortedKeys(a.Calls) {
			calls, res := a.Calls[name], resource(name)
			d := diceOf(w.h.past.seedOf("calls/"+id+"/"+name), uint64(day.Unix()/86400))
			from, ok := sites[strings.ToLower(calls.Site)]
			if !ok {
				from = towns[0]
			}
			for n := range calls.PerDay {
				at := day.Add(time.Duration(n)*24*time.Hour/time.Duration(calls.PerDay) + time.Duration(d.IntN(600))*time.Second)
				row := &world.SignIn{
					ID: guidOf(d.Uint64(), 16), CreatedDateTime: world.Stamp{Time: at}, AppID: id, AppDisplayName: a.Name, IPAddress: from.address(9).
						String(), CorrelationID: guidOf(d.Uint64(), 1),
					ConditionalAccess: "notApplied", TokenIssuerType: "AzureAD", Protocol: "clientCredentials", IncomingTokenType: "none",
					TransferMethod: "none", CrossTenant: "none",
					HomeTenantID: t.ID, HomeTenantName: t.Name, ResourceTenantID: t.ID, ResourceOwnerTenant: entra.TenantMicrosoftServices,
					AppOwnerTenant: t.ID, ResourceDisplayName: res.Name, ResourceID: res.AppID,
					ServicePrincipalID: sp.ID, ServicePrincipalName: sp.Name, RiskDetail: "none", RiskAggregated: "none", RiskDuring: "none",
					RiskState: "none", RiskEvents: []string{},
					EventTypes: []string{"servicePrincipal"}, Status: world.Status{FailureReason: "Other."}, Place: from.place,
					Applied: []world.AppliedPolicy{}, Steps: []world.Step{}, Processing: []world.KeyValue{}, Requirements: []world.Requirement{},
					Lifetimes:   []world.Lifetime{},
					UniqueToken: token(d.Uint64(), 0), ProcessingTime: 20 + d.IntN(60), Requirement: "singleFactorAuthentication",
				}
				if r := t.SP(res.AppID); r != nil {
					row.ResourceSP = r.ID
				}
				switch {
				case len(app.Keys) > 0:
					row.CredentialType, row.CredentialKeyID, row.CredentialThumbprint = "certificate", app.Keys[0].KeyID, thumb(app.Keys[0].DER)
				case len(app.Passwords) > 0:
					row.CredentialType, row.CredentialKeyID = "clientSecret", app.Passwords[0].KeyID
				case len(app.Federated) > 0:
					row.CredentialType, row.FederatedID = "federatedIdentityCredential", app.Federated[0].ID
				}
				w.rows = append(w.rows, row)
			}
		}
	}
}
