package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/labtest"
)

// TestCollect: what a partner does with a live tenant: connect, look at the plan, read,
// and see what was read and what was not.
func TestCollect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.lesser(labtest.SAMAgent)
	if _, stdout, stderr, code := h.connect(labtest.SAMAgent, "--feature", "customers,forecast,collect"); code != 0 {
		t.Fatalf("%d %s %s", code, stdout, stderr)
	}
	run := func(line string, want int, says ...string) string {
		t.Helper()
		out, errs, code := h.run(strings.Fields(line)...)
		if code != want {
			t.Errorf("%s: %d\n%s%s", line, code, out, errs)
		}
		for _, s := range says {
			if !strings.Contains(out+errs, s) {
				t.Errorf("%s does not say %q:\n%s%s", line, s, out, errs)
			}
		}
		return out
	}
	run("collect status", 0, "Nothing was read yet: partnerguard collect --now")
	run("collect plan", 0, "requests to 1 tenant", "signIns.interactiveUser", "who signed in", "permission RoleAssignmentSchedule.Read.Directory",
		"partnerguard connect --feature collect")
	run("collect --now --resource nonsense", 2, "no resource has the name", "partnerguard collect plan lists them")
	run("collect --tenant nobody.example", 1, "no tenant", "partnerguard collect status lists them")
	run("collect --now --tenant partner --resource organization,users,"+
		"conditionalAccessPolicies,signIns.interactiveUser,customers,perUserMfa", 0,
		"of 1 tenant read", "perUserMfa", "refused")
	run("collect --tenant partner --resource organization", 0, "0 pages of 1 tenant read") // it is not due
	run("collect status", 0, "contoso.com", "wingtip.example")
	run("collect status --tenant partner", 0, "conditionalAccessPolicies", "refused")
	run("collect --now --tenant wingtip.example", 0, "AADSTS90099", "partnerguard customers consent --apply --customer wingtip.example")
	run("trail verify", 0)

	out := run("gaps --tenant partner --output json", 3)
	var got struct{ Gaps []evidence.Gap }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	by := map[string]evidence.Gap{}
	for _, g := range got.Gaps {
		by[g.Resource] = g
	}
	if g := by["perUserMfa"]; g.Reason != evidence.GapPermission || !strings.Contains(g.Needs, "Policy.Read.All") || g.Request == "" {
		t.Errorf("%+v", g)
	}
	if g := by["groups"]; g.Reason != evidence.GapNever || !strings.HasPrefix(g.Request, "GET /groups, then") {
		t.Errorf("%+v", g)
	}
	if _, is := by["organization"]; is || by["signIns.interactiveUser"].Resource != "" {
		t.Errorf("what was read is a gap: %+v", got.Gaps)
	}
}

// lesser makes a Security Reader of somebody who is a Global Reader: who may not read
// what of per-user MFA an account has.
func (h *house) lesser(upn string) {
	h.Helper()
	graph := func(method, path, body string, into any) {
		h.Helper()
		words := []string{"cloud", "graph", method, path}
		if body != "" {
			words = append(words, "--body", body)
		}
		out, errs, code := h.run(words...)
		if code != 0 {
			h.Fatalf("%s %s: %d %s", method, path, code, errs)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(out), into); err != nil {
				h.Fatal(err)
			}
		}
	}
	var who struct{ ID string }
	graph("GET", "/v1.0/users/"+upn, "", &who)
	const assignments = "/v1.0/roleManagement/directory/roleAssignments"
	var held struct{ Value []struct{ ID string } }
	graph("GET", assignments+"?$filter=principalId eq '"+who.ID+"'", "", &held)
	graph("POST", assignments, `{"principalId":"`+who.ID+`","roleDefinitionId":"`+entra.RoleSecurityReader+`","directoryScopeId":"/"}`, nil)
	for _, a := range held.Value {
		graph("DELETE", assignments+"/"+a.ID, "", nil)
	}
}
