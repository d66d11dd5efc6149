package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
)

// TestLessIsNeverProved: of complete exports of random tenants and of every
// folder of the shared situations, take away any file, page, record of a counted
// list or member of a counted group: no question is proved then that was not
// proved before.
func TestLessIsNeverProved(t *testing.T) {
	t.Parallel()
	folders := map[string]map[string][]byte{}
	n := 60
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		folders[fmt.Sprint("random ", seed)] = randomExport(rand.New(rand.NewPCG(uint64(seed), 5)))
	}
	inputs, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "*", "*", "input"))
	if len(inputs) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the shared situations are missing")
		}
		t.Log("NOTE: the shared situations are missing: only random tenants were tried")
	}
	for i, in := range inputs {
		if testing.Short() && i%8 != 0 { // all of them take a minute, under the race detector many
			continue
		}
		files := map[string][]byte{}
		names, _ := filepath.Glob(filepath.Join(in, "*.json"))
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = counted(raw)
		}
		if len(files) > 0 {
			folders[in] = files
		}
	}
	proved, tried := 0, 0
	for name, files := range folders {
		whole, ok := proofs(t, files)
		if !ok {
			continue
		}
		for _, v := range whole {
			if v == access.Proved {
				proved++
			}
		}
		for file, text := range files {
			for what, less := range lessOf(text) {
				if disputed[file] {
					continue
				}
				part, ok := proofs(t, with(files, file, less))
				tried++
				for q, v := range part {
					if ok && v == access.Proved && whole[q] != access.Proved {
						t.Errorf("%s: %s of %s taken away: %s turns from %s to proved", name, what, file, q, whole[q])
					}
				}
			}
		}
	}
	t.Logf("%d proofs held, %d exports with less", proved, tried)
	if proved < n/6 || tried < 5*n {
		t.Errorf("one-sided: %d proofs in %d folders, %d exports with less", proved, len(folders), tried)
	}
}

// lessOf is a file with something taken away, by what it is; nil is the file
// itself.
func lessOf(text []byte) map[string][]byte {
	out := map[string][]byte{"file": nil}
	if page := firstPage(text); page != nil {
		out["page"] = page
	}
	var page map[string]any
	if json.Unmarshal(text, &page) != nil {
		return out
	}
	list, _ := page["value"].([]any)
	for i, record := range list {
		if i >= 8 {
			break
		}
		kept := append(append([]any{}, list[:i]...), list[i+1:]...)
		page["value"] = kept
		out[fmt.Sprint("record ", i+1)], _ = json.Marshal(page)
		page["value"] = list
		group, _ := record.(map[string]any)
		members, _ := group["members"].([]any)
		if len(members) > 0 {
			group["members"] = members[1:]
			out[fmt.Sprint("a member of record ", i+1)], _ = json.Marshal(page)
			group["members"] = members
		}
	}
	return out
}

// counted gives a page its count, and each member list in it, so that what is
// taken away leaves a trace.
func counted(text []byte) []byte {
	var page map[string]any
	if json.Unmarshal(text, &page) != nil {
		return text
	}
	list, ok := page["value"].([]any)
	if !ok || page["@odata.nextLink"] != nil || page["@odata.context"] == nil {
		return text
	}
	page["@odata.count"] = len(list)
	for _, record := range list {
		if group, ok := record.(map[string]any); ok && group["members@odata.nextLink"] == nil {
			if members, ok := group["members"].([]any); ok && len(members) != 20 {
				group["members@odata.count"] = len(members)
			}
		}
	}
	out, err := json.Marshal(page)
	if err != nil {
		return text
	}
	return out
}

func proofs(t *testing.T, files map[string][]byte) (map[string]access.ProofVerdict, bool) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := app.Prove(t.Context(), app.Reading{From: []string{dir}, At: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)}, access.Questions())
	if err != nil {
		return nil, false // an export that does not show the settings is refused
	}
	out := map[string]access.ProofVerdict{}
	for _, p := range r.Proofs {
		out[p.Question] = p.Verdict
		if strings.HasPrefix(p.Reason, "no account in the export is asked about") {
			out[p.Question] = access.Proved // of nobody; whoever turns up with less may well be covered
		}
	}
	return out, true
}

// randomExport writes a small tenant as Graph would, all of it, with counts.
func randomExport(r *rand.Rand) map[string][]byte {
	id := func(kind, n int) string { return fmt.Sprintf("%d0000000-0000-4000-8000-%012d", kind, n) }
	const userAdmin, helpdesk = "fe930be7-5e62-47db-91af-98c3a49a38b1", "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	type object = map[string]any
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var users, registrations, groups, roles, eligible, groupEligible, policies []any
	users = []any{}
	for i := range 4 {
		upn := fmt.Sprintf("u%d@northwind.example", i)
		users = append(users, object{"id": id(1, i), "userPrincipalName": upn, "displayName": upn, "userType": pick("Member", "Member", "Guest"),
			"creationType": nil, "accountEnabled": r.IntN(6) > 0})
		registrations = append(registrations, object{"id": id(1, i), "userPrincipalName": upn, "isMfaRegistered": true, "isMfaCapable": true,
			"methodsRegistered": []string{"mobilePhone"}})
	}
	for g := range 2 {
		members := []any{}
		for i := range 4 {
			if r.IntN(3) == 0 {
				members = append(members, object{"@odata.type": "#microsoft.graph.user", "id": id(1, i)})
			}
		}
		if g == 0 && r.IntN(3) == 0 {
			members = append(members, object{"@odata.type": "#microsoft.graph.group", "id": id(2, 1)})
		}
		groups = append(groups, object{"id": id(2, g), "displayName": fmt.Sprint("G", g), "securityEnabled": true, "groupTypes": []string{},
			"members": members})
		if r.IntN(3) == 0 {
			groupEligible = append(groupEligible, object{"id": fmt.Sprint("ge", g), "principalId": id(1, r.IntN(4)), "groupId": id(2, g),
				"accessId": "member", "memberType": "direct", "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": nil})
		}
	}
	for k := range 3 {
		role := object{"id": fmt.Sprint("r", k), "principalId": pick(id(1, 0), id(1, 1), id(2, 0)), "roleDefinitionId": pick(userAdmin, helpdesk),
			"directoryScopeId": pick("/", "/", "/administrativeUnits/x")}
		if r.IntN(2) == 0 {
			roles = append(roles, role)
			continue
		}
		role["roleEligibilityScheduleId"], role["memberType"], role["endDateTime"] = "s", "Direct", pick("2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
		eligible = append(eligible, role)
	}
	policy := func(n int, users object) {
		policies = append(policies, object{
			"id": id(9, n), "displayName": fmt.Sprint("P", n), "state": pick("enabled", "enabled", "enabled", "disabled"),
			"conditions":    object{"users": users, "applications": object{"includeApplications": []string{"All"}}, "clientAppTypes": []string{"all"}},
			"grantControls": object{"operator": "OR", "builtInControls": []string{"mfa"}}, "sessionControls": nil,
		})
	}
	first, second := object{"includeUsers": []string{"All"}}, object{}
	switch r.IntN(5) {
	case 0:
		g := []string{id(2, r.IntN(2))}
		first["excludeGroups"], second["includeGroups"] = g, g
	case 1:
		role := []string{pick(userAdmin, helpdesk)}
		first["excludeRoles"], second["includeRoles"] = role, role
	case 2:
		u := []string{id(1, r.IntN(4))}
		first["excludeUsers"], second["includeUsers"] = u, u
	case 3:
		first["excludeUsers"], second["includeUsers"] = []string{"GuestsOrExternalUsers"}, []string{"GuestsOrExternalUsers"}
	}
	policy(0, first)
	if len(second) > 0 && r.IntN(3) > 0 {
		policy(1, second)
	}
	files := map[string][]byte{}
	write := func(name, set string, list []any) {
		if list == nil {
			list = []any{}
		}
		raw, err := json.Marshal(object{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#" + set, "value": list})
		if err != nil {
			panic(err)
		}
		files[name+".json"] = counted(raw)
	}
	write("users", "users", users)
	write("registration", "reports/authenticationMethods/userRegistrationDetails", registrations)
	write("groups", "groups", groups)
	write("roleAssignments", "roleManagement/directory/roleAssignments", roles)
	write("roleEligibility", "roleManagement/directory/roleEligibilityScheduleInstances", eligible)
	write("groupEligibility", "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", groupEligible)
	write("policies", "identity/conditionalAccess/policies", policies)
	write("namedLocations", "identity/conditionalAccess/namedLocations", nil)
	files["defaults.json"] = []byte(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity","id":"` +
		strings.Repeat("0", 8) + `-0000-0000-0000-000000000005","displayName":"Security Defaults","isEnabled":false}`)
	return files
}
