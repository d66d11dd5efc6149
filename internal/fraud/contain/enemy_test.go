//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// books is a directory and Azure as an enemy left them: what is not in them is absent.
type books map[string]string

func (b books) Read(_ context.Context, path string) (msapi.Reply, error) {
	path, _, _ = strings.Cut(path, "?")
	body, is := b[path]
	if !is {
		return msapi.Reply{}, &msapi.APIError{Status: http.StatusNotFound}
	}
	return msapi.Reply{Body: []byte(body)}, nil
}

func (b books) Write(context.Context, msapi.Write) (msapi.Reply, error) {
	return msapi.Reply{}, errors.New("nothing is written here")
}

func (b books) Get(ctx context.Context, path string) (json.RawMessage, error) {
	r, err := b.Read(ctx, path)
	return r.Body, err
}

func (b books) Do(context.Context, string, string, any) (string, error) {
	return "", errors.New("nothing is written here")
}

func (b books) Operation(context.Context, string) (msapi.Operation, error) {
	return msapi.Operation{}, nil
}

func (b books) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		r, err := b.Read(ctx, path)
		if err != nil {
			yield(nil, err)
			return
		}
		var list []json.RawMessage
		_ = json.Unmarshal(r.Body, &list)
		for _, raw := range list {
			if !yield(raw, nil) {
				return
			}
		}
	}
}

const (
	enemyHome = "aaaaaaaa-0000-4000-8000-00000000000a"
	enemyAway = "bbbbbbbb-0000-4000-8000-00000000000b"
	enemySub  = "/subscriptions/cccccccc-0000-4000-8000-00000000000c"
	enemyUser = "dddddddd-0000-4000-8000-00000000000d"
	adminRows = "/v1.0/roleManagement/directory/roleAssignments"
)

// TestOurselvesByOtherNames: the account is known by its name where the connection has no id
// of it, and the tenant however it is spelled.
func TestOurselvesByOtherNames(t *testing.T) {
	t.Parallel()
	user := fmt.Sprintf(`{"id":%q,"userPrincipalName":"Sam.Agent@home.example","accountEnabled":true}`, enemyUser)
	home := books{"/v1.0/users/" + enemyUser: user, adminRows: "[]"}
	for name, self := range map[string]Self{
		"by its name":          {Tenant: enemyHome, UPN: "sam.agent@HOME.example"},
		"a tenant in capitals": {Tenant: strings.ToUpper(enemyHome), User: enemyUser, UPN: "sam.agent@home.example"},
	} {
		c := &Cloud{Home: home, Graph: books{}, ARM: books{}, Self: self}
		for _, k := range []Kind{DisableUser, RevokeSessions} {
			s := Step{Kind: k, Tenant: enemyHome, Target: enemyUser}
			if err := c.guard(t.Context(), []Step{s}, &s); !errors.Is(err, problem.Conflict) {
				t.Errorf("%s, %s: %v", name, k, err)
			}
		}
	}
}

// TestManyAdministrators: among more than are looked at anybody may be an administrator, so one
// who can sign in must be left.
func TestManyAdministrators(t *testing.T) {
	t.Parallel()
	away := books{"/v1.0/users/" + enemyUser: fmt.Sprintf(`{"id":%q,"accountEnabled":true}`, enemyUser)}
	group := "eeeeeeee-0000-4000-8000-00000000000e"
	away[adminRows] = fmt.Sprintf(`[{"principalId":%q,"directoryScopeId":"/"}]`, group)
	var members []string
	for i := range maxAdmins + 5 {
		id := fmt.Sprintf("ffffffff-0000-4000-8000-%012d", i)
		members = append(members, fmt.Sprintf(`{"id":%q}`, id))
		away["/v1.0/users/"+id] = fmt.Sprintf(`{"id":%q,"accountEnabled":false}`, id)
	}
	away["/v1.0/groups/"+group+"/transitiveMembers"] = "[" + strings.Join(members, ",") + "]"
	c := &Cloud{Home: books{}, Graph: away, Self: Self{Tenant: enemyHome, User: "x"}}
	s := Step{Kind: DisableUser, Tenant: enemyAway, Target: enemyUser, Name: "boss"}
	if err := c.guard(t.Context(), []Step{s}, &s); !errors.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
	away["/v1.0/users/ffffffff-0000-4000-8000-000000000003"] = `{"id":"ffffffff-0000-4000-8000-000000000003","accountEnabled":true}`
	if err := c.guard(t.Context(), []Step{s}, &s); err != nil {
		t.Errorf("with another one: %v", err)
	}
}

// TestRolesOfAnEnemy: an Owner of a resource group is none of the subscription, our app's role
// stays under whatever id its object has, and what is not listed is not removed.
func TestRolesOfAnEnemy(t *testing.T) {
	t.Parallel()
	role := func(n int, scope, kind, principal string) string {
		return fmt.Sprintf(`{"id":"%s/providers/Microsoft.Authorization/roleAssignments/%d","properties":{"roleDefinitionId":"/x/%s","principalId":%q,`+
			`"principalType":%q,"scope":%q}}`, scope, n, azureOwner, principal, kind, scope)
	}
	app := "99999999-0000-4000-8000-000000000009"
	group := enemySub + "/resourceGroups/rg"
	above := "/providers/Microsoft.Management/managementGroups/m"
	other := role(3, enemySub, "ServicePrincipal", "stranger")
	for name, x := range map[string]struct {
		rows []string
		want error
	}{
		"the last Owner, beside one of a group": {[]string{role(1, enemySub, "User", enemyUser), role(2, group, "User", "y")}, problem.Conflict},
		"beside one above it":                   {[]string{role(1, enemySub, "User", enemyUser), role(2, above, "User", "y")}, nil},
		"the only one of a group":               {[]string{role(1, enemySub, "User", enemyUser), other}, nil},
		"our app's":                             {[]string{role(1, enemySub, "ServicePrincipal", app), other}, problem.Conflict},
		"one that is not listed at this moment": {[]string{other}, problem.Unavailable},
	} {
		azure := books{enemySub + "/providers/Microsoft.Authorization/roleAssignments": "[" + strings.Join(x.rows, ",") + "]"}
		away := books{"/v1.0/servicePrincipals/" + app: fmt.Sprintf(`{"id":%q,"appId":"Our-App"}`, app)}
		c := &Cloud{Home: books{}, Graph: away, ARM: azure, Self: Self{Tenant: enemyHome, User: "me", App: "our-app"}}
		s := Step{Kind: RemoveRole, Tenant: enemyAway, Target: enemySub + "/providers/Microsoft.Authorization/roleAssignments/1"}
		if err := c.guard(t.Context(), []Step{s}, &s); x.want == nil && err != nil || x.want != nil && !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMadeAnew: a machine that has the name of one of the plan, and was made since, is neither
// stopped nor started.
func TestMadeAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, _ := started(t, r, func(s *Step) bool { return s.Kind == StopSet && strings.HasSuffix(s.Target, "/miners") })
	later := func(q *http.Request) *http.Response {
		if q.Method != http.MethodGet || !strings.HasSuffix(q.URL.Path, "/virtualMachineScaleSets/miners") {
			return nil
		}
		return respond(q, 200, fmt.Sprintf(`{"properties":{"timeCreated":%q}}`, r.lab.Now().Format(time.RFC3339)))
	}
	between := func(f func(*http.Request) *http.Response) {
		r.lab.Jump(10 * time.Minute)
		r.wire.mu.Lock()
		defer r.wire.mu.Unlock()
		r.wire.before = f
	}
	between(later)
	s := r.drive(r.Containment, run.ID, 30)
	if s.State != Over || s.Counts[Failed] != 1 || !strings.Contains(strings.Join(s.Left, ""), "made anew") || len(r.wireWrites()) != 0 {
		t.Fatalf("%s %v %q", s.State, s.Counts, s.Left)
	}
	between(nil)
	_, err := r.Apply(t.Context(), r.planOf(run))
	r.ok(err)
	if s = r.drive(r.Containment, run.ID, 60); s.Counts[Done] != 1 {
		t.Fatalf("%s %v %q", s.State, s.Counts, s.Left)
	}
	between(later)
	before := len(r.wireWrites())
	_, err = r.Rollback(t.Context(), run.ID, "it was ours")
	r.ok(err)
	if s = r.drive(r.Containment, run.ID, 60); s.Counts[NotTaken] != 1 || len(r.wireWrites()) != before {
		t.Errorf("%s %v %q %q", s.State, s.Counts, s.Left, r.wireWrites()[before:])
	}
}

// planOf is the plan of a run, with its steps.
func (r *rig) planOf(run Run) Plan {
	r.Helper()
	p := run.Plan
	for _, x := range r.status(run.ID).Steps {
		p.Steps = append(p.Steps, x.Step)
	}
	return p
}

// TestOverStays: older rows of a run that is over have nothing stopped a second time.
func TestOverStays(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, _ := started(t, r, func(s *Step) bool { return s.Kind == StopSet && strings.HasSuffix(s.Target, "/miners") })
	for _, table := range []string{"contain_runs", "contain_steps"} {
		_, err := r.db.ExecContext(t.Context(), "CREATE TABLE old_"+table+" AS SELECT * FROM "+table)
		r.ok(err)
	}
	if s := r.drive(r.Containment, run.ID, 60); s.State != Over {
		t.Fatal(s.State)
	}
	for _, table := range []string{"contain_runs", "contain_steps"} {
		_, err := r.db.ExecContext(t.Context(), "DELETE FROM "+table)
		r.ok(err)
		_, err = r.db.ExecContext(t.Context(), "INSERT INTO "+table+" SELECT * FROM old_"+table)
		r.ok(err)
	}
	if _, err := r.Do(t.Context(), run.ID); !errors.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
}
