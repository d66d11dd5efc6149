package center

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// shared finds the documentation's examples. They lie beside the project and
// are not part of it; without them these tests say so, and CI fails.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "partner", "partner-center-docs", name))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared examples are missing: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: the shared examples are missing: %v", err)
	}
	return b
}

// keys lists the names of the first element, nested ones too, sorted.
func keys(v any, at string, out map[string]bool) {
	switch x := v.(type) {
	case []any:
		if len(x) > 0 {
			keys(x[0], at+"[]", out)
		}
	case map[string]any:
		for k, e := range x {
			out[at+"."+k] = true
			if k != "additionalDetails" && k != "activityLogs" { // an open bag; an array inside a text
				keys(e, at+"."+k, out)
			}
		}
	}
}

// TestDocumentedShapes: an answer has exactly the names of the documentation's
// example of it.
func TestDocumentedShapes(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.w.Read(func(s *world.State) {
		s.LogRequest(s.PartnerTenant(), &world.PartnerRequest{Portal: true, UserID: uid("desk"), TenantID: partnerID, UPN: "desk@contoso.com"})
	})
	cases := map[string]struct {
		path    string
		headers []string
	}{
		"get-api-request-summary.1.json":           {"/v1/applicationmfaadoptionstatus", nil},
		"get-portal-requests-without-mfa.1.json":   {"/v1/nonMfaCompliantPartnerPrincipals", nil},
		"get-user-roles-for-a-customer.1.json":     {"/v1/customers/" + dapID + "/users/" + bossUser(dapID) + "/directoryroles", nil},
		"get-fraud-events.repaired.json":           {"/v1/fraudEvents", nil},
		"get-fraud-events.new-model.repaired.json": {"/v1/fraudEvents", []string{"X-NewEventsModel", "true"}},
	}
	l.as("agent", "GET", "/v1/customers", "")
	for file, c := range cases {
		var want any
		if err := json.Unmarshal(shared(t, file), &want); err != nil {
			t.Fatal(err)
		}
		a := l.as("agent", "GET", c.path, "", c.headers...)
		var got any
		if err := json.Unmarshal(a.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %d %s", file, a.Code, a.Body)
		}
		w, g := map[string]bool{}, map[string]bool{}
		keys(want, "", w)
		keys(got, "", g)
		for k := range w {
			if !g[k] {
				t.Errorf("%s: %s is missing", file, k)
			}
		}
		for k := range g {
			if !w[k] {
				t.Errorf("%s: %s is not in the example", file, k)
			}
		}
	}
}

type history struct {
	rows map[string][]*world.PartnerRequest
}

func (h history) First() time.Time                                               { return start.AddDate(0, 0, -30) }
func (h history) SignIns(*world.State, *world.Tenant, time.Time) []*world.SignIn { return nil }
func (h history) Requests(_ *world.State, _ *world.Tenant, day time.Time) []*world.PartnerRequest {
	return h.rows[day.Format(time.DateOnly)]
}

// TestAdoption counts API requests by app and day, history included, and leaves
// out app-only and portal ones; calls of the reports count like others.
func TestAdoption(t *testing.T) {
	t.Parallel()
	at := func(days int) time.Time { return start.AddDate(0, 0, -days) }
	l := newLab(t, func(s *world.State) {
		s.History = history{map[string][]*world.PartnerRequest{
			at(2).Format(time.DateOnly): {{ID: "a", At: at(2), AppID: appID, MFA: true}, {ID: "b", At: at(2), AppID: appID},
				{ID: "p", At: at(2), Portal: true, UserID: "u1", UPN: "u1"}, {ID: "c", At: at(2), AppID: appID, AppOnly: true}},
			at(9).Format(time.DateOnly): {{ID: "old", At: at(9), AppID: appID}, {ID: "q", At: at(9), Portal: true, UserID: "u2"}},
		}}
	})
	l.as("agent-", "GET", "/v1/customers", "", "MS-CorrelationId", "22222222-2222-4222-8222-222222222222")
	l.as("app", "GET", "/v1/customers", "")
	a := l.as("agent", "GET", "/v1/applicationmfaadoptionstatus", "")
	if len(a.l) != 2 {
		t.Fatalf("%s", a.Body)
	}
	today, before := a.l[0].(map[string]any), a.l[1].(map[string]any)
	if today["loginDate"] != "2026-11-22" || today["totalRequestCount"] != 2.0 || today["mfaCompliantRequestCount"] != 1.0 ||
		today["applicationName"] != "Own app" {
		t.Errorf("%v", today)
	}
	if before["totalRequestCount"] != 2.0 || before["mfaCompliantRequestCount"] != 1.0 {
		t.Errorf("%v", before)
	}
	if a := l.as("admin", "GET", "/v1/nonMfaCompliantPartnerPrincipals", ""); len(a.items()) != 1 || a.items()[0]["upn"] != "u1" {
		t.Errorf("%s", a.Body)
	}
	a = l.as("agent", "GET", "/v1/partnerRequests", "")
	if n := len(a.items()); n != 6 {
		t.Fatalf("%d rows: %s", n, a.Body)
	}
	var ops []string
	for _, r := range a.items() {
		ops = append(ops, r["operationName"].(string))
		if r["correlationId"] == "22222222-2222-4222-8222-222222222222" &&
			(r["mfaCompliant"] != false || strings.HasSuffix(r["requestDateTime"].(string), "Z") || r["upn"] != "agent-@contoso.com" &&
				r["upn"] != "agent@contoso.com") {
			t.Errorf("%v", r)
		}
	}
	if !slices.Contains(ops, "Get /v{version}/customers") || ops[0] != "Get /v{version}/partnerRequests" {
		t.Errorf("%v", ops)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		for range 60_000 {
			s.LogRequest(p, &world.PartnerRequest{UserID: "u"})
		}
		if n := len(p.Requests); n > 22_000 || n < 20_000 {
			t.Errorf("%d kept", n)
		}
	})
	if a := l.as("agent", "GET", "/v1/partnerRequests", ""); len(a.items()) != 10_000 {
		t.Errorf("%d given", len(a.items()))
	}
}

func TestAuditRecords(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for i, id := range []string{dapID, gdapID, dapID} {
		l.as("agent", "PATCH", "/v1/customers/"+id+"/usagebudget", `{"amount":`+string(rune('1'+i))+`}`)
		l.jump(24 * time.Hour)
	}
	all := l.as("app", "GET", "/v1/auditrecords", "")
	if n := len(all.items()); n != 3 || all.items()[0]["operationType"] != "update_customer_spending_budget" ||
		!strings.Contains(all.items()[0]["resourceNewValue"].(string), `"amount":3`) || all.items()[0]["operationStatus"] != "succeeded" {
		t.Errorf("%s", all.Body)
	}
	for filter, want := range map[string]int{
		`%7B"Field":"CompanyName","Value":"toys","Operator":"substring"%7D`: 1, `%7B"Field":"CustomerId","Value":"` + dapID + `","Operator":"equals"%7D`: 2,
		`%7B"Field":"ResourceType","Value":"order","Operator":"equals"%7D`: 0,
	} {
		if a := l.as("app", "GET", "/v1/auditrecords?filter="+strings.ReplaceAll(filter, `"`, "%22"), ""); a.Code != 200 || len(a.items()) != want {
			t.Errorf("%s: %d %d, want %d", filter, a.Code, len(a.items()), want)
		}
	}
	if a := l.as("app", "GET", "/v1/auditrecords?filter=%7B%22Field%22:%22CustomerId%22,%22Value%22:%22c%22,%22Operator%22:%22starts_with%22%7D",
		""); a.Code != 400 {
		t.Errorf("wrong operator: %d", a.Code)
	}
	if a := l.as("app", "GET", "/v1/auditrecords?startDate=2026-11-23&endDate=2026-11-23", ""); len(a.items()) != 1 {
		t.Errorf("one day: %s", a.Body)
	}
}

// TestFraud: an answer without ids is for every event of the subscription (trap
// 10); texts are texts and activityLogs is an array inside one (trap 11).
func TestFraud(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	a := l.as("agent", "GET", "/v1/fraudEvents?eventstatus=active&PageSize=1&PageNumber=2", "", "X-NewEventsModel", "TRUE")
	if len(a.l) != 1 || a.l[0].(map[string]any)["eventId"] != azureID+"_two" {
		t.Fatalf("page 2: %s", a.Body)
	}
	ev := l.as("agent", "GET", "/v1/fraudEvents?EventType=NetworkConnectionsToCryptoMiningPools", "", "X-NewEventsModel", "true").l[0].(map[string]any)
	var log []map[string]string
	if err := json.Unmarshal([]byte(ev["activityLogs"].(string)), &log); err != nil || len(log) != 1 {
		t.Errorf("activityLogs: %v", ev["activityLogs"])
	}
	if ev["IsTest"] != "false" || ev["hitCount"] != "10" || ev["eventStatus"] != "Active" || ev["severity"] != "High" || ev["resolvedOn"] != never ||
		ev["resourceGroupName"] != "rg" || ev["subscriptionName"] != "Production" || strings.HasSuffix(ev["eventTime"].(string), "Z") {
		t.Errorf("%v", ev)
	}
	if a := l.as("agent", "POST", "/v1/fraudEvents/subscription/"+azureID+"/status",
		`{"EventIds":[],"EventStatus":"Resolved","ResolvedReason":"Fraud"}`); a.Code != 200 || len(a.l) != 2 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		for al := range s.PartnerTenant().Alerts.All() {
			if al.Status != "resolved" || al.Reason != "fraud" || al.ResolvedBy != "agent@contoso.com" || !al.ResolvedOn.Equal(start) {
				t.Errorf("%+v", al)
			}
		}
		if st := s.Tenant(dapID).Azure.Get(azureID).State; st != "Enabled" {
			t.Errorf("answering stopped something: %s", st)
		}
	})
	if a := l.as("agent", "POST", "/v1/fraudEvents/subscription/"+azureID+"/status", `{"EventIds":["`+azureID+
		`_two"],"EventStatus":"Investigating"}`); len(a.l) != 1 {
		t.Errorf("%s", a.Body)
	}
}
