package arm

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// maxBodyShown bounds what an event shows of a request or an answer.
const maxBodyShown = 4 << 10

// change changes the subscription and writes the events of it: that it began and, by its
// status, that it is done or will be when a long operation ends.
func (k *call) change(action, resource, status string, f func(*world.AzureSubscription)) {
	k.changeUntil(action, resource, status, k.now.Add(k.a.long), f)
}

// changeUntil is change of what ends at a moment. The event of the end is written at
// once, and shown when it has come.
func (k *call) changeUntil(action, resource, status string, due time.Time, f func(*world.AzureSubscription)) {
	begun, ended := k.event(action, resource, "Started", k.now), k.event(action, resource, status, k.now)
	if len(k.body) <= maxBodyShown {
		begun.Request = string(k.body)
	}
	if b, err := json.Marshal(k.shown); err == nil && k.shown != nil && len(b) <= maxBodyShown {
		ended.Answer = string(b)
	}
	events := []*world.AzureAct{begun, ended}
	if status == "Accepted" {
		events = append(events, k.event(action, resource, "Succeeded", due))
	}
	k.tenant.Azure.Change(k.sub.ID, func(a *world.AzureSubscription) {
		f(a)
		for _, e := range events {
			a.Log(e.JSON())
		}
	})
	k.sub = k.tenant.Azure.Get(k.sub.ID)
	k.s.Dirty()
}

type localized struct {
	Value string `json:"value"`
	Text  string `json:"localizedValue"`
}

// tenantEvent writes an event above the subscriptions: begun and done.
func (k *call) tenantEvent(action string) {
	list := slices.Clone(k.tenant.AzureEvents)
	for _, status := range []string{"Started", "Succeeded"} {
		list = append(list, k.event(action, "/providers/"+strings.TrimSuffix(action, "/action"), status, k.now).JSON())
	}
	k.tenant.AzureEvents = list
	k.s.Dirty()
}

// tenantLog is the activity log of the tenant itself, for who may read at the root.
func tenantLog(k *call) (reply, *fault) {
	if !k.mayRoot(k.route.action) {
		return reply{}, k.denied(k.route.action, "/")
	}
	return activityLog(k)
}

// event is an activity log event of the caller.
func (k *call) event(action, resource, status string, when time.Time) *world.AzureAct {
	caller := k.who.UPN
	if caller == "" {
		caller = k.who.ObjectID
	}
	role, sub, of := "", "", []world.AzureRole(nil)
	if k.sub != nil {
		sub, of = k.sub.ID, k.sub.Roles
	}
	for i := range of {
		r := &of[i]
		if d := definition(r.Role); d != nil && k.mine(r) && covers(scopeOf(k.sub, r), resource) && d.allows(action) {
			role = d.name
			break
		}
	}
	claims := map[string]string{
		"aud": k.who.Audience, "iss": k.who.Issuer, "appid": k.who.Client(), "ipaddr": k.who.IPAddr, "name": k.who.Name, "ver": k.who.Version,
		"http://schemas.microsoft.com/identity/claims/tenantid":         k.who.TenantID,
		"http://schemas.microsoft.com/identity/claims/objectidentifier": k.who.ObjectID,
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":     k.who.UPN,
		"http://schemas.microsoft.com/claims/authnmethodsreferences":    strings.Join(k.who.AMR, ","),
	}
	if k.who.IDP != "" {
		claims["http://schemas.microsoft.com/identity/claims/identityprovider"] = k.who.IDP
	}
	return &world.AzureAct{Tenant: k.tenant.ID, Subscription: sub, Action: action, Resource: resource, Status: status, At: when, Caller: caller,
		Claims: claims, Role: role, IP: k.who.IPAddr, Method: k.Method, Correlation: k.id}
}

// activityDays is how far back the log reaches.
const activityDays = 90

var conjunction = pattern.Later(`(?i) and `)

var condition = pattern.Later(`(?i)^(eventTimestamp) (ge|le) '([^']{1,40})'$|^(resourceGroupName|resourceUri|correlationId|resourceProvider|caller|status) eq '([^']*)'$`)

type logFilter struct {
	from, to time.Time
	equal    map[string]string
}

// parseActivityFilter reads conditions joined by and. eventTimestamp ge must be
// among them.
func parseActivityFilter(text string, now time.Time) (*logFilter, *fault) {
	no := func(why string) (*logFilter, *fault) { return nil, bad("BadRequest", "The $filter is not valid: "+why) }
	if len(text) > 4<<10 {
		return no("it is too long.")
	}
	f := &logFilter{to: now, equal: map[string]string{}}
	for _, part := range conjunction.Split(text, -1) {
		m := condition.FindStringSubmatch(strings.Join(strings.Fields(part), " "))
		switch {
		case m == nil:
			return no("conditions are eventTimestamp ge '…', eventTimestamp le '…' and resourceGroupName, resourceUri, correlationId, " +
				"resourceProvider, caller or status eq '…'.")
		case m[4] != "":
			f.equal[strings.ToLower(m[4])] = m[5]
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, m[3])
		if err != nil {
			if at, err = time.Parse("2006-01-02T15:04:05.999999999", m[3]); err != nil {
				if at, err = time.Parse(time.DateOnly, m[3]); err != nil {
					return no("eventTimestamp needs a time such as 2026-11-22T08:00:00Z.")
				}
			}
		}
		if strings.EqualFold(m[2], "ge") {
			f.from = at
		} else {
			f.to = at
		}
	}
	switch {
	case f.from.IsZero():
		return no("eventTimestamp ge '…' is needed.")
	case f.from.Before(now.AddDate(0, 0, -activityDays)):
		return no("the log reaches 90 days back.")
	case f.to.Before(f.from):
		return no("it ends before it begins.")
	}
	return f, nil
}

func activityLog(k *call) (reply, *fault) {
	f, no := parseActivityFilter(k.param("$filter"), k.now)
	if no != nil {
		return reply{}, no
	}
	keep, no := selected(k.param("$select"))
	if no != nil {
		return reply{}, no
	}
	type row struct {
		at  time.Time
		raw json.RawMessage
	}
	var found []row
	all := k.tenant.AzureEvents
	if k.sub != nil {
		all = k.sub.Activity
	}
	for _, raw := range slices.Backward(all) {
		var e struct {
			At       time.Time `json:"eventTimestamp"`
			Group    string    `json:"resourceGroupName"`
			Resource string    `json:"resourceId"`
			Corr     string    `json:"correlationId"`
			Caller   string    `json:"caller"`
			Provider localized `json:"resourceProviderName"`
			Status   localized `json:"status"`
		}
		if json.Unmarshal(raw, &e) != nil || e.At.Before(f.from) || e.At.After(f.to) || e.At.After(k.now) {
			continue
		}
		have := map[string]string{"resourcegroupname": e.Group, "resourceuri": e.Resource, "correlationid": e.Corr, "caller": e.Caller,
			"resourceprovider": e.Provider.Value, "status": e.Status.Value}
		fits := true
		for n, v := range f.equal {
			fits = fits && strings.EqualFold(have[n], v)
		}
		if fits {
			found = append(found, row{e.At, keep(raw)})
		}
	}
	// What a long operation came to stands where it began.
	slices.SortStableFunc(found, func(x, y row) int { return y.at.Compare(x.at) })
	rows := make([]json.RawMessage, len(found))
	for i := range found {
		rows[i] = found[i].raw
	}
	return page(k, rows)
}

// eventMembers are those that $select may name.
var eventMembers = []string{"authorization", "caller", "category", "channels", "claims", "correlationId", "description", "eventDataId", "eventName",
	"eventTimestamp", "httpRequest", "id", "level", "operationId", "operationName", "properties", "resourceGroupName", "resourceId", "resourceProviderName",
	"resourceType", "status", "subStatus", "submissionTimestamp", "subscriptionId", "tenantId"}

// selected reads $select and gives what takes an event down to it.
func selected(text string) (func(json.RawMessage) json.RawMessage, *fault) {
	if text == "" {
		return func(raw json.RawMessage) json.RawMessage { return raw }, nil
	}
	var names []string
	for _, name := range strings.Split(text, ",") {
		i := slices.IndexFunc(eventMembers, func(m string) bool { return strings.EqualFold(m, strings.TrimSpace(name)) })
		if i < 0 {
			return nil, bad("BadRequest", "The $select names a property that events do not have: '"+clip(name)+"'.")
		}
		names = append(names, eventMembers[i])
	}
	return func(raw json.RawMessage) json.RawMessage {
		var all, few map[string]json.RawMessage
		if json.Unmarshal(raw, &all) != nil {
			return raw
		}
		few = map[string]json.RawMessage{}
		for _, n := range names {
			if v, has := all[n]; has {
				few[n] = v
			}
		}
		b, err := json.Marshal(few)
		if err != nil {
			return raw
		}
		return b
	}, nil
}
