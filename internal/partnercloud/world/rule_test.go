package world

import (
	"encoding/json"
	"strings"
	"testing"
)

func ruleTenant() (*Tenant, *User) {
	u := &User{
		ID: "11111111-0000-4000-8000-000000000001", UPN: "Nia.Olsen@x.example", Name: "Nia Olsen", Department: "Sales", Title: "Head of Sales", Enabled: true,
		Mail: "nia@x.example", Licences: []string{"SKU"},
		Profile: &Profile{Disabled: map[string][]string{"sku": {"p2"}}, Props: map[string]json.RawMessage{
			"city": json.RawMessage(`"Kiel"`), "otherMails": json.RawMessage(`["nia@example.org","n@example.com"]`),
			"businessPhones":                json.RawMessage(`["+49 431 1"]`),
			"onPremisesExtensionAttributes": json.RawMessage(`{"extensionAttribute3":"blue","extensionAttribute12":null}`),
		}},
	}
	t := &Tenant{ID: "t", SKUs: []SKU{{ID: "sku", Plans: []Plan{{ID: "p1", Name: "exchange"}, {ID: "p2", Name: "teams"}}}}}
	t.Users.Put(u)
	return t, u
}

func TestRules(t *testing.T) {
	te, u := ruleTenant()
	for text, want := range map[string]bool{
		`user.department -eq "sales"`: true, `user.department -ne "Sales"`: false, `user.department -eq "Marketing"`: false,
		`(user.department -eq "Sales") -and (user.city -eq "Kiel")`:                             true,
		`user.department -eq "x" -or user.city -eq "Kiel" -and user.accountEnabled -eq true`:    true,
		`(user.department -eq "x" -or user.city -eq "Kiel") -and user.accountEnabled -eq false`: false,
		`-not (user.department -eq "Sales")`:                                                    false,
		`not user.department -eq "x"`:                                                           true,
		`user.jobTitle -startsWith "head"`:                                                      true,
		`user.jobTitle -notStartsWith "head"`:                                                   false,
		`user.jobTitle -contains "of"`:                                                          true,
		`user.jobTitle -notContains "IT"`:                                                       true,
		`user.jobTitle -endsWith "sales"`:                                                       true,
		`user.userPrincipalName -match "^nia\.[a-z]+@x"`:                                        true,
		`user.userPrincipalName -notMatch "^nia"`:                                               false,
		`user.department -in ["IT","Sales"]`:                                                    true,
		`user.department -notIn ["IT","Sales"]`:                                                 false,
		`user.state -eq null`:                                                                   true,
		`user.city -ne $null`:                                                                   true,
		`user.state -contains "x"`:                                                              false,
		`user.state -notContains "x"`:                                                           true,
		`user.state -ne "x"`:                                                                    true,
		`user.extensionAttribute3 -eq "Blue"`:                                                   true,
		`user.extensionAttribute12 -eq null`:                                                    true,
		`user.otherMails -contains "n@example.com"`:                                             true,
		`user.otherMails -any (_ -startsWith "nia")`:                                            true,
		`user.otherMails -all (_ -startsWith "nia")`:                                            false,
		`user.proxyAddresses -any (_ -contains "@x.example")`:                                   true,
		`user.telephoneNumber -startsWith "+49"`:                                                true,
		`user.userType -eq "Member"`:                                                            true,
		`user.objectId -ne null`:                                                                true,
		`user.dirSyncEnabled -eq false`:                                                         true,
		`USER.DEPARTMENT -EQ 'Sales'`:                                                           true,
		`user.assignedPlans -any (assignedPlan.servicePlanId -eq "P1" -and assignedPlan.capabilityStatus -eq "Enabled")`: true,
		`user.assignedPlans -any (assignedPlan.servicePlanId -eq "p2" -and assignedPlan.capabilityStatus -eq "Enabled")`: false,
	} {
		r, err := ParseRule(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := r.Holds(te, u); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// What is not understood is refused, whatever it is.
func TestRulesThatAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `user.department`, `user.department -eq`, `user.department -eq Sales`, `user.department -like "S*"`, `user.nonsense -eq "x"`,
		`device.displayName -eq "x"`, `department -eq "Sales"`, `user.department -eq "Sales`, `(user.department -eq "Sales"`, `user.department -eq "a" "b"`,
		`user.department -in "a"`, `user.department -in ["a"`, `user.department -in []`, `user.department -match "("`, `user.department -contains true`,
		`user.assignedPlans -eq "x"`, `user.assignedPlans -any (user.city -eq "x")`, `user.city -any (_ -eq "x")`, `_ -eq "x"`,
		`user.memberof -any (group.objectId -in ["x"])`, `Direct Reports for "x"`, `user.employeeHireDate -ge system.now`, `user.extensionAttribute16 -eq "x"`,
		`user.department -eq "x" -and`, `)`, strings.Repeat("(", 100) + `user.city -eq "x"` + strings.Repeat(")", 100),
		`user.city -eq "` + strings.Repeat("x", maxRule) + `"`, strings.Repeat(`user.city -eq "x" -or `, 140) + `user.city -eq "x"`[:10],
	} {
		if _, err := ParseRule(text); err == nil {
			t.Errorf("%.80s was taken", text)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, s := range []string{
		`user.department -eq "sales" -and -not (user.city -in ["Kiel",'x',null])`, `user.otherMails -any (_ -match "^n")`,
		`user.assignedPlans -all (assignedPlan.service -ne "x")`, "user.city -eq \"a`\"b\"", `((((`, `user.`, `"`,
	} {
		f.Add(s)
	}
	te, u := ruleTenant()
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		n, err := ParseRule("-not (" + text + ")")
		if err == nil && n.Holds(te, u) == r.Holds(te, u) {
			t.Fatalf("%q and its negation agree", text)
		}
		r.Holds(te, &User{})
	})
}

// Members follow from the rule with every change of people.
func TestRulesAreApplied(t *testing.T) {
	w := New(1, nil)
	te := &Tenant{ID: "t"}
	w.Read(func(s *State) {
		s.Put(te)
		te.Groups.Put(&Group{ID: "g", Rule: `user.department -eq "Sales"`})
		te.Groups.Put(&Group{ID: "p", Rule: `user.department -eq "Sales"`, Paused: true})
		te.Groups.Put(&Group{ID: "up", Members: []string{"g"}})
		te.Users.Put(&User{ID: "a", Department: "Sales"})
		te.Users.Put(&User{ID: "b", Department: "IT"})
		s.Touch(te)
	})
	members := func() (out string) {
		w.Read(func(s *State) { out = strings.Join(te.Groups.Get("g").Members, " ") })
		return out
	}
	if members() != "a" {
		t.Errorf("%q", members())
	}
	w.Read(func(s *State) {
		te.Users.Change("b", func(u *User) { u.Department = "Sales" })
		s.Touch(te)
		if te.InGroup("b", "up") { // remembers who is in what
			t.Error("a member before the change is closed")
		}
	})
	if members() != "a b" || te.Groups.Get("g").Changed == 0 {
		t.Errorf("%q", members())
	}
	w.Read(func(s *State) {
		if !te.InGroup("b", "up") {
			t.Error("the new member is not in the group above")
		}
		s.Delete(te, "user", "a")
	})
	if members() != "b" || len(te.Groups.Get("p").Members) != 0 {
		t.Errorf("%q", members())
	}
}
