//go:build !judge

// Package inquirytest has stories that inquiries are tried on: a stolen administrator, and
// somebody who does what they always do. Tests only.
package inquirytest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/inquiry"
)

// The world of the tests.
const (
	Customer = "11111111-0000-4000-8000-000000000001"
	Sub      = "22222222-0000-4000-8000-000000000002"
	Ada      = "aaaaaaaa-0000-4000-8000-00000000000a" // an administrator
	Ops      = "bbbbbbbb-0000-4000-8000-00000000000b" // who deploys every week
	Svc      = "cccccccc-0000-4000-8000-00000000000c" // who appears in the attack
	Owner    = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
)

var Night = time.Date(2026, 11, 19, 2, 0, 0, 0, time.UTC) // when it begins

// Record is one record of a log or a list.
type Record struct {
	Kind evidence.Kind
	Raw  string
}

// Story is a list of records.
type Story struct {
	Records []Record
	n       int
}

func (s *Story) Add(kind evidence.Kind, format string, args ...any) {
	s.Records = append(s.Records, Record{kind, fmt.Sprintf(format, args...)})
}

// Act is an event of Azure's.
func (s *Story) Act(at time.Time, who, upn, ip, op, path, body, status string) {
	s.n++
	raw, _ := json.Marshal(body)
	s.Add(evidence.AzureActivity, `{"eventDataId":"e%d","eventTimestamp":%q,"operationName":{"value":%q},"status":{"value":%q},"category":{"value":"Administrative"},
		"caller":%q,"claims":{"http://schemas.microsoft.com/identity/claims/objectidentifier":%q},"httpRequest":{"clientIpAddress":%q},"resourceId":%q,
		"subscriptionId":%q,"correlationId":"c%d","properties":{"requestbody":%s}}`, s.n, at.Format(time.RFC3339), op, status, upn, who, ip, path, Sub, s.n, raw)
}

// Machine makes a virtual machine.
func (s *Story) Machine(at time.Time, who, upn, ip, region, size, name string) {
	s.Act(at, who, upn, ip, "Microsoft.Compute/virtualMachines/write", "/subscriptions/"+Sub+"/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/"+name,
		fmt.Sprintf(`{"location":%q,"properties":{"hardwareProfile":{"vmSize":%q}}}`, region, size), "Succeeded")
}

func (s *Story) SignIn(at time.Time, who, upn, ip, country, risk string, mfa bool) {
	s.n++
	requirement, steps := "singleFactorAuthentication", `[{"authenticationMethod":"Password","succeeded":true,"authenticationStepResultDetail":"Correct password"}]`
	if mfa {
		requirement = "multiFactorAuthentication"
		steps = `[{"authenticationMethod":"Password","succeeded":true},{"authenticationMethod":"Mobile app notification","succeeded":true,"authenticationStepResultDetail":"MFA completed in Azure AD"}]`
	}
	s.Add(evidence.SignIn, `{"id":"s%d","createdDateTime":%q,"userId":%q,"userPrincipalName":%q,"appId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c","appDisplayName":"Azure Portal",
		"ipAddress":%q,"location":{"countryOrRegion":%q},"status":{"errorCode":0},"riskLevelDuringSignIn":%q,"authenticationRequirement":%q,"authenticationDetails":%s,
		"isInteractive":true,"signInEventTypes":["interactiveUser"],"clientAppUsed":"Browser"}`, s.n, at.Format(time.RFC3339), who, upn, ip, country, risk, requirement, steps)
}

// Past is forty days of Ops' usual work.
func (s *Story) Past() {
	for d := 60; d > 2; d -= 3 {
		at := Night.AddDate(0, 0, -d).Add(8 * time.Hour)
		s.Machine(at, Ops, "ops@fabrikam.example", "198.51.100.10", "westeurope", "Standard_D4s_v5", fmt.Sprintf("web%d", d))
		s.SignIn(at.Add(-time.Hour), Ops, "ops@fabrikam.example", "198.51.100.10", "DE", "none", true)
		s.SignIn(at.Add(-2*time.Hour), Ada, "ada@fabrikam.example", "198.51.100.11", "DE", "none", true)
	}
	for d := 10; d > 0; d-- {
		s.Cost(Night.AddDate(0, 0, -d).Truncate(24*time.Hour), float64(30*(11-d)))
	}
}

func (s *Story) Cost(at time.Time, total float64) {
	s.Add(evidence.CustomerUsage, `{"resourceId":%q,"resourceName":"Fabrikam","totalCost":%f,"currencyCode":"EUR","lastModifiedDate":%q,"budget":{"amount":400}}`,
		Customer, total, at.Format(time.RFC3339))
}

func Alert() fraud.Alert {
	return fraud.Alert{ID: "alert-1", Name: "Crypto mining", Type: "CryptoMining", Severity: "high", Status: fraud.Active, Customer: Customer, Subscription: Sub,
		Detected: Night.Add(7 * time.Hour), First: Night.Add(10 * time.Minute),
		Details: map[string]json.RawMessage{"CryptoCurrencyMiningPoolDomainName": json.RawMessage(`"pool.mine.example"`)}}
}

// Attack is the stolen administrator: a sign-in from elsewhere, a new Owner, machines in five
// regions, money.
func Attack() *Story {
	s := &Story{}
	s.Past()
	s.SignIn(Night.Add(-3*time.Hour), Ada, "ada@fabrikam.example", "203.0.113.9", "BR", "high", false)
	s.Add(evidence.DirectoryAudit, `{"id":"a1","activityDateTime":%q,"activityDisplayName":"User registered security info","result":"success",
		"initiatedBy":{"user":{"id":%q,"userPrincipalName":"ada@fabrikam.example","ipAddress":"203.0.113.9"}},
		"targetResources":[{"id":%q,"type":"User","userPrincipalName":"ada@fabrikam.example"}]}`, Night.Add(-170*time.Minute).Format(time.RFC3339), Ada, Ada)
	s.Act(Night.Add(-time.Hour), Ada, "ada@fabrikam.example", "203.0.113.9", "Microsoft.Authorization/roleAssignments/write",
		"/subscriptions/"+Sub+"/providers/Microsoft.Authorization/roleAssignments/ra1",
		`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/`+Owner+`","principalId":"`+Svc+`"}}`, "Succeeded")
	s.Act(Night.Add(-30*time.Minute), Svc, "svc@fabrikam.example", "203.0.113.9", "Microsoft.Quota/quotas/write",
		"/subscriptions/"+Sub+"/providers/Microsoft.Quota/quotas/x", `{}`, "Accepted")
	s.SignIn(Night.Add(-40*time.Minute), Svc, "svc@fabrikam.example", "203.0.113.9", "BR", "none", false)
	for k, region := range []string{"eastus", "japaneast", "southcentralus", "westus2", "uksouth"} {
		for m := range 4 {
			s.Machine(Night.Add(time.Duration(k*6+m)*time.Minute), Svc, "svc@fabrikam.example", "203.0.113.9", region, "Standard_NC24ads_A100_v4", fmt.Sprintf("m%d%d", k, m))
		}
	}
	s.Cost(Night.Truncate(24*time.Hour).AddDate(0, 0, 1), 4000)
	return s
}

// Deployment is Ops who does at noon what Ops always does.
func Deployment() *Story {
	s := &Story{}
	s.Past()
	s.SignIn(Night.Add(8*time.Hour), Ops, "ops@fabrikam.example", "198.51.100.10", "DE", "none", true)
	for m := range 3 {
		s.Machine(Night.Add(9*time.Hour+time.Duration(m)*time.Minute), Ops, "ops@fabrikam.example", "198.51.100.10", "westeurope", "Standard_D4s_v5", fmt.Sprintf("new%d", m))
	}
	return s
}

// Whole says that everything was read.
func Whole() (out []inquiry.Read) {
	for _, name := range []string{"azureActivity", "azureRoleAssignments", "directoryAudits", "signIns.interactiveUser", "signIns.nonInteractiveUser",
		"signIns.servicePrincipal", "riskyUsers", "riskDetections", "azureResources"} {
		out = append(out, inquiry.Read{Tenant: Customer, Resource: name, State: inquiry.ReadSince})
	}
	return out
}

// Fold takes a story in some order.
func Fold(t testing.TB, s *Story, o inquiry.Options, order func(i int) int) *inquiry.Timeline {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = Night.Add(36 * time.Hour)
	}
	f := inquiry.NewFold(o)
	for i := range s.Records {
		r := s.Records[order(i)]
		if err := f.Take(r.Kind, []byte(r.Raw), inquiry.Place{Tenant: Customer, Segment: "seg", Entry: int64(i), Read: o.Now}); err != nil {
			t.Fatalf("%s: %v", r.Raw, err)
		}
	}
	return f.Timeline()
}

func AsItIs(i int) int { return i }
