//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
	remedyrun "partnerguard/internal/remedy/run"
)

// TestRolesUnread: where roles were not read, the gate does not say that there are no
// administrators: it is not known, the one request settles it, and nobody may go on without.
// What shuts the acting account out whatever its roles stays what it is.
func TestRolesUnread(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	const ada = "a0000000-0000-4000-8000-000000000001"
	look := func(r *Remedies, control, actor string) *remedy.Gate {
		p := &remedy.Plan{ID: "1a2b3c4d", Stages: []remedy.Stage{remedy.All}, Tenant: remedy.Tenant{ID: ada}, Serves: []string{"mfa-every-sign-in"},
			Steps: []remedy.Step{{N: 1, Do: remedy.Create, Kind: remedy.Policy, Key: "policy-a", Name: "P", Text: "make it", After: []byte(
				`{"displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},` +
					`"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["` + control + `"]}}`)}}}
		in := gate.Input{Plan: p, Stage: remedy.All, Tenant: r.in.Tenant, Actor: actor, Now: now, Licences: gate.Licences{Known: true, P1: true},
			People: map[string]gate.Person{ada: {Enabled: rehearse.KnownYes, Synced: rehearse.KnownNo}}}
		g, err := gate.Look(in)
		if err != nil {
			t.Fatal(err)
		}
		r.tellRoles(g, nil)
		return g
	}
	unread := func() *Remedies {
		return &Remedies{in: find.Input{Tenant: &access.Tenant{Whole: true, Defaults: &access.SecurityDefaults{}, Users: []access.Subject{
			{ID: ada, Name: "ada@contoso.example", MethodsKnown: true, Methods: []string{"fido2SecurityKey"}}}}}, at: now}
	}
	g := look(unread(), "mfa", ada)
	n := 0
	for _, f := range g.Findings {
		if f.Kind == remedy.LocksOut {
			t.Errorf("roles were not read: %s", f.Text)
		}
		if f.Kind == remedy.Unknown && strings.Contains(f.Settles, "roleManagement/directory/roleAssignments") && !f.Acceptable {
			n++
		}
	}
	if n != 2 || g.Passed {
		t.Errorf("%d findings ask for roles, passed %v: %+v", n, g.Passed, g.Findings)
	}
	g = look(unread(), "block", ada)
	if !slices.ContainsFunc(g.Findings, func(f remedy.Finding) bool { return f.Kind == remedy.LocksOut && f.SubjectID == ada }) {
		t.Errorf("it shuts itself out: %+v", g.Findings)
	}
	r := unread()
	if r.in.Tenant.RolesKnown = true; !slices.ContainsFunc(look(r, "mfa", ada).Findings, func(f remedy.Finding) bool { return f.Kind == remedy.LocksOut }) {
		t.Error("roles were read, and there are no administrators")
	}

	// So of accounts.
	for days, want := range map[int]bool{0: false, 3: true} {
		r.live, r.rolesNow, r.peopleNow, r.peopleAt = true, true, false, now.AddDate(0, 0, -days)
		g := &remedy.Gate{Passed: true}
		if r.tellRoles(g, nil); g.Passed == want || len(g.Findings) > 0 != want {
			t.Errorf("accounts of %d days: %+v", days, g.Findings)
		}
	}

	// Read of old, and not now: somebody may take that upon themselves, by name.
	for days, want := range map[int]bool{0: false, 3: true} {
		r.live, r.rolesNow, r.rolesAt, r.peopleNow = true, false, now.AddDate(0, 0, -days), true
		g := &remedy.Gate{Passed: true}
		r.tellRoles(g, nil)
		if g.Passed == want || len(g.Findings) > 0 != want {
			t.Fatalf("%d days: %+v", days, g.Findings)
		}
		if want {
			id := g.Findings[0].ID
			g = &remedy.Gate{Passed: true}
			r.tellRoles(g, []remedy.Acceptance{{Finding: id, By: "Ada", Why: "nobody changed", Until: now.AddDate(0, 0, 1)}})
			if !g.Passed || g.Findings[0].Accepted == nil {
				t.Errorf("%+v", g)
			}
		}
	}
}

// cloudGraph is Graph as the partner cloud's administrator has it; what begins with deny it
// may not.
type cloudGraph struct {
	c    *control.Client
	deny string
}

func (g *cloudGraph) ask(ctx context.Context, method, path string, body any) (msapi.Reply, error) {
	if g.deny != "" && strings.HasPrefix(path, g.deny) {
		return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Status: http.StatusForbidden, Code: "Authorization_RequestDenied"}
	}
	var raw json.RawMessage
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	a, err := g.c.Graph(ctx, control.GraphCall{Method: method, Path: path, Body: raw})
	if err == nil && a.Status >= 300 {
		err = &msapi.APIError{Service: "Microsoft Graph", Status: a.Status, Code: string(a.Body)}
	}
	return msapi.Reply{Status: a.Status, Body: a.Body}, err
}

func (g *cloudGraph) Read(ctx context.Context, path string) (msapi.Reply, error) {
	return g.ask(ctx, http.MethodGet, path, nil)
}

func (g *cloudGraph) Write(ctx context.Context, w msapi.Write) (msapi.Reply, error) {
	return g.ask(ctx, w.Method, w.Path, w.Body)
}

func (g *cloudGraph) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		r, err := g.Read(ctx, path)
		var page struct{ Value []json.RawMessage }
		if err == nil {
			err = json.Unmarshal(r.Body, &page)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, raw := range page.Value {
			if !yield(raw, nil) {
				return
			}
		}
	}
}

// TestLiveGroupsAndRoles: who is in a stage's groups, by another group too, and who holds
// roles, is as the cloud has it at this moment; a group that is gone has nobody in it; roles
// that may not be read are not "none".
func TestLiveGroupsAndRoles(t *testing.T) {
	t.Parallel()
	lab := labtest.Start(t)
	g := &cloudGraph{c: control.Dial(lab.Info.Control, lab.Info.ControlSecret)}
	ctx := t.Context()
	do := func(method, path string, body any) (id string) {
		t.Helper()
		r, err := g.ask(ctx, method, path, body)
		if err != nil {
			t.Fatal(method, path, err)
		}
		var made struct{ ID string }
		_ = json.Unmarshal(r.Body, &made)
		return strings.ToLower(made.ID)
	}
	var users struct{ Value []struct{ ID string } }
	r, err := g.Read(ctx, "/v1.0/users?$top=3&$select=id")
	if err != nil || json.Unmarshal(r.Body, &users) != nil || len(users.Value) < 3 {
		t.Fatal(err)
	}
	group := func(name string) string {
		return do("POST", "/v1.0/groups", map[string]any{"displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true})
	}
	ref := func(id string) any {
		return map[string]string{"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/" + id}
	}
	pilot, inner := group("pilot"), group("inner")
	a, b, c := users.Value[0].ID, users.Value[1].ID, users.Value[2].ID
	do("POST", "/v1.0/groups/"+pilot+"/members/$ref", ref(a))
	do("POST", "/v1.0/groups/"+pilot+"/members/$ref", ref(inner))
	do("POST", "/v1.0/groups/"+inner+"/members/$ref", ref(b))
	ask := &remedyrun.Ask{Plan: &remedy.Plan{}, IDs: map[string]string{"pilot": strings.ToUpper(pilot), "policy-a": inner}, Cloud: &remedyrun.Cloud{Graph: g}}
	in := func() (out []bool, over *access.Tenant) {
		t.Helper()
		over = &access.Tenant{Users: []access.Subject{{ID: a}, {ID: b}, {ID: c, Groups: []string{pilot}}}}
		was := over.Users
		over.Users = slices.Clone(was)
		if err := liveGroups(ctx, over, ask); err != nil {
			t.Fatal(err)
		}
		for i := range over.Users {
			out = append(out, slices.Contains(over.Users[i].Groups, pilot))
		}
		if !over.KnownGroups[pilot] || over.KnownGroups[inner] || len(was[2].Groups) != 1 {
			t.Errorf("%v; before %v", over.KnownGroups, was)
		}
		return out, over
	}
	if is, _ := in(); !slices.Equal(is, []bool{true, true, false}) {
		t.Errorf("in the pilot: %v", is)
	}
	do("DELETE", "/v1.0/groups/"+pilot+"/members/"+a+"/$ref", nil)
	if is, _ := in(); !slices.Equal(is, []bool{false, true, false}) {
		t.Errorf("one was taken out: %v", is)
	}
	do("DELETE", "/v1.0/groups/"+pilot, nil)
	is, over := in()
	if slices.Contains(is, true) {
		t.Errorf("the group is gone: %v", is)
	}

	read, err := liveRoles(ctx, over, ask)
	if err != nil || !read || !over.RolesKnown {
		t.Fatalf("%v %v", read, err)
	}
	over.RolesKnown, over.RolesLack = false, evidence.RequestFor(evidence.RoleAssignment)
	over.Users[0].Roles = []string{"kept"}
	g.deny = "/v1.0/roleManagement"
	if read, err = liveRoles(ctx, over, ask); err != nil || read || over.RolesKnown || !slices.Equal(over.Users[0].Roles, []string{"kept"}) {
		t.Errorf("%v %v %+v", read, err, over.Users[0])
	}
	ask.Plan.Steps = []remedy.Step{{Kind: remedy.Role, Do: remedy.Delete}}
	if _, err = liveRoles(ctx, over, ask); !errors.Is(err, problem.Forbidden) || !strings.Contains(problem.HintOf(err), "RoleManagement.Read.Directory") {
		t.Errorf("%v (%s)", err, problem.HintOf(err))
	}
}
