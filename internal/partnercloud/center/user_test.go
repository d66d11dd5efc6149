package center

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func filterOf(field, operator, value string) string {
	return "?filter=" + url.QueryEscape(fmt.Sprintf(`{"Field":%q,"Value":%q,"Operator":%q}`, field, value, operator))
}

// TestDeletedUsers: a query for deleted users never shows a live one, and the other
// way about; restoring brings back what hung on the user.
func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		c := s.Tenant(dapID)
		c.Users.Change(custUser(dapID), func(u *world.User) { u.Licences, u.Location = []string{"sku"}, "US" })
		c.Groups.Put(&world.Group{ID: "21000000-0000-4000-8000-000000000001", Name: "Staff", Members: []string{custUser(dapID)}})
	})
	users := "/v1/customers/" + dapID + "/users"
	one := users + "/" + custUser(dapID)
	ids := func(q string) map[string]string {
		a := l.as("agent", "GET", users+q, "")
		if a.Code != 200 {
			t.Fatalf("%s: %d %s", q, a.Code, a.Body)
		}
		out := map[string]string{}
		for _, u := range a.items() {
			out[u["id"].(string)] = u["state"].(string)
		}
		return out
	}
	for _, field := range []string{"UserState", "UserStatus", "userstatus"} {
		if got := ids(filterOf(field, "equals", "Inactive")); len(got) != 0 {
			t.Errorf("%s: nobody was deleted, but %v", field, got)
		}
		if got := ids(filterOf(field, "equals", "active")); len(got) != 2 {
			t.Errorf("%s: active users %v", field, got)
		}
	}
	if a := l.as("agent", "DELETE", one, ""); a.Code != 204 {
		t.Fatalf("delete: %d %s", a.Code, a.Body)
	}
	if got := ids(filterOf("UserStatus", "equals", "Inactive")); len(got) != 1 || got[custUser(dapID)] != "inactive" {
		t.Errorf("deleted: %v", got)
	}
	if got := ids(""); len(got) != 1 || got[custUser(dapID)] != "" {
		t.Errorf("left: %v", got)
	}
	if a := l.as("agent", "GET", one, ""); a.Code != 404 || a.code() != "60002" {
		t.Errorf("a deleted user by id: %d %s", a.Code, a.Body)
	}
	row := l.as("agent", "GET", users+filterOf("UserState", "equals", "inactive"), "").items()[0]
	if row["softDeletionTime"] != start.Format(time.RFC3339) {
		t.Errorf("softDeletionTime %v", row["softDeletionTime"])
	}
	for body, want := range map[string]string{`{"displayName":"X"}`: "60002", `{"state":"inactive"}`: "60002",
		`{"state":"active","passwordProfile":{"password":"long enough 1"}}`: "800002"} {
		if a := l.as("agent", "PATCH", one, body); a.code() != want {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
	}
	if a := l.as("desk", "PATCH", one, `{"state":"active"}`); a.Code != 403 {
		t.Errorf("helpdesk restores: %d %s", a.Code, a.Body)
	}
	a := l.as("agent", "PATCH", one, `{"State":"active","Attributes":{"ObjectType":"CustomerUser"}}`)
	if a.Code != 200 || a.m["state"] != "active" || a.m["softDeletionTime"] != nil {
		t.Fatalf("restore: %d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		c := s.Tenant(dapID)
		if !contains(c.GroupByName("Staff").Members, custUser(dapID)) || len(c.Users.Get(custUser(dapID)).Licences) != 1 {
			t.Error("what hung on the user did not come back")
		}
		r := s.PartnerTenant().Records
		if got := r[len(r)-1].Operation; got != "restore_customer_user" {
			t.Errorf("audit record %s", got)
		}
	})
	l.as("agent", "DELETE", one, "")
	l.jump(30 * 24 * time.Hour)
	if got := ids(filterOf("UserStatus", "equals", "Inactive")); len(got) != 0 {
		t.Errorf("30 days later %v can be restored", got)
	}
	if a := l.as("agent", "PATCH", one, `{"state":"active"}`); a.code() != "60002" {
		t.Errorf("restored after 30 days: %d %s", a.Code, a.Body)
	}
}

func TestUserFilterRefuses(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, q := range []string{"?filter=x", filterOf("UserStatus", "equals", "Deleted"), filterOf("UserStatus", "starts_with", "In"),
		filterOf("DisplayName", "equals", "Kim"), filterOf("UserStatus", "not_equals", "Active")} {
		if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/users"+q, ""); a.Code != 400 {
			t.Errorf("%s: %d", q, a.Code)
		}
	}
	// The example in the refusal is one that this list takes.
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/users?filter=x", ""); !strings.Contains(a.Body.String(),
		`\"Value\":\"Inactive\",\"Operator\":\"equals\"`) {
		t.Errorf("%s", a.Body)
	}
}

// TestRestoreTakenName: a name that was taken meanwhile keeps the deleted user out,
// and a privileged one takes a Global Administrator.
func TestRestoreRules(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		g := s.Tenant(gdapID)
		s.Delete(g, "user", bossUser(gdapID))
		c := s.Tenant(dapID)
		s.Delete(c, "user", custUser(dapID))
		c.Users.Put(&world.User{ID: "10000000-0000-4000-8000-00000000000a", UPN: "kim@dap.example", Name: "Kim the second", Enabled: true})
		s.Touch(c)
	})
	if a := l.as("agent", "PATCH", "/v1/customers/"+dapID+"/users/"+custUser(dapID), `{"state":"active"}`); a.Code != 409 {
		t.Errorf("taken name: %d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "PATCH", "/v1/customers/"+gdapID+"/users/"+bossUser(gdapID), `{"state":"active"}`); a.code() != "900308" {
		t.Errorf("a Global Administrator by a User Administrator: %d %s", a.Code, a.Body)
	}
}

func TestLicences(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.Tenant(dapID).SKUs = append(s.Tenant(dapID).SKUs, world.SKU{ID: "full", Part: "EMS", Status: "Enabled", Enabled: 1, Consumed: 1})
		s.Tenant(dapID).Users.Change(custUser(dapID), func(u *world.User) { u.Location = "US" })
	})
	one := "/v1/customers/" + dapID + "/users/" + custUser(dapID)
	post := func(who, user, body string) answer { return l.as(who, "POST", user+"/licenseupdates", body) }
	if a := post("agent", one, `{"LicensesToAssign":[{"ExcludedPlans":["p"],"SkuId":"sku"}],"LicensesToRemove":null,"LicenseWarnings":null,`+
		`"Attributes":{"ObjectType":"LicenseUpdate"}}`); a.Code != 201 {
		t.Fatalf("assign: %d %s", a.Code, a.Body)
	}
	a := l.as("agent", "GET", one+"/licenses", "")
	if rows := a.items(); len(rows) != 1 || rows[0]["productSku"].(map[string]any)["name"] != "Microsoft 365 Business Premium" ||
		rows[0]["servicePlans"].([]any)[0].(map[string]any)["capabilityStatus"] != "Disabled" {
		t.Errorf("licences: %s", a.Body)
	}
	for q, want := range map[string]int{"?licenseGroupIds=Group1": 1, "?licenseGroupIds=Group2": 0, "?licenseGroupIds=Group1&licenseGroupIds=Group2": 1} {
		if got := l.as("agent", "GET", one+"/licenses"+q, ""); len(got.items()) != want {
			t.Errorf("%s: %s", q, got.Body)
		}
	}
	if got := l.as("agent", "GET", "/v1/customers/"+dapID+"/subscribedskus", "").items()[0]; got["consumedUnits"] != 3.0 || got["availableUnits"] != 2.0 {
		t.Errorf("subscribed: %v", got)
	}
	boss := "/v1/customers/" + dapID + "/users/" + bossUser(dapID)
	for _, c := range []struct{ who, user, body, code string }{
		{"agent", one, `{}`, "800002"},
		{"agent", one, `{"licensesToAssign":[{"skuId":"none"}]}`, "800002"},
		{"agent", one, `{"licensesToAssign":[{"skuId":"sku","excludedPlans":["none"]}]}`, "800002"},
		{"agent", one, `{"licensesToRemove":["full"]}`, "800002"},
		{"agent", one, `{"licensesToRemove":["sku"],"licensesToAssign":[{"skuId":"full"}]}`, "60012"},
		{"agent", boss, `{"licensesToAssign":[{"skuId":"sku"}]}`, "800002"}, // no usageLocation
		{"desk", one, `{"licensesToRemove":["sku"]}`, "900308"},
		{"app", one, `{"licensesToRemove":["sku"]}`, "900329"},
	} {
		if a := post(c.who, c.user, c.body); a.code() != c.code {
			t.Errorf("%s %s: %d %s", c.who, c.body, a.Code, a.Body)
		}
	}
	l.w.Read(func(s *world.State) {
		if u := s.Tenant(dapID).Users.Get(custUser(dapID)); len(u.Licences) != 1 || s.Tenant(dapID).SKUs[0].Consumed != 3 {
			t.Error("a refused update changed something")
		}
	})
	if a := post("agent", one, `{"licensesToRemove":["sku"]}`); a.Code != 201 {
		t.Errorf("remove: %d %s", a.Code, a.Body)
	}
	if got := l.as("agent", "GET", one+"/licenses?licenseGroupIds=Group3", ""); got.code() != "900126" {
		t.Errorf("a group that is none: %s", got.Body)
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	one := "/v1/customers/" + dapID + "/users/" + custUser(dapID) + "/resetpassword"
	if a := l.as("desk", "PATCH", one, `{"displayName":"X"}`); a.Code != 400 {
		t.Errorf("without a password: %d %s", a.Code, a.Body)
	}
	if a := l.as("desk", "PATCH", one, `{"passwordProfile":{"password":"long enough 1","forceChangePassword":true}}`); a.Code != 200 {
		t.Fatalf("reset: %d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		if u := s.Tenant(dapID).Users.Get(custUser(dapID)); u.Revoked != "reset" || !u.PasswordExpired {
			t.Error("the password was not reset, or need not be changed")
		}
	})
}

// TestCodes: every code that the package says stands in the house's table.
func TestCodes(t *testing.T) {
	t.Parallel()
	if h := newLab(t, nil).as("agent", "GET", "/v1/customers", "").Header().Get("Request-Context"); h == "" {
		t.Error("no Request-Context")
	}
	for _, c := range entra.CenterCodes() {
		if f := deny(c.Code); f.Status != c.Status || f.Code != c.Code {
			t.Errorf("%d is refused with %d %v", c.Code, f.Status, f.Code)
		}
	}
}

// TestPhone: the number that Partner Center shows is the directory's.
func TestPhone(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	one := "/v1/customers/" + dapID + "/users/" + custUser(dapID)
	if a := l.as("agent", "PATCH", one, `{"phoneNumber":"+1 555 0100"}`); a.m["phoneNumber"] != "+1 555 0100" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		if got := string(s.Tenant(dapID).Users.Get(custUser(dapID)).More().Props["businessPhones"]); got != `["+1 555 0100"]` {
			t.Errorf("in the directory: %s", got)
		}
	})
	// As the SDK sends a change back: what was not set is null.
	if a := l.as("agent", "PATCH", one, `{"phoneNumber":null,"displayName":"Kim Two","passwordProfile":null,"state":"active"}`); a.Code != 200 ||
		a.m["phoneNumber"] != "+1 555 0100" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
