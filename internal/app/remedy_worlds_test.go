//go:build !judge

package app_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
)

// labWorld is one tenant: how it is made, and what is wanted there besides what is not met.
type labWorld struct {
	name   string
	set    func(*labs)
	goals  []find.Goal
	stages []remedy.Stage // nil: a plan's own
	heart  bool           // in short too
}

// labPeople are accounts whose per-user MFA worlds set.
var labPeople = []string{"mia.lindqvist@contoso.com", "claire.dubois@contoso.com", "anna.virtanen@contoso.com"}

const (
	on         = "enabled"
	off        = "disabled"
	reports    = "enabledForReportingButNotEnforced"
	toAll      = `"includeUsers":["All"]`
	wantMFA    = `{"operator":"OR","builtInControls":["mfa"]}`
	wantBlock  = `{"operator":"OR","builtInControls":["block"]}`
	oldClients = `"clientAppTypes":["exchangeActiveSync","other"]`
	anyApp     = `"applications":{"includeApplications":["All"]}`
	exchange   = "00000002-0000-0ff1-ce00-000000000000"
	globalRole = "62e90394-69f5-4237-9190-012177145e10"
	syncRole   = "d29b2b05-8046-44ba-8758-1e26182fcf32"
)

// policy makes a policy of the tenant's own; more are its other conditions.
func (l *labs) policy(name, state, users, more, grant string) {
	l.Helper()
	if !strings.Contains(more, `"clientAppTypes"`) {
		more += `,"clientAppTypes":["all"]`
	}
	if !strings.Contains(more, `"applications"`) {
		more += "," + anyApp
	}
	l.ask("POST", policies, fmt.Sprintf(`{"displayName":%q,"state":%q,"conditions":{"users":{%s},%s},"grantControls":%s}`, name, state, users,
		strings.TrimPrefix(more, ","), grant))
}

// but leaves the break-glass account and directory synchronisation out, as policies should.
func (l *labs) but(users string, more ...string) string {
	l.Helper()
	groups := []string{`"` + l.named("/v1.0/groups", "CA-Exclude-BreakGlass") + `"`}
	for _, g := range more {
		groups = append(groups, `"`+l.named("/v1.0/groups", g)+`"`)
	}
	return users + `,"excludeGroups":[` + strings.Join(groups, ",") + `],"excludeRoles":["` + syncRole + `"]`
}

// named is the id of what has a name in a list.
func (l *labs) named(path, name string) string {
	l.Helper()
	for id, o := range l.list(path) {
		var is struct{ DisplayName, UserPrincipalName string }
		l.ok(json.Unmarshal([]byte(o), &is))
		if is.DisplayName == name || is.UserPrincipalName == name {
			return id
		}
	}
	l.Fatalf("%s has no %s", path, name)
	return ""
}

func (l *labs) user(upn string) string { l.Helper(); return l.named("/v1.0/users?$top=100", upn) }

// place makes a named location of a network.
func (l *labs) place(network string, trusted bool) string {
	l.Helper()
	var is struct{ ID string }
	l.ok(json.Unmarshal(l.ask("POST", places, fmt.Sprintf(`{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":%q,"isTrusted":%v,`+
		`"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":%q}]}`, "of "+network, trusted, network)), &is))
	return is.ID
}

// asked makes MFA of everybody, which is wanted of all but the break-glass account.
func (l *labs) asked(state, users, more string) {
	l.Helper()
	l.policy("MFA", state, users, more, wantMFA)
}

// blocked makes the policy against old clients.
func (l *labs) blocked(state, users, more string) {
	l.Helper()
	l.policy("No old clients", state, users, more, wantBlock)
}

// labWorlds are all of them.
func labWorlds(t *testing.T) []labWorld {
	return slices.Concat(startWorlds(), holeWorlds(), partWorlds(), otherWorlds(), fieldWorlds(t))
}

// startWorlds are those that begin with little.
func startWorlds() []labWorld {
	return []labWorld{
		{name: "nothing at all", heart: true, set: func(*labs) {}},
		{name: "security defaults", heart: true, set: func(l *labs) { l.ask("PATCH", ones[0], `{"isEnabled":true}`) }},
		{name: "the baseline over nothing", set: func(*labs) {}, goals: []find.Goal{{Preset: "partner-baseline"}},
			stages: []remedy.Stage{remedy.ReportOnly, "25%", "60%", remedy.All}},
		{name: "the baseline over security defaults", set: func(l *labs) { l.ask("PATCH", ones[0], `{"isEnabled":true}`) },
			goals: []find.Goal{{Preset: "partner-baseline"}}},
		{name: "MFA that reports", heart: true, set: func(l *labs) { l.asked(reports, l.but(toAll), ""); l.blocked(reports, l.but(toAll), oldClients) }},
		{name: "MFA that is off", set: func(l *labs) { l.asked(off, l.but(toAll), ""); l.blocked(off, l.but(toAll), oldClients) }},
		{name: "MFA alone", set: func(l *labs) { l.asked(on, l.but(toAll), "") }},
		{name: "old clients blocked alone", set: func(l *labs) { l.blocked(on, l.but(toAll), oldClients) }},
		{name: "per-user MFA alone", set: func(l *labs) {
			for i, upn := range labPeople {
				l.perUser(upn, []string{"enforced", "enabled"}[i%2])
			}
		}},
		{name: "at once", set: func(*labs) {}, stages: []remedy.Stage{remedy.All}},
	}
}

// holeWorlds are those whose policy for everybody leaves something out.
func holeWorlds() (out []labWorld) {
	hole := func(name, more string, users func(*labs) string) {
		out = append(out, labWorld{name: "MFA but " + name, set: func(l *labs) {
			text := more
			if strings.Contains(more, "PLACE") {
				text = strings.ReplaceAll(more, "PLACE", l.place("198.51.100.0/24", true))
			}
			l.asked(on, users(l), text)
			l.blocked(on, l.but(toAll), oldClients)
		}})
	}
	all := func(l *labs) string { return l.but(toAll) }
	hole("for scripts", "", func(l *labs) string { return l.but(toAll, "CA-Exclude-Scripts") })
	hole("for two people", "", func(l *labs) string {
		return l.but(toAll) + `,"excludeUsers":["` + l.user(labPeople[1]) + `","` + l.user(labPeople[2]) + `"]`
	})
	hole("for a role", "", func(l *labs) string {
		return strings.Replace(l.but(toAll), syncRole, syncRole+`","f2ef992c-3afb-46b9-b7cf-a126ee74c451`, 1)
	})
	hole("for guests", "", func(l *labs) string {
		return l.but(toAll) + `,"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"b2bCollaborationGuest,internalGuest",` +
			`"externalTenants":{"@odata.type":"#microsoft.graph.conditionalAccessAllExternalTenants","membershipKind":"all"}}`
	})
	hole("at trusted places", `"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`, all)
	hole("at a place", `"locations":{"includeLocations":["All"],"excludeLocations":["PLACE"]}`, all)
	hole("for mail", `"applications":{"includeApplications":["All"],"excludeApplications":["`+exchange+`"]}`, all)
	hole("by apps", `"clientAppTypes":["browser"]`, all)
	hole("on phones", `"platforms":{"includePlatforms":["all"],"excludePlatforms":["android","iOS"]}`, all)
	hole("on devices of a rule", `"devices":{"deviceFilter":{"mode":"exclude","rule":"device.trustType -eq \"ServerAD\""}}`, all)
	return out
}

// partWorlds are those whose policies are for a part of what they should be for.
func partWorlds() (out []labWorld) {
	part := func(name, users, more, grant string) {
		out = append(out, labWorld{name: name, set: func(l *labs) {
			text := strings.ReplaceAll(users, "GROUP", l.named("/v1.0/groups", "AdminAgents"))
			l.policy(name, on, l.but(text), more, grant)
			l.blocked(on, l.but(toAll), oldClients)
		}})
	}
	part("MFA of administrators", `"includeRoles":["`+globalRole+`"]`, "", wantMFA)
	part("MFA of guests", `"includeUsers":["GuestsOrExternalUsers"]`, "", wantMFA)
	part("MFA of a group", `"includeGroups":["GROUP"]`, "", wantMFA)
	part("MFA or a device", toAll, "", `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`)
	part("MFA at risk", toAll, `"signInRiskLevels":["high","medium"]`, wantMFA)
	part("MFA for Azure", toAll, `"applications":{"includeApplications":["797f4846-ba00-4fd7-ba43-dac1f8f63013"]}`, wantMFA)
	part("MFA for registering", toAll, `"applications":{"includeUserActions":["urn:user:registersecurityinfo"]}`, wantMFA)
	part("strong MFA of administrators", `"includeRoles":["`+globalRole+`"]`, "",
		`{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`)
	part("MFA on Windows", toAll, `"platforms":{"includePlatforms":["windows"]}`, wantMFA)
	part("no device code", toAll, `"authenticationFlows":{"transferMethods":"deviceCodeFlow"}`, wantBlock)
	return out
}

// otherWorlds are those in which something else than one policy is wanting.
func otherWorlds() []labWorld {
	whole := func(l *labs) { l.asked(on, l.but(toAll), ""); l.blocked(on, l.but(toAll), oldClients) }
	return []labWorld{
		{name: "two halves", set: func(l *labs) {
			group := l.named("/v1.0/groups", "AdminAgents")
			l.policy("Agents", on, l.but(`"includeGroups":["`+group+`"]`), "", wantMFA)
			l.policy("The others", reports, l.but(toAll, "AdminAgents"), "", wantMFA)
			l.blocked(on, l.but(toAll), oldClients)
		}},
		{name: "old clients but for scripts", set: func(l *labs) {
			l.asked(on, l.but(toAll), "")
			l.blocked(on, l.but(toAll, "CA-Exclude-Scripts"), oldClients)
		}},
		{name: "old clients of one kind", set: func(l *labs) {
			l.asked(on, l.but(toAll), "")
			l.blocked(on, l.but(toAll), `"clientAppTypes":["exchangeActiveSync"]`)
		}},
		{name: "External MFA of a group", set: whole, goals: []find.Goal{{ID: "eam"}}},
		{name: "per-user MFA beside policies", set: func(l *labs) { whole(l); l.perUser(labPeople[1], "enforced") }, goals: []find.Goal{{ID: "per-user-mfa"}}},
		{name: "risk, by whole policies", set: whole, goals: []find.Goal{{ID: "risk-based-access"}}},
		{name: "pilot first", set: func(*labs) {}, stages: []remedy.Stage{remedy.ReportOnly, "10%", remedy.All}},
	}
}

// guids are ids in a policy of others.
var guids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// fieldWorlds have the policies that others' exports hold, for this tenant's accounts, groups and
// places.
func fieldWorlds(t *testing.T) (out []labWorld) {
	folders, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "field", "*-ca-*"))
	more, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "truth", "*"))
	seen := map[string]bool{}
	for _, folder := range append(folders, more...) {
		list, err := app.Proposed(t.Context(), []string{filepath.Join(folder, "input")})
		if err != nil {
			if list, err = app.Proposed(t.Context(), []string{folder}); err != nil {
				continue
			}
		}
		var bodies []map[string]any
		text := ""
		for _, raw := range list {
			if m := asGraph(raw); m != nil {
				bodies = append(bodies, m)
				text += fmt.Sprint(m["conditions"], m["state"], m["grantControls"])
			}
		}
		if len(bodies) == 0 || seen[text] {
			continue
		}
		seen[text] = true
		out = append(out, labWorld{name: "field " + filepath.Base(folder), set: func(l *labs) { l.others(bodies) }})
	}
	return out
}

// asGraph is a policy in Graph's form with what the API takes; nil for one in another form.
func asGraph(raw json.RawMessage) map[string]any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	conditions, _ := m["conditions"].(map[string]any)
	if _, is := conditions["users"].(map[string]any); !is {
		return nil
	}
	maps.DeleteFunc(m, func(name string, _ any) bool {
		return !slices.Contains([]string{"displayName", "state", "conditions", "grantControls"}, name)
	})
	return m
}

// others makes policies of others as this tenant's: ids that mean something here stay, others
// become those of its accounts, groups and places. What the API refuses is left out.
func (l *labs) others(list []map[string]any) {
	l.Helper()
	users, groups := slices.Sorted(maps.Keys(l.list("/v1.0/users?$top=100"))), slices.Sorted(maps.Keys(l.list("/v1.0/groups")))
	place := l.place("198.51.100.0/24", false)
	made := 0
	for _, m := range list {
		c := m["conditions"].(map[string]any)
		mapped := map[string]any{}
		for part, v := range c {
			raw, err := json.Marshal(v)
			l.ok(err)
			mapped[part] = json.RawMessage(raw)
			if members, is := v.(map[string]any); is && (part == "users" || part == "locations") {
				mapped[part] = mapIDs(members, users, groups, place)
			}
		}
		body := maps.Clone(m)
		body["conditions"] = mapped
		raw, err := json.Marshal(body)
		l.ok(err)
		if l.tried(raw) {
			made++
		}
	}
	l.Logf("%d of %d policies stand here", made, len(list))
}

func mapIDs(members map[string]any, users, groups []string, place string) map[string]any {
	out := map[string]any{}
	for name, v := range members {
		from := users
		switch {
		case strings.HasSuffix(name, "Groups"):
			from = groups
		case strings.HasSuffix(name, "Locations"):
			from = []string{place}
		case !strings.HasSuffix(name, "Users"):
			out[name] = v
			continue
		}
		items, _ := v.([]any)
		var ids []any
		for _, x := range items {
			s := guids.ReplaceAllStringFunc(strings.ToLower(fmt.Sprint(x)), func(id string) string {
				h := fnv.New32a()
				_, _ = h.Write([]byte(id))
				return from[int(h.Sum32())%len(from)]
			})
			if !guids.MatchString(s) {
				s = fmt.Sprint(x)
			}
			if !slices.Contains(ids, any(s)) {
				ids = append(ids, s)
			}
		}
		if len(ids) > 0 {
			out[name] = ids
		}
	}
	return out
}

// tried makes a policy, if the API takes it.
func (l *labs) tried(raw json.RawMessage) bool {
	l.Helper()
	a, err := l.control.Graph(l.Context(), control.GraphCall{Method: "POST", Path: policies, Body: raw})
	l.ok(err)
	if a.Status >= 300 {
		l.Logf("the API refuses %.200s: %.300s", raw, a.Body)
	}
	return a.Status < 300
}

// asSets sorts lists of texts.
func asSets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			v[name] = asSets(x)
		}
	case []any:
		if !slices.ContainsFunc(v, func(x any) bool { _, is := x.(string); return !is }) {
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
	}
	return v
}

// steps are a plan's; none where there is nothing to plan.
func steps(p *remedy.Plan, err error) []remedy.Step {
	if err != nil {
		return nil
	}
	return p.Steps
}

// refusedEverywhere are plans that this tenant's people cannot bear, by what they are for: of its
// Global Administrators one alone has a security key, one alone works at no customer, and whose
// device is healthy or marked no setting tells.
var refusedEverywhere = map[string]string{"P07": " have to be", "P25": " have to be", "P26": " have to be"}

// shutBefore says that a plan is refused for what the tenant has before it: somebody who has to
// is not proved to get in by policies that are not the plan's, and no step is named.
func shutBefore(a *aim, reason string) bool {
	for one := range strings.SplitSeq(reason, string(remedy.LocksOut)+": ") {
		if one != "" && !strings.Contains(one, "after step") && !strings.Contains(one, "["+a.plan.ID+"]") {
			return true
		}
	}
	return false
}

// never says why a plan may not be done, whoever accepts what: all reasons.
func never(gates []*remedy.Gate) string {
	var all []string
	for _, g := range gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && !f.Acceptable {
				all = append(all, string(f.Kind)+": "+f.Text)
			}
		}
	}
	return strings.Join(all, "; ")
}
