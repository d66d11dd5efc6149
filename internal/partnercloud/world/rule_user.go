package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// ruleProperties are the properties of users that rules may name, in lower case, and
// their names in Microsoft Graph where those are kept in the profile.
var ruleProperties = map[string]string{
	"accountenabled": "", "dirsyncenabled": "", "department": "", "displayname": "", "givenname": "", "jobtitle": "", "mail": "", "mailnickname": "",
	"objectid": "", "surname": "", "usagelocation": "", "userprincipalname": "", "usertype": "", "othermails": "otherMails", "proxyaddresses": "",
	"assignedplans": "", "city": "city", "companyname": "companyName", "country": "country", "employeeid": "employeeId",
	"facsimiletelephonenumber": "faxNumber", "mobile": "mobilePhone", "passwordpolicies": "passwordPolicies",
	"physicaldeliveryofficename": "officeLocation", "postalcode": "postalCode", "preferredlanguage": "preferredLanguage", "state": "state",
	"streetaddress": "streetAddress", "telephonenumber": "businessPhones",
}

// extensionAttribute gives the name of one of the fifteen extension attributes.
func extensionAttribute(name string) (string, bool) {
	for i := 1; i <= 15; i++ {
		if n := fmt.Sprintf("extensionAttribute%d", i); strings.EqualFold(n, name) {
			return n, true
		}
	}
	return "", false
}

// property reads the name of a property; multi says that it is a collection.
func (p *ruleParser) property() (name string, multi bool, err error) {
	word := p.next()
	low := strings.ToLower(word)
	if p.inner == "_" && low == "_" {
		return "_", false, nil
	}
	if rest, ok := strings.CutPrefix(low, "assignedplan."); ok && p.inner == "assignedplan." &&
		slices.Contains([]string{"serviceplanid", "capabilitystatus", "service"}, rest) {
		return rest, false, nil
	}
	rest, ok := strings.CutPrefix(low, "user.")
	if !ok || p.inner != "" {
		p.i--
		if strings.HasPrefix(low, "device.") {
			return "", false, fmt.Errorf("rules over devices are not part of the partner cloud")
		}
		return "", false, p.wrong()
	}
	if _, known := ruleProperties[rest]; !known {
		if _, known = extensionAttribute(rest); !known {
			return "", false, fmt.Errorf("the property '%.60s' is not supported in a rule", word)
		}
	}
	return rest, slices.Contains([]string{"othermails", "proxyaddresses", "assignedplans"}, rest), nil
}

// ruleValue gives a property of a user to a rule.
func ruleValue(t *Tenant, u *User, name string) any {
	opt := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	switch name {
	case "accountenabled":
		return u.Enabled
	case "dirsyncenabled":
		return u.Synced
	case "department":
		return opt(u.Department)
	case "displayname":
		return opt(u.Name)
	case "givenname":
		return opt(u.Given)
	case "surname":
		return opt(u.Surname)
	case "jobtitle":
		return opt(u.Title)
	case "mail":
		return opt(u.Mail)
	case "mailnickname":
		if n := u.More().Nickname; n != "" {
			return n
		}
		n, _, _ := strings.Cut(u.UPN, "@")
		return n
	case "objectid":
		return u.ID
	case "usagelocation":
		return opt(u.Location)
	case "userprincipalname":
		return u.UPN
	case "usertype":
		if u.Guest {
			return "Guest"
		}
		return "Member"
	case "proxyaddresses":
		if u.Mail == "" {
			return []string{}
		}
		return []string{"SMTP:" + u.Mail}
	case "assignedplans":
		return plansOf(t, u)
	case "othermails":
		var list []string
		_ = json.Unmarshal(u.More().Props["otherMails"], &list)
		return list
	case "telephonenumber":
		var list []string
		if json.Unmarshal(u.More().Props["businessPhones"], &list) != nil || len(list) == 0 {
			return nil
		}
		return list[0]
	}
	if n, ok := extensionAttribute(name); ok {
		var all map[string]any
		_ = json.Unmarshal(u.More().Props["onPremisesExtensionAttributes"], &all)
		return all[n]
	}
	var v any
	_ = json.Unmarshal(u.More().Props[ruleProperties[name]], &v)
	return v
}

// plansOf are the service plans that a user's licences give.
func plansOf(t *Tenant, u *User) (out []lookup) {
	for i := range t.SKUs {
		k := &t.SKUs[i]
		is := func(id string) bool { return strings.EqualFold(id, k.ID) }
		if !slices.ContainsFunc(u.Licences, is) {
			continue
		}
		for _, p := range k.Plans {
			status := "Enabled"
			for id, off := range u.More().Disabled {
				if is(id) && slices.ContainsFunc(off, func(x string) bool { return strings.EqualFold(x, p.ID) }) {
					status = "Deleted"
				}
			}
			out = append(out, func(name string) any {
				switch name {
				case "serviceplanid":
					return p.ID
				case "capabilitystatus":
					return status
				}
				return p.Name
			})
		}
	}
	return out
}

// applyRules brings the members of the dynamic groups of a tenant up to date. It is
// called after every change, and costs nothing where there is no such group.
func (s *State) applyRules(t *Tenant) {
	var dynamic []*Group
	for g := range t.Groups.All() {
		if g.Rule != "" && !g.Paused {
			dynamic = append(dynamic, g)
		}
	}
	for _, g := range dynamic {
		r := t.rule(g)
		if r == nil {
			continue
		}
		members := []string{}
		for u := range t.Users.All() {
			if r.Holds(t, u) {
				members = append(members, u.ID)
			}
		}
		if slices.Equal(members, g.Members) {
			continue
		}
		n := s.Change()
		t.Groups.Change(g.ID, func(g *Group) { g.Members, g.Changed = members, n })
		t.version++
	}
}

// rule is a group's rule, read once; nil when it is none.
func (t *Tenant) rule(g *Group) *Rule {
	if r, ok := t.rules[g.Rule]; ok {
		return r
	}
	r, err := ParseRule(g.Rule)
	if err != nil {
		r = nil
	}
	if t.rules == nil || len(t.rules) > 1000 {
		t.rules = map[string]*Rule{}
	}
	t.rules[g.Rule] = r
	return r
}
