package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation"
)

// folder writes files and gives where.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var delegationMoment = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

func inventory(t *testing.T, dir string) (*delegation.Inventory, *app.DelegationSource) {
	t.Helper()
	inv, src, err := app.Delegation(t.Context(), app.DelegationReading{Reading: app.Reading{From: []string{dir}, At: delegationMoment, Now: delegationMoment}})
	if err != nil {
		t.Fatal(err)
	}
	return inv, src
}

const (
	relID  = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa-bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"
	tenant = "995b216d-61ba-5134-8411-a1fd6487a5d3"
	deskID = "dddddddd-0000-4000-8000-000000000001"
)

// relationship is one with Helpdesk and User Administrator.
func relationshipJSON(more string) string {
	return `{"id":"` + relID + `","displayName":"Desk","status":"active","duration":"P730D","autoExtendDuration":"P180D",
	"createdDateTime":"2026-01-01T00:00:00Z","activatedDateTime":"2026-01-02T00:00:00Z","endDateTime":"2028-01-02T00:00:00Z",
	"customer":{"tenantId":"` + strings.ToUpper(tenant) + `","displayName":"Fabrikam"},"accessDetails":{"unifiedRoles":[
	{"roleDefinitionId":"729827E3-9C14-49F7-BB1B-9608F156BBB8"},{"roleDefinitionId":"fe930be7-5e62-47db-91af-98c3a49a38b1"}]}` + more + `}`
}

func assignmentJSON(more string) string {
	return `{"id":"cccccccc-3333-4333-8333-cccccccccccc","status":"active","createdDateTime":"2026-01-03T00:00:00Z",
	"accessContainer":{"accessContainerId":"` + deskID + `","accessContainerType":"securityGroup"},
	"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"729827e3-9c14-49f7-bb1b-9608f156bbb8"}]}` + more + `}`
}

const graphContext = `"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminRelationships`

func listJSON(items string) string { return `{` + graphContext + `","value":[` + items + `]}` }

// TestDelegationShapes: an access assignment finds its relationship in every form that
// exports have; where nothing says it, it is lost and the relationship's are not known.
func TestDelegationShapes(t *testing.T) {
	page := `{` + graphContext + `('` + relID + `')/accessAssignments","value":[` + assignmentJSON("") + `]}`
	list := listJSON(relationshipJSON(""))
	for _, c := range []struct {
		name  string
		files map[string]string
		read  delegation.Answer
		found int
		lost  int
	}{
		{"expanded", map[string]string{"r.json": listJSON(relationshipJSON(`,"accessAssignments":[` + assignmentJSON("") + `]`))}, delegation.Yes, 1, 0},
		{"expanded, cut", map[string]string{"r.json": listJSON(relationshipJSON(`,"accessAssignments":[` + assignmentJSON("") +
			`],"accessAssignments@odata.nextLink":"https://graph.microsoft.com/v1.0/x"`))}, delegation.Unknown, 1, 0},
		{"page", map[string]string{"r.json": list, "a.json": page}, delegation.Yes, 1, 0},
		{"pages in an array", map[string]string{"r.json": list, "delegatedAdminAccessAssignments.json": "[" + page + "]"}, delegation.Yes, 1, 0},
		{"empty page", map[string]string{"r.json": list,
			"a.json": `{` + graphContext + `('` + relID + `')/accessAssignments","value":[]}`}, delegation.Yes, 0, 0},
		{"page that ends early", map[string]string{"r.json": list, "a.json": strings.Replace(page, `,"value"`,
			`,"@odata.nextLink":"https://graph.microsoft.com/v1.0/next","value"`, 1)}, delegation.Unknown, 1, 0},
		{"a batch's answer", map[string]string{"r.json": list, "a.json": `{"responses":[{"id":"1","status":200,"body":` + page + `}]}`}, delegation.Yes, 1, 0},
		{"one alone", map[string]string{"r.json": list, "a.json": assignmentJSON(`,` + graphContext + `('` + relID + `')/accessAssignments/$entity"`)},
			delegation.Unknown, 1, 0},
		{"a member says it", map[string]string{"r.json": list, "a.json": "[" + assignmentJSON(`,"relationshipId":"`+relID+`"`) + "]"}, delegation.Yes, 1, 0},
		{"the SDK's member", map[string]string{"r.json": list, "a.json": "[" + assignmentJSON(`,"DelegatedAdminRelationshipId":"`+strings.ToUpper(relID)+`"`) +
			"]"}, delegation.Yes, 1, 0},
		{"the file's name", map[string]string{"r.json": list, relID + ".accessAssignments.json": "[" + assignmentJSON("") + "]"}, delegation.Yes, 1, 0},
		{"within the file's name", map[string]string{"r.json": list, "accessAssignments_" + strings.ToUpper(relID) + ".json": "[" + assignmentJSON("") + "]"},
			delegation.Yes, 1, 0},
		{"the folder's name", map[string]string{"r.json": list, relID + "/a.json": "[" + assignmentJSON("") + "]"}, delegation.Yes, 1, 0},
		{"nothing says it", map[string]string{"r.json": list, "a.json": "[" + assignmentJSON("") + "]"}, delegation.Unknown, 0, 1},
		{"one says it, another does not", map[string]string{"r.json": list, "a.json": "[" + assignmentJSON(`,"relationshipId":"`+relID+`"`) + "," +
			strings.Replace(assignmentJSON(""), "cccccccc", "c0cccccc", 1) + "]"}, delegation.Unknown, 1, 1},
		{"nothing says it, but the same stands inside", map[string]string{
			"r.json": listJSON(relationshipJSON(`,"accessAssignments":[` + assignmentJSON("") + `]`)),
			"a.json": "[" + assignmentJSON("") + "]"}, delegation.Yes, 1, 0},
		{"of another relationship", map[string]string{"r.json": list, "a.json": strings.ReplaceAll(page, relID, "eeee"+relID[4:])}, delegation.Unknown, 0, 1},
		{"not read", map[string]string{"r.json": list}, delegation.Unknown, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv, _ := inventory(t, folder(t, c.files))
			if len(inv.Customers) != 1 || inv.Customers[0].Tenant != tenant || len(inv.Customers[0].Relationships) != 1 {
				t.Fatalf("customers are %+v", inv.Customers)
			}
			r := inv.Customers[0].Relationships[0]
			if r.Read != c.read || len(r.Assignments) != c.found || len(inv.Lost) != c.lost {
				t.Fatalf("read %q (%s), %d assignments, %d lost; want %q, %d, %d", r.Read, r.Why, len(r.Assignments), len(inv.Lost), c.read, c.found, c.lost)
			}
			if r.Read != delegation.Yes && (r.Why == "" || r.Ask == "") {
				t.Errorf("it does not say why they are not known: %+v", r)
			}
			if c.found == 1 {
				a := r.Assignments[0]
				if a.Group != deskID || !a.Active || !slices.Equal(a.Roles, []string{"729827e3-9c14-49f7-bb1b-9608f156bbb8"}) {
					t.Errorf("the assignment is %+v", a)
				}
			}
			if len(r.Roles) != 2 || !r.Active || r.RolesLost || r.End.Year() != 2028 {
				t.Errorf("the relationship is %+v", r)
			}
		})
	}
}

// TestDelegationSteps: requests and operations stand with their relationship, and one that
// has not ended is open.
func TestDelegationSteps(t *testing.T) {
	inv, _ := inventory(t, folder(t, map[string]string{
		"r.json": listJSON(relationshipJSON("")),
		"q.json": `{` + graphContext + `('` + relID + `')/requests","value":[{"id":"q1","action":"terminate","status":"pending"}]}`,
		"o.json": `{` + graphContext + `('` + relID + `')/operations","value":[{"id":"o1","operationType":"delegatedAdminAccessAssignmentUpdate",
			"status":"succeeded","createdDateTime":"2026-05-01T00:00:00Z","lastModifiedDateTime":"2026-05-01T00:00:00Z","data":"x"}]}`,
		"c.json": `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminCustomers","value":[
			{"id":"` + tenant + `","tenantId":"` + tenant + `","displayName":"Fabrikam"},
			{"id":"x","tenantId":"11111111-2222-4333-8444-555555555555","displayName":"Wingtip"}]}`,
	}))
	if len(inv.Customers) != 2 || inv.Customers[1].Name != "Wingtip" || inv.Customers[1].DAP != delegation.Unknown {
		t.Fatalf("customers are %+v", inv.Customers)
	}
	c := inv.Customers[0]
	if !slices.Equal(c.Listed, []string{"delegatedAdminCustomers", "delegatedAdminRelationships"}) {
		t.Errorf("it is listed by %v", c.Listed)
	}
	r := c.Relationships[0]
	if len(r.Requests) != 1 || r.Requests[0].Action != "terminate" || !r.Requests[0].Open {
		t.Errorf("requests are %+v", r.Requests)
	}
	if len(r.Operations) != 1 || r.Operations[0].Open || r.Operations[0].Status != "succeeded" {
		t.Errorf("operations are %+v", r.Operations)
	}
}

// TestDelegationCustomersApart: what lies in a customer's folder is never the partner's.
func TestDelegationCustomersApart(t *testing.T) {
	users := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"id":"%s","userPrincipalName":"%s","displayName":"X"}]}`
	inv, src := inventory(t, folder(t, map[string]string{
		"users.json":                                 fmt.Sprintf(users, "11111111-2222-4333-8444-555555555555", "ada@contoso.example"),
		"customers.json":                             `{"items":[],"totalCount":0}`,
		"customers/" + tenant + "/users.json":        fmt.Sprintf(users, "21111111-2222-4333-8444-555555555555", "eve@fabrikam.example"),
		"lists/customers/" + tenant + "/groups.json": `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#groups","value":[]}`,
	}))
	if n := len(src.Facts.Directory.Users); n != 1 {
		t.Errorf("%d accounts were read, want the partner's one", n)
	}
	if len(src.Folders) != 1 || src.Folders[0].Tenant != tenant {
		t.Errorf("folders are %+v", src.Folders)
	}
	if !inv.Lists["groups"].Whole {
		t.Error("a folder that is called customers further down is the partner's")
	}
}

// TestDelegationField: the shapes that were met in the field.
func TestDelegationField(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "field")
	if _, err := os.Stat(root); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOTHING WAS TESTED: the shared situations are missing")
	}
	for _, c := range []struct {
		at, end string
		n       int
		lost    bool
		by      string
	}{
		{"35-gdap-sdk-timespan/input", "2028-02-01", 2, false, "PT0S"},
		{"56-gdap-relationship-csv/input", "2028-02-01", 1, false, "No"},
		{"68-gdap-sdk-csv-and-depth2/input/a", "2028-02-01", 1, true, "PT0S"},
		{"68-gdap-sdk-csv-and-depth2/input/b", "2028-02-01", 1, true, "PT0S"},
		{"68-gdap-sdk-csv-and-depth2/input/c", "2028-02-01", 1, true, ""},
		{"68-gdap-sdk-csv-and-depth2/input/d", "2028-02-01", 1, true, ""},
	} {
		t.Run(c.at, func(t *testing.T) {
			inv, _ := inventory(t, filepath.Join(root, c.at))
			var all []delegation.Relationship
			for i := range inv.Customers {
				all = append(all, inv.Customers[i].Relationships...)
			}
			all = append(all, inv.Unclaimed...)
			if len(all) != c.n {
				t.Fatalf("%d relationships, want %d", len(all), c.n)
			}
			for _, r := range all {
				if r.RolesLost != c.lost || r.End.Format(time.DateOnly) != c.end || r.Read != delegation.Unknown {
					t.Errorf("%+v", r)
				}
			}
			if !slices.ContainsFunc(all, func(r delegation.Relationship) bool { return r.AutoExtend == c.by }) {
				t.Errorf("none extends by %q: %+v", c.by, all)
			}
		})
	}
}
