package facts_test

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

func build(t *testing.T, records map[evidence.Kind][]string) *facts.Facts {
	t.Helper()
	f := facts.New()
	for kind, list := range records {
		for i, r := range list {
			if err := f.Take(kind, []byte(r), evidence.Source{Path: "export.json", Index: i + 1}); err != nil {
				t.Fatalf("%s: %v", r, err)
			}
		}
	}
	return f
}

func TestTenant(t *testing.T) {
	t.Parallel()
	f := build(t, map[evidence.Kind][]string{
		evidence.User: {
			`{"id":"U1","userPrincipalName":"u1@contoso.com","accountEnabled":true,"userType":"Member"}`,
			`{"id":"u2","userPrincipalName":"u2_fabrikam.com#EXT#@contoso.onmicrosoft.com","accountEnabled":true,"userType":"Guest"}`,
			`{"id":"u3","userPrincipalName":"u3@contoso.com","accountEnabled":false}`,
			`{"id":"u4","userPrincipalName":"u4@contoso.com","accountEnabled":true,"userType":"Guest"}`,
			`{"id":"u5","userPrincipalName":"breakglass@contoso.com","accountEnabled":true}`,
		},
		evidence.Group: {
			`{"id":"G1","displayName":"Outer","members":[{"@odata.type":"#microsoft.graph.group","id":"g2"}]}`,
			`{"id":"g2","displayName":"Inner","members":[{"id":"u1"}]}`,
			`{"id":"g3","displayName":"Closed"}`,
			`{"id":"g4","displayName":"Half","members":[{"id":"u2"},{"@odata.type":"#microsoft.graph.group","id":"g3"}]}`,
		},
		evidence.RoleAssignment:  {`{"principalId":"G1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`},
		evidence.RoleEligibility: {`{"principalId":"u5","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`},
		evidence.RegistrationDetails: {`{"id":"u1","userPrincipalName":"u1@contoso.com","methodsRegistered":["mobilePhone"]}`,
			`{"id":"u9","userPrincipalName":"u9@contoso.com","methodsRegistered":[]}`},
	})
	tenant := f.Tenant()
	by := map[string]access.Subject{}
	for _, s := range tenant.Users {
		by[s.ID] = s
	}
	if s := by["u1"]; !slices.Equal(s.Groups, []string{"g1", "g2"}) || !slices.Equal(s.Roles, []string{"62e90394-69f5-4237-9190-012177145e10"}) ||
		!s.MethodsKnown || !s.CanAnswer() || s.External != access.Member {
		t.Errorf("u1: %+v", s)
	}
	if by["u2"].External != access.CollaborationGuest || by["u4"].External != access.InternalGuest || !by["u3"].Exempt || !by["u5"].BreakGlass ||
		len(by["u5"].Eligible) != 1 {
		t.Errorf("u2 %+v\nu3 %+v\nu4 %+v\nu5 %+v", by["u2"], by["u3"], by["u4"], by["u5"])
	}
	if s, ok := by["u9"]; !ok || s.CanAnswer() || !s.MethodsKnown {
		t.Errorf("an account known from its registration alone: %+v", s)
	}
	if !tenant.KnownGroups["g1"] || !tenant.KnownGroups["g2"] || tenant.KnownGroups["g3"] || tenant.KnownGroups["g4"] {
		t.Errorf("known groups: %v", tenant.KnownGroups)
	}
	if tenant.LocationsLack == "" {
		t.Error("named locations were not read, and nothing says so")
	}
	if tenant.Whole { // u9 is registered and in no list of users
		t.Error("the list of users is whole, and a registration names somebody it does not hold")
	}
	if !tenant.RolesKnown || tenant.Names["g1"] != "Outer" {
		t.Errorf("whole %v, roles known %v, names %v", tenant.Whole, tenant.RolesKnown, tenant.Names)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	const kind = evidence.ConditionalAccessPolicy
	for name, c := range map[string]struct {
		inputs []evidence.Input
		seen   int
		want   bool
	}{
		"nothing":             {nil, 0, false},
		"an empty list":       {[]evidence.Input{{Status: evidence.Read, Kinds: map[evidence.Kind]int{kind: 0}}}, 0, true},
		"an empty list, open": {[]evidence.Input{{Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{kind: 0}}}, 0, false},
		"one page of many":    {[]evidence.Input{{Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{kind: 2}}}, 2, false},
		"partly read":         {[]evidence.Input{{Status: evidence.Partial, Kinds: map[evidence.Kind]int{kind: 2}}}, 2, false},
		"another kind open": {[]evidence.Input{{Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{evidence.User: 2}},
			{Status: evidence.Read, Kinds: map[evidence.Kind]int{kind: 2}}}, 2, true},
	} {
		f := facts.New()
		f.Inputs, f.Seen[kind] = c.inputs, c.seen
		if got := f.Whole(kind); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCopiesFold(t *testing.T) {
	t.Parallel()
	f := build(t, map[evidence.Kind][]string{evidence.ConditionalAccessPolicy: {
		`{"id":"p","displayName":"new","state":"enabled","modifiedDateTime":"2024-01-01T00:00:00Z"}`,
		`{"id":"P","displayName":"old","state":"disabled","modifiedDateTime":"2021-01-01T00:00:00Z"}`,
	}, evidence.Customer: {`{"id":"c","allowDelegatedAccess":true}`, `{"id":"C"}`}})
	if len(f.Policies) != 1 || f.Policies["p"].DisplayName != "new" {
		t.Errorf("policies %+v", f.Policies)
	}
	if c := f.Customers["c"]; len(f.Customers) != 1 || !c.AllowDelegatedAccess.True() {
		t.Errorf("a list without the flag erased it: %+v", c)
	}
}

// FuzzTake: no record of any kind panics, and what does not fit is an error in
// words, without the record's own text.
func FuzzTake(f *testing.F) {
	kinds := []evidence.Kind{evidence.User, evidence.RegistrationDetails, evidence.RoleDefinition, evidence.RoleAssignment, evidence.RoleEligibility,
		evidence.DirectoryRole, evidence.Group, evidence.Application, evidence.ServicePrincipal, evidence.OAuth2PermissionGrant, evidence.SubscribedSku,
		evidence.Organization, evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.NamedLocation, evidence.AuthenticationStrength,
		evidence.AuthenticationMethods, evidence.Relationship, evidence.AccessAssignment, evidence.Customer, evidence.SecurityAlert, evidence.FraudEvent,
		evidence.MFAAdoption, evidence.NonCompliantPrincipal, evidence.PartnerRequest, evidence.SecurityScore, evidence.SecurityRequirement,
		evidence.CustomerInsight, evidence.PrivilegedUser, evidence.ScubaPrivilegedRole}
	for i := range kinds {
		f.Add(i, []byte(`{"id":"x","members":[{"id":"y"}],"conditions":{"users":{"includeUsers":["All"]},"locations":[]},"activityLogs":"[{}]","ipRanges":[{"cidrAddress":"::/0"}]}`))
	}
	f.Fuzz(func(t *testing.T, k int, raw []byte) {
		x := facts.New()
		kind := kinds[uint(k)%uint(len(kinds))]
		if err := x.Take(kind, raw, evidence.Source{Path: "p"}); err != nil && strings.Contains(err.Error(), "\x00") {
			t.Errorf("the error carries raw bytes: %q", err)
		}
		x.Inputs = []evidence.Input{{Path: "p", Status: evidence.Read, Kinds: map[evidence.Kind]int{kind: 1}}}
		e := access.Compile(x.Tenant())
		q, _ := access.FindQuestion("mfa-every-sign-in")
		if _, err := e.Prove(q); err != nil {
			t.Errorf("prove: %v", err)
		}
	})
}
