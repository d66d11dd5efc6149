package entra

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func TestRoles(t *testing.T) {
	t.Parallel()
	ids, names := map[string]bool{}, map[string]bool{}
	privileged := 0
	for _, r := range Roles() {
		if !guid.MatchString(r.ID) || r.Name == "" || r.Source == "" {
			t.Errorf("%+v is no whole row", r)
		}
		for _, n := range slices.Compact([]string{strings.ToLower(r.Name), strings.ToLower(r.Listed())}) {
			if names[n] {
				t.Errorf("two roles are called %s", n)
			}
			names[n] = true
		}
		if ids[r.ID] {
			t.Errorf("%s stands twice", r.ID)
		}
		ids[r.ID] = true
		if r.Privileged {
			privileged++
		}
		if (r.Gist != "") != (r.Source == contractsRoles) {
			t.Errorf("%s: roles of the contracts have a gist, no others", r.Name)
		}
	}
	if len(ids) != 146 || len(ContractRoles()) != 126 || privileged != 35 {
		t.Errorf("%d roles, %d of the contracts, %d privileged; want 146, 126, 35", len(ids), len(ContractRoles()), privileged)
	}
	if !slices.IsSortedFunc(Roles(), func(a, b Role) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }) {
		t.Error("the roles are not in the order of their names")
	}
	if r, ok := FindRole(strings.ToUpper(RoleGlobalAdministrator)); !ok || r.Name != "Global Administrator" || !PrivilegedRole(RoleGlobalAdministrator) {
		t.Errorf("Global Administrator is %+v", r)
	}
	if _, ok := FindRole(NilID); ok || PrivilegedRole(NilID) {
		t.Error("no role has the empty id")
	}
}

func TestApps(t *testing.T) {
	t.Parallel()
	seen, uris := map[string]bool{}, map[string]string{}
	suites := map[Suite]int{}
	for _, a := range Apps() {
		if !guid.MatchString(a.ID) || a.Name == "" || a.Source == "" || seen[a.ID] {
			t.Errorf("%+v is no whole row, or stands twice", a)
		}
		seen[a.ID] = true
		suites[a.Suite]++
		if (a.Service == "") != (len(a.URIs) == 0) {
			t.Errorf("%s: a resource has a name and an address", a.Name)
		}
		for _, u := range a.URIs {
			if uris[u] != "" || !strings.HasPrefix(u, "https://") {
				t.Errorf("%s of %s is no address, or is that of %s too", u, a.Name, uris[u])
			}
			uris[u] = a.Name
		}
	}
	if suites[Office365] != 19 || suites[AdminPortals] != 4 || suites[NoSuite] != 13 {
		t.Errorf("suites: %v", suites)
	}
	a, ok := FindApp(strings.ToUpper(AppExchange))
	if !ok || a.Suite != Office365 || SuiteOf(AppExchange) != Office365 || AppName(AppExchange) != "Exchange Online" {
		t.Errorf("Exchange Online is %+v", a)
	}
	if SuiteOf("unheard of") != SuiteUnknown || AppName("unheard of") != "" {
		t.Error("an app that is not known has no suite and no name")
	}
}

func TestClouds(t *testing.T) {
	t.Parallel()
	for _, c := range Clouds() {
		for _, where := range []string{c.Authority, c.Graph, c.PartnerCenter, c.ARM} {
			if !(where == "" && c.Closed) && !regexp.MustCompile(`^https://[a-z.]+[a-z]$`).MatchString(where) {
				t.Errorf("%s: %q is no address", c.Name, where)
			}
		}
		if !c.Closed && (len(c.Issuers) != 2 || !strings.HasPrefix(c.Issuers[0], "https://sts.") || c.Issuers[1] != c.Authority+"/") {
			t.Errorf("%s: issuers %v", c.Name, c.Issuers)
		}
		if got, ok := FindCloud(c.Name); !ok || got.Authority != c.Authority {
			t.Errorf("%s is not found", c.Name)
		}
	}
	if got := CenterHosts(); !slices.Equal(got, []string{CenterHost, centerChina}) {
		t.Errorf("Partner Center answers at %v", got)
	}
	if got := AuthorityHosts(); !slices.Equal(got, []string{LoginHost, LoginWindowsHost, LoginLiveHost, STSHost, DeviceLoginHost, loginUSGov, loginChina}) {
		t.Errorf("sign-ins are at %v: a closed cloud has none", got)
	}
	if len(GraphHosts()) != 3 || len(ARMHosts()) != 3 {
		t.Errorf("Graph at %v, Azure at %v", GraphHosts(), ARMHosts())
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for i, c := range Codes() {
		if i > 0 && Codes()[i-1].Code >= c.Code {
			t.Errorf("%d stands after %d", c.Code, Codes()[i-1].Code)
		}
		if c.Source == "" || (c.Answer.Word == "") != (c.Answer.Text == "") {
			t.Errorf("%d is no whole row", c.Code)
		}
		m := c.Meaning
		if m != (Meaning{}) && (m.Words == "" || m.Fix == "" || m.Bucket == "" || strings.HasSuffix(m.Words, ".") || m.Bucket == BucketUnknown) {
			t.Errorf("%d means %+v", c.Code, m)
		}
		if m.Bucket == BucketTransient && m.Final {
			t.Errorf("%d passes and is final", c.Code)
		}
		if got, ok := FindCode(c.Code); !ok || got != c {
			t.Errorf("%d is not found", c.Code)
		}
	}
	if _, ok := FindCode(0); ok {
		t.Error("0 is success, no code")
	}
	if m, ok := ExplainWord("invalid_grant"); !ok || m.Bucket != BucketToken {
		t.Errorf("invalid_grant means %+v", m)
	}
}
