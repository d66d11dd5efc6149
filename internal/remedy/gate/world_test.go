package gate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// guid makes ids that are told apart by their kind and number.
func guid(kind byte, n int) string { return fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, n) }

// The people and things of the tests' tenant.
var (
	bg1, bg2, ada, ben, sync = guid('a', 1), guid('a', 2), guid('a', 3), guid('a', 4), guid('a', 5)
	bgGroup                  = guid('b', 1)
	hq                       = guid('c', 1)
	mfaAll, devices          = guid('d', 1), guid('d', 2)
	roleBg1, roleBg2         = "bg1RoleAssignmentId", "bg2RoleAssignmentId"
)

const ga = entra.RoleGlobalAdministrator

// today is whom the one policy is for.
var today = `"includeUsers":["All"],"excludeUsers":["` + scanner + `"],"excludeGroups":["` + bgGroup + `"],"excludeRoles":["` + entra.RoleDirectorySync + `"]`

// world is a tenant of two break-glass accounts, an administrator, synchronisation and members,
// whose one policy asks everybody for MFA but the break-glass group.
func world() *access.Tenant {
	t := &access.Tenant{Whole: true, RolesKnown: true, At: now, KnownGroups: map[string]bool{bgGroup: true},
		Names: map[string]string{bgGroup: "Break-glass"}, Defaults: &access.SecurityDefaults{}}
	t.Defaults.IsEnabled = lenient.Bool{Set: true}
	t.Users = []access.Subject{
		{ID: bg1, Name: "bg1@contoso.example", Roles: []string{ga}, Groups: []string{bgGroup}, BreakGlass: true, Admin: true, MethodsKnown: true,
			Methods: []string{"fido2SecurityKey"}},
		{ID: bg2, Name: "bg2@contoso.example", Roles: []string{ga}, Groups: []string{bgGroup}, BreakGlass: true, Admin: true, MethodsKnown: true,
			Methods: []string{"fido2SecurityKey"}},
		{ID: ada, Name: "ada@contoso.example", Roles: []string{ga}, Admin: true, MethodsKnown: true, Methods: []string{"microsoftAuthenticatorPush"}},
		{ID: ben, Name: "ben@contoso.example", MethodsKnown: true, Methods: []string{"microsoftAuthenticatorPush"}, PerUserMFA: "enforced"},
		{ID: sync, Name: "Sync_DC1@contoso.example", Exempt: true, Roles: []string{entra.RoleDirectorySync}},
	}
	for i := range 6 {
		t.Users = append(t.Users, access.Subject{ID: guid('e', i), Name: fmt.Sprintf("m%d@contoso.example", i), MethodsKnown: true,
			Methods: []string{"mobilePhone"}})
	}
	t.Locations = []*access.NamedLocation{{ID: hq, DisplayName: "HQ", IsTrusted: lenient.Bool{Set: true, Value: true},
		Ranges: lenient.List[access.IPRange]{Items: []access.IPRange{{CIDR: "203.0.113.0/24"}}}}}
	t.Policies = parse(policy(mfaAll, "MFA for all", "enabled", today, "", `"mfa"`))
	return t
}

func parse(raw ...string) (out []*access.Policy) {
	for _, r := range raw {
		list, err := access.ParsePolicies([]byte(r), 1)
		if err != nil {
			panic(err)
		}
		out = append(out, list...)
	}
	return out
}

// policy writes one; more are further conditions, grant a list of controls or a whole
// grant.
func policy(id, name, state, users, more, grant string) string {
	if more != "" {
		more = "," + more
	}
	if !strings.HasPrefix(grant, "{") {
		grant = `{"operator":"OR","builtInControls":[` + grant + `]}`
	}
	apps := `"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]`
	if strings.Contains(more, `"applications"`) {
		apps = `"x":null`
	}
	apps = strings.TrimSuffix(apps, `"x":null`)
	if apps != "" {
		apps = "," + apps
	}
	if strings.Contains(more, `"clientAppTypes"`) {
		apps = strings.ReplaceAll(apps, `,"clientAppTypes":["all"]`, "")
	}
	return fmt.Sprintf(`{"id":%q,"displayName":%q,"state":%q,"conditions":{"users":{%s}%s%s},"grantControls":%s}`, id, name, state, users, apps, more, grant)
}

func obj(t testing.TB, kind remedy.Kind, raw string) remedy.Object {
	t.Helper()
	if raw == "" {
		return nil
	}
	o, err := object.Canonical(kind, json.RawMessage(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return o
}

// step makes one from what was and is to be; id "" and key for what is made.
func step(t testing.TB, do remedy.Do, kind remedy.Kind, id, before, after string) remedy.Step {
	t.Helper()
	s := remedy.Step{Do: do, Kind: kind, ID: id, Name: "it", Text: "change it", Before: obj(t, kind, before), After: obj(t, kind, after)}
	if do == remedy.Create {
		s.Key = strings.Split(string(kind), "-")[0] + "-new"
	}
	s.Staged = kind == remedy.Policy && do != remedy.Delete && !strings.Contains(before, `"enabled"`)
	object.Complete(&s)
	return s
}

func create(t testing.TB, raw string) remedy.Step {
	return step(t, remedy.Create, remedy.Policy, "", "", raw)
}

// plan numbers steps.
func plan(steps ...remedy.Step) *remedy.Plan {
	p := &remedy.Plan{Form: remedy.Form, ID: "1a2b3c4d", Goal: "policies", Stages: []remedy.Stage{remedy.ReportOnly, remedy.Pilot, "10%", remedy.All},
		Pilot: []string{ben, guid('e', 0)}, Steps: steps}
	for i := range p.Steps {
		p.Steps[i].N = i + 1
		if p.Steps[i].Key != "" && i > 0 {
			p.Steps[i].Key += fmt.Sprint("-", i)
		}
	}
	return p
}

func people() map[string]gate.Person {
	out := map[string]gate.Person{}
	for _, u := range world().Users {
		out[u.ID] = gate.Person{Enabled: rehearse.KnownYes, Synced: rehearse.KnownNo}
	}
	out[sync] = gate.Person{Enabled: rehearse.KnownYes, Synced: rehearse.KnownNo, Sync: true}
	return out
}

// input is a gate at all, with all that can be known known.
func input(p *remedy.Plan) gate.Input {
	t := world()
	return gate.Input{Plan: p, Stage: remedy.All, Tenant: t, History: history(t, p), Accounts: accounts(t), People: people(), Actor: ada,
		Licences: gate.Licences{Known: true, P1: true, P2: true}, Now: now}
}

func accounts(t *access.Tenant) map[string]rehearse.Account {
	out := map[string]rehearse.Account{}
	for i := range t.Users {
		u := &t.Users[i]
		a := rehearse.Account{Class: "member"}
		if u.MethodsKnown {
			a.Registered, a.Resistant = rehearse.KnownNo, rehearse.KnownNo
			if u.Lasts() {
				a.Registered = rehearse.KnownYes
			}
			if u.CanResist() {
				a.Resistant = rehearse.KnownYes
			}
		}
		if u.ID == sync {
			a.Class = directory.ClassDirectorySync
		}
		out[u.ID] = a
	}
	return out
}
