//go:build !judge

package inquiry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/inquiry"
)

// The world of the tests.
const (
	customer = "11111111-0000-4000-8000-000000000001"
	sub      = "22222222-0000-4000-8000-000000000002"
	ada      = "aaaaaaaa-0000-4000-8000-00000000000a" // an administrator
	ops      = "bbbbbbbb-0000-4000-8000-00000000000b" // who deploys every week
	svc      = "cccccccc-0000-4000-8000-00000000000c" // who appears in the attack
	owner    = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
)

var night = time.Date(2026, 11, 19, 2, 0, 0, 0, time.UTC) // when it begins

type row struct {
	kind evidence.Kind
	raw  string
}

// story is a list of records.
type story struct {
	rows []row
	n    int
}

func (s *story) add(kind evidence.Kind, format string, args ...any) {
	s.rows = append(s.rows, row{kind, fmt.Sprintf(format, args...)})
}

// act is an event of Azure's.
func (s *story) act(at time.Time, who, upn, ip, op, path, body, status string) {
	s.n++
	raw, _ := json.Marshal(body)
	s.add(evidence.AzureActivity, `{"eventDataId":"e%d","eventTimestamp":%q,"operationName":{"value":%q},"status":{"value":%q},"category":{"value":"Administrative"},
		"caller":%q,"claims":{"http://schemas.microsoft.com/identity/claims/objectidentifier":%q},"httpRequest":{"clientIpAddress":%q},"resourceId":%q,
		"subscriptionId":%q,"correlationId":"c%d","properties":{"requestbody":%s}}`, s.n, at.Format(time.RFC3339), op, status, upn, who, ip, path, sub, s.n, raw)
}

// machine makes a virtual machine.
func (s *story) machine(at time.Time, who, upn, ip, region, size, name string) {
	s.act(at, who, upn, ip, "Microsoft.Compute/virtualMachines/write", "/subscriptions/"+sub+"/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/"+name,
		fmt.Sprintf(`{"location":%q,"properties":{"hardwareProfile":{"vmSize":%q}}}`, region, size), "Succeeded")
}

func (s *story) signIn(at time.Time, who, upn, ip, country, risk string, mfa bool) {
	s.n++
	requirement, steps := "singleFactorAuthentication", `[{"authenticationMethod":"Password","succeeded":true,"authenticationStepResultDetail":"Correct password"}]`
	if mfa {
		requirement = "multiFactorAuthentication"
		steps = `[{"authenticationMethod":"Password","succeeded":true},{"authenticationMethod":"Mobile app notification","succeeded":true,"authenticationStepResultDetail":"MFA completed in Azure AD"}]`
	}
	s.add(evidence.SignIn, `{"id":"s%d","createdDateTime":%q,"userId":%q,"userPrincipalName":%q,"appId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c","appDisplayName":"Azure Portal",
		"ipAddress":%q,"location":{"countryOrRegion":%q},"status":{"errorCode":0},"riskLevelDuringSignIn":%q,"authenticationRequirement":%q,"authenticationDetails":%s,
		"isInteractive":true,"signInEventTypes":["interactiveUser"],"clientAppUsed":"Browser"}`, s.n, at.Format(time.RFC3339), who, upn, ip, country, risk, requirement, steps)
}

// past is forty days of ops' usual work.
func (s *story) past() {
	for d := 60; d > 2; d -= 3 {
		at := night.AddDate(0, 0, -d).Add(8 * time.Hour)
		s.machine(at, ops, "ops@fabrikam.example", "198.51.100.10", "westeurope", "Standard_D4s_v5", fmt.Sprintf("web%d", d))
		s.signIn(at.Add(-time.Hour), ops, "ops@fabrikam.example", "198.51.100.10", "DE", "none", true)
		s.signIn(at.Add(-2*time.Hour), ada, "ada@fabrikam.example", "198.51.100.11", "DE", "none", true)
	}
	for d := 10; d > 0; d-- {
		s.cost(night.AddDate(0, 0, -d).Truncate(24*time.Hour), float64(30*(11-d)))
	}
}

func (s *story) cost(at time.Time, total float64) {
	s.add(evidence.CustomerUsage, `{"resourceId":%q,"resourceName":"Fabrikam","totalCost":%f,"currencyCode":"EUR","lastModifiedDate":%q,"budget":{"amount":400}}`,
		customer, total, at.Format(time.RFC3339))
}

func alertOf() fraud.Alert {
	return fraud.Alert{ID: "alert-1", Name: "Crypto mining", Type: "CryptoMining", Severity: "high", Status: fraud.Active, Customer: customer, Subscription: sub,
		Detected: night.Add(7 * time.Hour), First: night.Add(10 * time.Minute),
		Details: map[string]json.RawMessage{"CryptoCurrencyMiningPoolDomainName": json.RawMessage(`"pool.mine.example"`)}}
}

// attack is the stolen administrator: a sign-in from elsewhere, a new Owner, machines in five
// regions, money.
func attack() *story {
	s := &story{}
	s.past()
	s.signIn(night.Add(-3*time.Hour), ada, "ada@fabrikam.example", "203.0.113.9", "BR", "high", false)
	s.add(evidence.DirectoryAudit, `{"id":"a1","activityDateTime":%q,"activityDisplayName":"User registered security info","result":"success",
		"initiatedBy":{"user":{"id":%q,"userPrincipalName":"ada@fabrikam.example","ipAddress":"203.0.113.9"}},
		"targetResources":[{"id":%q,"type":"User","userPrincipalName":"ada@fabrikam.example"}]}`, night.Add(-170*time.Minute).Format(time.RFC3339), ada, ada)
	s.act(night.Add(-time.Hour), ada, "ada@fabrikam.example", "203.0.113.9", "Microsoft.Authorization/roleAssignments/write",
		"/subscriptions/"+sub+"/providers/Microsoft.Authorization/roleAssignments/ra1",
		`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/`+owner+`","principalId":"`+svc+`"}}`, "Succeeded")
	s.act(night.Add(-30*time.Minute), svc, "svc@fabrikam.example", "203.0.113.9", "Microsoft.Quota/quotas/write",
		"/subscriptions/"+sub+"/providers/Microsoft.Quota/quotas/x", `{}`, "Accepted")
	s.signIn(night.Add(-40*time.Minute), svc, "svc@fabrikam.example", "203.0.113.9", "BR", "none", false)
	for k, region := range []string{"eastus", "japaneast", "southcentralus", "westus2", "uksouth"} {
		for m := range 4 {
			s.machine(night.Add(time.Duration(k*6+m)*time.Minute), svc, "svc@fabrikam.example", "203.0.113.9", region, "Standard_NC24ads_A100_v4", fmt.Sprintf("m%d%d", k, m))
		}
	}
	s.cost(night.Truncate(24*time.Hour).AddDate(0, 0, 1), 4000)
	return s
}

// deployment is ops who does at noon what ops always does.
func deployment() *story {
	s := &story{}
	s.past()
	s.signIn(night.Add(8*time.Hour), ops, "ops@fabrikam.example", "198.51.100.10", "DE", "none", true)
	for m := range 3 {
		s.machine(night.Add(9*time.Hour+time.Duration(m)*time.Minute), ops, "ops@fabrikam.example", "198.51.100.10", "westeurope", "Standard_D4s_v5", fmt.Sprintf("new%d", m))
	}
	return s
}

// whole says that everything was read.
func whole() (out []inquiry.Read) {
	for _, name := range []string{"azureActivity", "azureRoleAssignments", "directoryAudits", "signIns.interactiveUser", "signIns.nonInteractiveUser",
		"signIns.servicePrincipal", "riskyUsers", "riskDetections", "azureResources"} {
		out = append(out, inquiry.Read{Tenant: customer, Resource: name, State: inquiry.ReadSince})
	}
	return out
}

// fold takes a story in some order.
func fold(t *testing.T, s *story, o inquiry.Options, order func(i int) int) *inquiry.Timeline {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = night.Add(36 * time.Hour)
	}
	f := inquiry.NewFold(o)
	for i := range s.rows {
		r := s.rows[order(i)]
		if err := f.Take(r.kind, []byte(r.raw), inquiry.Place{Tenant: customer, Segment: "seg", Entry: int64(i), Read: o.Now}); err != nil {
			t.Fatalf("%s: %v", r.raw, err)
		}
	}
	return f.Timeline()
}

func asItIs(i int) int { return i }

func keys(list []inquiry.Reason) string {
	var out []string
	for _, r := range list {
		out = append(out, r.Key)
	}
	return strings.Join(out, " ")
}
