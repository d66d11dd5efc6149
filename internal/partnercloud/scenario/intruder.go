package scenario

import (
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// intruder is who writes a machine that an attack made: Machine.By.
const intruder = "intruder"

// intrusion is what an attack on a subscription hangs on: the account that was taken
// over, and its sign-in, from which the machines were made. Sign-in log, activity
// log, usage and fraud events tell of it each in its own way.
type intrusion struct {
	user *world.User
	at   time.Time // of the sign-in
	from spot
	host uint32
	id   uint64 // of the sign-in's row
}

// intrusion finds the attack on a subscription; nil for none.
func (b *builder) intrusion(t *world.Tenant, k *Customer, a *Azure) *intrusion {
	var first time.Time
	for i := range a.Machines {
		if m := &a.Machines[i]; m.By == intruder {
			if made := b.made(t, a, m); first.IsZero() || made.Before(first) {
				first = made
			}
		}
	}
	if first.IsZero() {
		return nil
	}
	in := &intrusion{id: b.seedOf("intrusion/" + b.azureID(k, a))}
	for u := range t.Users.All() {
		if u.Risk == "high" {
			in.user = u
			break
		}
	}
	if in.user == nil {
		return nil
	}
	in.at = first.Add(-25*time.Minute - time.Duration(in.id%600)*time.Second)
	in.host = uint32(in.id % 100) //nolint:gosec // below 100
	in.from = b.sc.attackers()
	return in
}

// attackers is where attacks come from.
func (sc *Scenario) attackers() spot {
	if s, ok := sc.spots()["curitiba"]; ok {
		return s
	}
	towns := citySpots()
	return towns[len(towns)-1]
}

// made is when a machine was made.
func (b *builder) made(t *world.Tenant, a *Azure, m *Machine) time.Time {
	created := a.Since.or(b.created, t.Created.AddDate(0, 2, 0)).Truncate(time.Second)
	return m.Since.or(b.created, created.AddDate(0, 0, 3)).Truncate(time.Second)
}

// intrude writes the sign-ins of attacks on a customer's subscriptions: with the
// password, and where more is asked with a session that was stolen.
func (w *writer) intrude(day time.Time) {
	k := w.h.past.byID[w.p.tenant.ID]
	if k == nil {
		return
	}
	for i := range k.Azure {
		in := w.h.past.intrusion(w.p.tenant, k, &k.Azure[i])
		if in == nil || !in.at.UTC().Truncate(24*time.Hour).Equal(day) {
			continue
		}
		a := w.p.byID[in.user.ID]
		if a == nil {
			continue
		}
		_, admin := targets()
		v := visit{at: in.at, to: admin[0], from: in.from, host: in.host, id: in.id, session: in.id + 1, risk: "high", unfamiliar: true, attack: true}
		at := w.attempt(w.p.tenant, w.p.tenant, a, &v)
		at.Steps = []world.Step{passwordStep(v.at, a.user, true)}
		r := w.judge(v.at, &at, v.id)
		if r.Outcome == signon.NeedMFA {
			at.MFA, at.Fresh, at.IncomingTokenType, at.Steps = true, false, "primaryRefreshToken", nil
			at.AMR, at.Combos = []string{"pwd", "mfa"}, []string{"password,softwareOath"}
			at.AuthTime = v.at.Add(-3 * time.Hour)
			at.MFATime = at.AuthTime
			r = w.judge(v.at, &at, v.id)
		}
		w.write(v.at, &at, &r, -1, v.id, 0)
	}
}

// event is an activity log event, with the members that Azure Monitor gives it.
func (b *builder) event(t *world.Tenant, s *world.AzureSubscription, at time.Time, operation, resourceID, caller string, in *intrusion,
	made *world.AzureResource) []byte {
	text := func(v string) map[string]any { return map[string]any{"value": v, "localizedValue": v} }
	provider, kind, _ := strings.Cut(operation, "/")
	kind = kind[:max(0, strings.LastIndexByte(kind, '/'))]
	group := ""
	if parts := strings.Split(resourceID, "/"); len(parts) > 4 {
		group = parts[4]
	}
	e := map[string]any{
		"eventTimestamp": at.UTC().Format(time.RFC3339), "submissionTimestamp": at.Add(90 * time.Second).UTC().Format(time.RFC3339), "caller": caller,
		"level": "Informational", "operationName": text(operation), "status": text("Succeeded"), "category": text("Administrative"),
		"resourceId": resourceID, "subscriptionId": s.ID, "tenantId": t.ID, "resourceGroupName": group, "resourceProviderName": text(provider),
		"resourceType":  text(provider + "/" + kind),
		"correlationId": b.state.GUID("event/" + resourceID + operation), "eventDataId": b.state.GUID("eventdata/" + resourceID + operation),
	}
	if made != nil {
		e["properties"] = map[string]any{"statusCode": "Created", "serviceRequestId": nil, "eventCategory": "Administrative", "entity": resourceID,
			"message": operation, "hierarchy": t.ID + "/" + s.ID, "responseBody": string(mustJSON(map[string]any{"name": made.Name, "location": made.Location,
				"properties": map[string]any{"hardwareProfile": map[string]any{"vmSize": made.Size}, "provisioningState": "Succeeded"}}))}
	}
	if in != nil {
		ip := in.from.address(in.host).String()
		e["claims"] = map[string]any{"aud": entra.ARM, "appid": entra.AppAzurePortal, "ipaddr": ip, "name": in.user.Name,
			"uti": token(in.id, 0), "http://schemas.microsoft.com/identity/claims/tenantid": t.ID,
			"http://schemas.microsoft.com/identity/claims/objectidentifier": in.user.ID,
			"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":     in.user.UPN}
		e["httpRequest"] = map[string]any{"clientRequestId": b.state.GUID("request/" + resourceID + operation), "clientIpAddress": ip, "method": "PUT"}
		e["authorization"] = map[string]any{"action": operation, "role": "Contributor", "scope": resourceID}
	}
	return mustJSON(e)
}

// dayCost is what a day cost: in all, and what of it is the attack's.
type dayCost struct {
	day         time.Time
	cost, extra float64
}

// days are the costs of the last 40 days: usual ones, and while machines mine nine
// times as much.
func (b *builder) days(k *Customer, a *Azure) []dayCost {
	daily := a.usualDay()
	dice := diceOf(b.seedOf("usage/"+b.azureID(k, a)), 0)
	mining := b.mining(k, a)
	var out []dayCost
	for d := 40; d >= 0; d-- {
		one := dayCost{day: b.created.AddDate(0, 0, -d).Truncate(24 * time.Hour), cost: daily * (.8 + .4*dice.Float64())}
		if !mining.IsZero() && one.day.After(mining) {
			one.cost *= 9
			one.extra = cents(one.cost * 8 / 9)
		}
		one.cost = cents(one.cost)
		out = append(out, one)
	}
	return out
}

// usage says it by meter: what is the attack's by its machines, where there are any.
func (b *builder) usage(t *world.Tenant, k *Customer, a *Azure) []world.AzureUsage {
	var guilty []world.AzureResource
	for i := range a.Machines {
		if m := &a.Machines[i]; m.By == intruder {
			guilty = append(guilty, b.machine(t, a, m))
		}
	}
	var out []world.AzureUsage
	for _, d := range b.days(k, a) {
		row := world.AzureUsage{Day: d.day, Category: "Virtual Machines", Unit: "1 Hour", Cost: d.cost}
		row.Quantity = 24 * float64(max(1, len(a.Machines)-len(guilty)))
		if d.extra > 0 && len(guilty) > 0 {
			row.Cost -= d.extra
		}
		out = append(out, row)
		for i := range guilty {
			if r := &guilty[i]; d.extra > 0 {
				out = append(out, world.AzureUsage{Day: d.day, Category: row.Category, Quantity: 24, Unit: row.Unit, Cost: d.extra / float64(len(guilty)),
					Resource: r.Path(), Location: r.Location, Meter: r.Size})
			}
		}
	}
	return out
}

func cents(v float64) float64 { return float64(int(v*100)) / 100 }

// usualDay is what a usual day of a subscription costs.
func (a *Azure) usualDay() float64 {
	if a.Daily != 0 {
		return a.Daily
	}
	return 4 + 6*float64(len(a.Machines))
}

// mining is when machines of a subscription began to mine; zero for never.
func (b *builder) mining(k *Customer, a *Azure) (since time.Time) {
	for i := range k.Alerts {
		if al := &k.Alerts[i]; al.Type == "CryptoMining" && !al.Test && strings.EqualFold(al.Azure, a.Name) {
			since = al.Detected.or(b.created, b.created).AddDate(0, 0, -1)
		}
	}
	return since
}
