package graph

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

const (
	resellerRel = "ffffffff-0000-4000-8000-000000000009-" + partnerID
	gdapPath    = "/v1.0/" + gdapBase
	relPath     = gdapPath + "/" + relID
	accessPath  = relPath + "/accessAssignments"
)

// giving is the body of an access assignment.
func giving(group string, roles ...string) string {
	return `{"accessContainer":{"accessContainerId":"` + group + `","accessContainerType":"securityGroup"},` + details(roles...) + `}`
}

func details(roles ...string) string {
	var out []string
	for _, r := range roles {
		out = append(out, `{"roleDefinitionId":"`+r+`"}`)
	}
	return `"accessDetails":{"unifiedRoles":[` + strings.Join(out, ",") + `]}`
}

func offer(name, duration, more string, roles ...string) string {
	return `{"displayName":"` + name + `","duration":"` + duration + `",` + more + details(roles...) + `}`
}

// What Graph refuses of relationships and their assignments.
func TestRefusalsOfGDAP(t *testing.T) {
	l := newLab(t)
	const unified, deleted = "bbbbbbbb-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.Groups.Put(&world.Group{ID: unified, Name: "A team", Unified: true})
		p.Relationships.Change(relID, func(r *world.Relationship) {
			r.Roles = append(r.Roles, entra.RolePartnerTier1Support, entra.RoleGlobalAdministrator)
			r.AutoExtend = "PT0S"
			r.Assignments[0].Roles = append(r.Assignments[0].Roles, entra.RolePartnerTier1Support, entra.RoleGlobalAdministrator)
		})
	})
	tok := l.admin()
	first := accessPath + "/assign-1"
	tag := func(path string) string { return str(l.get(path, tok).want(200).body, "@odata.etag") }
	for name, c := range map[string]struct {
		method, path, body, match string
		code                      int
	}{
		"a retired role in a new relationship": {"POST", gdapPath, offer("T", "P30D", "", entra.RolePartnerTier2Support), "", 400},
		"a retired role for another group":     {"POST", accessPath, giving(nested, entra.RolePartnerTier1Support), "", 400},
		"a role of the customer's own":         {"POST", gdapPath, offer("C", "P30D", "", "99999999-0000-4000-8000-000000000001"), "", 400},
		"a Microsoft 365 group":                {"POST", accessPath, giving(unified, entra.RoleGlobalReader), "", 400},
		"a group that is not there":            {"POST", accessPath, giving(deleted, entra.RoleGlobalReader), "", 400},
		"the same group again":                 {"POST", accessPath, giving(agents, entra.RoleGlobalReader), "", 409},
		"a role that it does not hold":         {"POST", accessPath, giving(nested, entra.RoleUserAdministrator), "", 400},
		"two years and a day":                  {"POST", gdapPath, offer("L", "P731D", "", entra.RoleGlobalReader), "", 400},
		"extension with Global Administrator": {"POST", gdapPath, offer("G", "P30D", `"autoExtendDuration":"P180D",`, entra.RoleGlobalAdministrator), "",
			400},
		"extension of an active one with it": {"PATCH", relPath, `{"autoExtendDuration":"P180D"}`, "*", 400},
		"another role out of an active one":  {"PATCH", relPath, "{" + details(entra.RoleGlobalReader, entra.RoleGlobalAdministrator) + "}", "*", 409},
		"another name of an active one":      {"PATCH", relPath, `{"displayName":"Other"}`, "*", 409},
		"without an ETag":                    {"PATCH", first, "{" + details(entra.RoleGlobalReader) + "}", "", 400},
		"an old ETag":                        {"PATCH", first, "{" + details(entra.RoleGlobalReader) + "}", `W/"old"`, 412},
		"approval by the partner":            {"POST", relPath + "/requests", `{"action":"approve"}`, "", 403},
	} {
		var head []string
		if c.match != "" {
			head = []string{"If-Match", c.match}
		}
		if a := l.do(c.method, c.path, tok, c.body, head...); a.code != c.code {
			t.Errorf("%s: %d, want %d: %s", name, a.code, c.code, a.raw)
		}
	}
	// Who has a retired role keeps it, and Global Administrator can be taken out of both.
	kept := details(entra.RoleGlobalReader, entra.RolePartnerTier1Support, entra.RoleGlobalAdministrator)
	l.do("PATCH", first, tok, "{"+kept+"}", "If-Match", tag(first)).want(202)
	l.do("PATCH", relPath, tok, "{"+details(entra.RoleGlobalReader, entra.RoleSecurityReader, entra.RoleReportsReader, entra.RolePartnerTier1Support)+"}",
		"If-Match", tag(relPath)).want(202)
	got := string(l.get(first, tok).want(200).raw)
	if strings.Contains(got, entra.RoleGlobalAdministrator) || !strings.Contains(got, entra.RolePartnerTier1Support) {
		t.Errorf("%s", got)
	}
	// Before that day the roles were given.
	asked := map[string]any{"unifiedRoles": []any{map[string]any{"roleDefinitionId": entra.RolePartnerTier1Support}}}
	if _, err := rolesIn(map[string]any{"accessDetails": asked}, partnerSupportEnds.Add(-time.Hour), nil); err != nil {
		t.Errorf("before the day: %v", err)
	}
}

// Ended relationships are listed for a year.
func TestEndedGDAPIsCleanedUp(t *testing.T) {
	l := newLab(t)
	l.do("POST", relPath+"/requests", l.admin(), `{"action":"terminate"}`).want(201)
	for _, c := range []struct {
		after time.Duration
		code  int
	}{{10 * time.Minute, 200}, {364 * 24 * time.Hour, 200}, {2 * 24 * time.Hour, 404}} {
		if _, err := l.clock.Jump(c.after); err != nil {
			t.Fatal(err)
		}
		a := l.get(relPath, l.admin()).want(c.code)
		listed := len(l.get(gdapPath, l.admin()).rows()) == 1
		if listed != (c.code == 200) || c.code == 200 && str(a.body, "status") != "terminated" {
			t.Errorf("after %v: listed %v, %v", c.after, listed, a.body)
		}
	}
}

// What takes time may be made to take forever, or to fail, of one relationship alone.
func TestGDAPThatNeverEnds(t *testing.T) {
	l := newLab(t)
	l.gate = gate.New(gate.Deps{Now: l.clock.Now})
	for _, c := range []struct {
		kind                  gate.Kind
		operation, assignment string
	}{{gate.NeverEnds, "running", "pending"}, {gate.EndsBadly, "failed", "error"}, {"", "succeeded", "active"}} {
		l.gate.Clear("")
		if c.kind != "" {
			if _, err := l.gate.Inject(gate.Fault{Service: gate.Graph, Kind: c.kind, PathPrefix: relPath}); err != nil {
				t.Fatal(err)
			}
		}
		made := l.do("POST", accessPath, l.admin(), giving(nested, entra.RoleGlobalReader)).want(201)
		at := accessPath + "/" + str(made.body, "id")
		changed := l.do("PATCH", accessPath+"/assign-1", l.admin(), "{"+details(entra.RoleGlobalReader)+"}", "If-Match", "*").want(202)
		if _, err := l.clock.Jump(48 * time.Hour); err != nil {
			t.Fatal(err)
		}
		_, op, _ := strings.Cut(changed.header.Get("Location"), "graph.test")
		if got := str(l.get(op, l.admin()).want(200).body, "status"); got != c.operation {
			t.Errorf("%q: the operation is %s", c.kind, got)
		}
		if got := str(l.get(at, l.admin()).want(200).body, "status"); got != c.assignment {
			t.Errorf("%q: the assignment is %s", c.kind, got)
		}
		still := strings.Contains(string(l.get(accessPath+"/assign-1", l.admin()).raw), entra.RoleReportsReader)
		if still != (c.kind != "") {
			t.Errorf("%q: the change came about: %v", c.kind, !still)
		}
		l.w.Read(func(s *world.State) {
			s.PartnerTenant().Relationships.Change(relID, func(r *world.Relationship) { r.Assignments = r.Assignments[:1] })
		})
	}
	// Another relationship is none of the fault's business.
	if _, err := l.gate.Inject(gate.Fault{Service: gate.Graph, Kind: gate.NeverEnds, PathPrefix: gdapPath + "/" + resellerRel}); err != nil {
		t.Fatal(err)
	}
	made := l.do("POST", accessPath, l.admin(), giving(nested, entra.RoleGlobalReader)).want(201)
	if _, err := l.clock.Jump(time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := str(l.get(accessPath+"/"+str(made.body, "id"), l.admin()).body, "status"); got != "active" {
		t.Errorf("hit by another's fault: %s", got)
	}
}

// Who is eligible for a group that carries delegated rights has them while the
// membership is activated, and not a moment longer.
func TestEligibleForADelegatedGroup(t *testing.T) {
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.GroupEligible.Put(&world.RoleAssignment{ID: "e1", Principal: plain, Role: nested, Scope: "/", Start: start.AddDate(-1, 0, 0)})
		p.Relationships.Change(relID, func(r *world.Relationship) {
			r.Roles = append(r.Roles, entra.RoleUserAdministrator)
			r.Assignments = append(r.Assignments, world.AccessAssignment{ID: "assign-2", Group: nested, Roles: []string{entra.RoleUserAdministrator},
				Status: "active", ETag: 1})
		})
	})
	const asks = "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests"
	write := func() int {
		return l.do("PATCH", "/v1.0/users/"+carla, l.aobo(plain, customerID, everything()), `{"jobTitle":"x"}`).code
	}
	body := func(action, why string) string {
		return `{"accessId":"member","principalId":"` + plain + `","groupId":"` + nested + `","action":"` + action + `"` + why +
			`,"scheduleInfo":{"expiration":{"type":"afterDuration","duration":"PT2H"}}}`
	}
	tok := func() string { return l.token(partnerID, plain, everything()) }
	if got := write(); got != 403 {
		t.Fatalf("eligible alone: %d", got)
	}
	l.do("POST", asks, tok(), body("selfActivate", "")).want(400) // without a reason
	l.do("POST", asks, l.admin(), body("selfActivate", `,"justification":"x"`)).want(403)
	if got := str(l.do("POST", asks, tok(), body("selfActivate", `,"justification":"a ticket"`)).want(201).body, "status"); got != "Provisioned" {
		t.Errorf("status %s", got)
	}
	list := "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleInstances?$filter=groupId eq '" + nested + "'"
	if n := len(l.get(list, l.admin()).rows()); n != 1 {
		t.Errorf("%d are in for a time", n)
	}
	if got := write(); got != 204 {
		t.Errorf("activated: %d", got)
	}
	if _, err := l.clock.Jump(3 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := write(); got != 403 {
		t.Errorf("after its time: %d", got)
	}
	if n := len(l.get(list, l.admin()).rows()); n != 0 {
		t.Errorf("%d are in after its time", n)
	}
}
