package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/posture"
)

// watched is an installation of the partner cloud whose archive is filled as collecting
// fills it, by what the cloud answers whoever runs it.
type watched struct {
	*testing.T
	lab *labtest.Lab
	s   *app.Installation
}

func newWatched(t *testing.T, change ...func(*partnercloud.Options)) *watched {
	t.Helper()
	lab := labtest.Start(t, change...)
	o := newPlace(t).options(false)
	o.Config.Cloud = app.LabName
	o.Now = lab.Now
	o.Lab = &app.Lab{Info: &lab.Info, Clock: func(context.Context) (time.Time, error) { return lab.Now(), nil }}
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &watched{t, lab, s}
}

// collectedBy are the lists that are read, with their paths and the way of reading.
var collectedBy = []struct{ resource, way, path string }{
	{"users", "whole", "/v1.0/users?$select=id,userPrincipalName,displayName,userType,accountEnabled,onPremisesSyncEnabled,createdDateTime,externalUserState," +
		"creationType,assignedLicenses,mail&$top=999"},
	{"conditionalAccessPolicies", "whole", "/beta/identity/conditionalAccess/policies"},
	{"namedLocations", "whole", "/v1.0/identity/conditionalAccess/namedLocations"},
	{"authenticationStrengthPolicies", "whole", "/v1.0/policies/authenticationStrengthPolicies"},
	{"identitySecurityDefaultsEnforcementPolicy", "whole", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"},
	{"authenticationMethodsPolicy", "whole", "/v1.0/policies/authenticationMethodsPolicy"},
	{"organization", "whole", "/v1.0/organization"},
	{"userRegistrationDetails", "whole", "/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999"},
	{"roleDefinitions", "whole", "/v1.0/roleManagement/directory/roleDefinitions"},
	{"roleAssignments", "whole", "/v1.0/roleManagement/directory/roleAssignments"},
	{"roleEligibilityScheduleInstances", "whole", "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances"},
	{"groups", "whole", "/v1.0/groups"},
	{"signIns.interactiveUser", "sliced", "/beta/auditLogs/signIns?$top=999"},
	{"directoryAudits", "sliced", "/v1.0/auditLogs/directoryAudits?$top=999"},
}

// collect reads all of it into the archive.
func (w *watched) collect(from time.Time) {
	w.Helper()
	tenant := w.lab.Info.Tenant.ID
	out, err := w.s.Archive.Begin(tenant)
	if err != nil {
		w.Fatal(err)
	}
	asked := control.Dial(w.lab.Info.Control, w.lab.Info.ControlSecret)
	now := w.s.Now()
	for _, r := range collectedBy {
		run := archive.Run{ID: archive.NewRun(now), Tenant: tenant, Resource: r.resource, Way: r.way, Began: now, Ended: now, Whole: true}
		if r.way == "sliced" {
			run.From, run.To = from, now
		}
		for next := r.path; next != ""; {
			a, err := asked.Graph(w.Context(), control.GraphCall{Method: http.MethodGet, Path: next})
			if err != nil || a.Status != http.StatusOK {
				w.Fatalf("%s: %d %v %s", next, a.Status, err, a.Body)
			}
			var page struct {
				Next  string `json:"@odata.nextLink"`
				Value []struct{ ID string }
			}
			if err := json.Unmarshal(a.Body, &page); err != nil {
				w.Fatal(err)
			}
			if err := out.Add(archive.Page{Tenant: tenant, Resource: r.resource, Run: run.ID, Number: run.Pages, Request: "GET " + next, Status: a.Status,
				From: run.From, To: run.To, At: now, Body: a.Body}); err != nil {
				w.Fatal(err)
			}
			run.Pages++
			if r.resource == "groups" {
				for _, g := range page.Value {
					path := "/v1.0/groups/" + g.ID + "/members?$select=id,userPrincipalName"
					m, err := asked.Graph(w.Context(), control.GraphCall{Method: http.MethodGet, Path: path})
					if err != nil || out.Add(archive.Page{Tenant: tenant, Resource: r.resource, Run: run.ID, Number: run.Pages, Of: g.ID,
						Request: "GET " + path,
						Status:  m.Status, At: now, Body: m.Body}) != nil {
						w.Fatal(err)
					}
					run.Pages++
				}
			}
			next = ""
			if page.Next != "" {
				u, err := url.Parse(page.Next)
				if err != nil {
					w.Fatal(err)
				}
				next = u.RequestURI()
			}
		}
		if err := out.End(run); err != nil {
			w.Fatal(err)
		}
	}
	if _, err := out.Commit(w.Context(), nil); err != nil {
		w.Fatal(err)
	}
}

// as calls Graph as one of the cloud's people, by the tool's app.
func (w *watched) as(upn, scope, method, path, body string) string {
	w.Helper()
	const tool = "14d82eec-204b-4c2f-b7e8-296a70dab67e" // Microsoft Graph Command Line Tools
	g := w.lab.Grant(tool, upn, func(r *msapi.AuthorizeRequest) {
		r.Redirect, r.Resource, r.Scope = "http://localhost:9911/", "", scope
	})
	req, err := http.NewRequestWithContext(w.Context(), method, w.lab.Cloud.Graph+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.Access.Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := w.lab.Server.Transport().RoundTrip(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		w.Fatalf("%s %s: %d %v %s", method, path, res.StatusCode, err, b)
	}
	return string(b)
}

// policy is the id of a policy by its name.
func (w *watched) policy(name string) (id string) {
	w.Helper()
	a, err := control.Dial(w.lab.Info.Control, w.lab.Info.ControlSecret).Graph(w.Context(), control.GraphCall{Method: http.MethodGet, Path: read0})
	var list struct {
		Value []struct{ ID, DisplayName string }
	}
	if err == nil {
		err = json.Unmarshal(a.Body, &list)
	}
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range list.Value {
		if p.DisplayName == name {
			id = p.ID
		}
	}
	if id == "" {
		w.Fatalf("no policy %s: %s", name, a.Body)
	}
	return id
}

const (
	read0    = "/v1.0/identity/conditionalAccess/policies"
	mayWrite = "https://graph.microsoft.com/Policy.ReadWrite.ConditionalAccess https://graph.microsoft.com/Policy.Read.All"
)

// TestChangesNamesTheEdit: thirty days later a policy was edited by the partner's
// administrator through Graph: changes names the edit with its member, who made it
// and when, and the verdict and the accounts that it turned.
func TestChangesNamesTheEdit(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 3 })
	tenant, id := w.lab.Info.Tenant.ID, w.policy("CA002 - All users - Require MFA")
	users := func(excluded string) string {
		return `{"conditions":{"users":{"includeUsers":["All"],"excludeUsers":[],"excludeGroups":[` + excluded + `]}}}`
	}
	w.lab.Graph(http.MethodPatch, read0+"/"+id, users(""))
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	_, first, err := w.s.KeepRound(t.Context(), tenant)
	if err != nil || !first.First {
		t.Fatalf("%+v %v", first, err)
	}
	w.lab.Jump(12 * 24 * time.Hour)
	var group string
	w.lab.Server.World.Read(func(s *world.State) {
		for g := range s.PartnerTenant().Groups.All() {
			if g.Name == "CA-Exclude-Scripts" {
				group = g.ID
			}
		}
	})
	at := w.lab.Now()
	w.as(labtest.Admin, mayWrite, http.MethodPatch, read0+"/"+id, users(`"`+group+`"`))
	w.lab.Jump(18 * 24 * time.Hour)
	w.collect(w.lab.Now().AddDate(0, 0, -31))
	_, kept, err := w.s.KeepRound(t.Context(), tenant)
	if err != nil || kept.First || kept.Same {
		t.Fatalf("%+v %v", kept, err)
	}
	c, err := w.s.Posture.Changes(t.Context(), tenant, w.s.Now().AddDate(0, 0, -20))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(c, "", " ")
	i := slices.IndexFunc(c.Turned, func(x posture.Turned) bool { return x.ID == "security-defaults-or-conditional-access" })
	if i < 0 {
		t.Fatalf("%s", b)
	}
	turned := c.Turned[i]
	if turned.From != posture.Met || turned.To != posture.NotMet || !turned.Sure || len(turned.Because) != 1 {
		t.Fatalf("%+v\n%s", turned, b)
	}
	cause := c.Causes[slices.IndexFunc(c.Causes, func(x posture.Cause) bool { return x.ID == turned.Because[0] })]
	if cause.Kind != posture.PolicyEdited || cause.Object != id || len(cause.Members) != 1 || cause.Members[0].Path != "conditions.users.excludeGroups" ||
		cause.Members[0].Added[0] != "CA-Exclude-Scripts" || len(cause.Edits) == 0 || cause.Edits[0].By != labtest.Admin ||
		cause.Edits[0].At.Sub(at).Abs() > time.Hour || !slices.Contains(cause.Turned, turned.ID) {
		t.Errorf("%+v", cause)
	}
	if i := slices.IndexFunc(c.Accounts, func(x posture.TurnedAccount) bool { return x.Name == labtest.NoMFA }); i < 0 || !c.Accounts[i].Sure ||
		c.Accounts[i].Because[0] != cause.ID {
		t.Errorf("%s", b)
	}
}
