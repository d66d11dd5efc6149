package center

import (
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

func TestDevices(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	mine := "/v1/customers/" + dapID
	const one = `{"Id":null,"SerialNumber":"1R9-ZNP67","ProductKey":"00329-00000-0003-AA606","HardwareHash":"DummyHash123","Policies":null,` +
		`"Attributes":{"ObjectType":"Device"}}`
	job := func(a answer) answer {
		t.Helper()
		if a.Code != 202 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		return l.as("app", "GET", "/v1"+a.Header().Get("Location"), "")
	}
	first := job(l.as("app", "POST", mine+"/deviceBatches", `{"BatchId":"Office","Devices":[`+one+
		`],"Attributes":{"ObjectType":"DeviceBatchCreationRequest"}}`))
	if first.m["status"] != "finished" {
		t.Errorf("%s", first.Body)
	}
	again := job(l.as("app", "POST", mine+"/deviceBatches/office/devices", "["+one+","+strings.Replace(one, "1R9", "2R9", 1)+"]"))
	if again.m["status"] != "finished_with_errors" || again.at("devicesStatus.0.errorCode") == "" || again.at("devicesStatus.1.status") != "finished" {
		t.Errorf("a device twice: %s", again.Body)
	}
	if a := l.as("app", "GET", mine+"/deviceBatches", ""); a.at("items.0.devicesCount") != 2.0 {
		t.Errorf("%s", a.Body)
	}
	devices := l.as("app", "GET", mine+"/deviceBatches/Office/devices", "")
	if strings.Contains(devices.Body.String(), "DummyHash") {
		t.Error("the hardware hash is shown")
	}
	id := devices.at("items.0.id").(string)
	p := l.as("agent", "POST", mine+"/policies", `{"name":"Test","category":"o_o_b_e","description":"d","policySettings":["skip_express_settings"]}`)
	if p.Code != 200 || p.m["devicesAssigned"] != 0.0 {
		t.Fatalf("%d %s", p.Code, p.Body)
	}
	policy := p.m["id"].(string)
	job(l.as("agent", "PATCH", mine+"/DevicePolicyUpdates", `{"Devices":[{"Id":"`+id+`","Policies":[{"Key":"o_o_b_e","Value":"`+policy+`"}]}]}`))
	if a := l.edit("agent", "PUT", mine+"/policies/"+policy, map[string]any{"name": "Renamed"}); a.m["name"] != "Renamed" || a.m["devicesAssigned"] != 1.0 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	for _, c := range []struct{ method, path, body, code string }{
		{"DELETE", "/policies/" + policy, "", "409"},
		{"POST", "/policies", `{"name":"x","category":"other"}`, "900126"},
		{"POST", "/policies", `{"name":"x","category":"o_o_b_e","policySettings":["dance"]}`, "900126"},
		{"POST", "/policies", `{"colour":1}`, "400"},
		{"GET", "/policies/" + dapID, "", "1000"},
		{"PATCH", "/DevicePolicyUpdates", `{"Devices":[{"Id":"` + id + `","Policies":[{"Key":"o_o_b_e","Value":"` + dapID + `"}]}]}`, "800002"},
		{"PATCH", "/DevicePolicyUpdates", `{"Devices":[{"Id":"` + dapID + `"}]}`, "800002"},
		{"POST", "/deviceBatches", `{"BatchId":"Office","Devices":[` + one + `]}`, "409"},
		{"POST", "/deviceBatches", `{"BatchId":"a/b","Devices":[` + one + `]}`, "800002"},
		{"POST", "/deviceBatches", `{"BatchId":"x","Devices":[]}`, "800002"},
		{"POST", "/deviceBatches", `{"BatchId":"x","Devices":[{}]}`, "800002"},
		{"GET", "/deviceBatches/none/devices", "", "1000"},
		{"GET", "/batchJobStatus/" + dapID, "", "1000"},
		{"DELETE", "/deviceBatches/Office/devices/" + dapID, "", "1000"},
	} {
		if a := l.as("agent", c.method, mine+c.path, c.body); a.code() != c.code {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, a.Code, a.Body)
		}
	}
	job(l.as("agent", "PATCH", mine+"/DevicePolicyUpdates", `{"Devices":[{"Id":"`+id+`","Policies":[{"Key":"o_o_b_e","Value":null}]}]}`))
	if a := l.as("agent", "DELETE", mine+"/policies/"+policy, ""); a.Code != 204 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "DELETE", mine+"/deviceBatches/Office/devices/"+id, ""); a.Code != 204 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.as("app", "GET", mine+"/deviceBatches/Office/devices", ""); len(a.items()) != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("app", "GET", "/v1/customers/"+gdapID+"/deviceBatches", ""); len(a.items()) != 0 {
		t.Errorf("another customer's: %s", a.Body)
	}
}

func TestServiceRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	topic := l.as("desk", "GET", "/v1/servicerequests/supporttopics", "").at("items.0.id").(string)
	make2 := func(more string) answer {
		return l.as("desk", "POST", "/v1/servicerequests/en-US", `{"title":"Help","description":"It is broken","severity":"critical","supportTopicId":"`+topic+
			`"`+more+`}`)
	}
	a := make2(`,"organization":{"id":"` + dapID + `"}`)
	if a.Code != 201 || a.m["status"] != "open" || a.at("organization.name") != "Coho Winery" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	make2("")
	id := "/v1/servicerequests/" + a.m["id"].(string)
	// As the SDK sends a change: everything it does not know is null or nothing.
	a = l.as("agent", "PATCH", id, `{"Id":null,"Title":null,"Severity":"unknown","Status":"none","Organization":null,"NewNote":{"CreatedByName":null,`+
		`"CreatedDate":null,"Text":"Sample Note"},"Notes":null,"CountryCode":null,"FileLinks":null,"Attributes":{"ObjectType":"ServiceRequest"}}`)
	if a.Code != 200 || a.at("notes.0.text") != "Sample Note" || a.m["severity"] != "critical" || a.m["status"] != "open" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a = l.as("agent", "PATCH", id, `{"Status":"closed"}`); a.m["status"] != "closed" || strings.HasPrefix(a.m["lastClosedDate"].(string), "0001") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	mine := "/v1/customers/" + dapID + strings.TrimPrefix(id, "/v1")
	if a = l.as("agent", "PATCH", mine, `{"Status":"open"}`); a.m["status"] != "open" {
		t.Errorf("as the customer's: %d %s", a.Code, a.Body)
	}
	if a = l.as("agent", "PATCH", strings.Replace(mine, dapID, bareID, 1), `{"Status":"closed"}`); a.code() != "1000" {
		t.Errorf("as another customer's: %d %s", a.Code, a.Body)
	}
	all, his := l.as("sales", "GET", "/v1/servicerequests", ""), l.as("sales", "GET", "/v1/customers/"+dapID+"/servicerequests", "")
	if len(all.items()) != 2 || len(his.items()) != 1 {
		t.Errorf("%s\n%s", all.Body, his.Body)
	}
	for _, c := range []struct{ who, method, path, body, code string }{
		{"desk", "GET", "/v1/servicerequests/none", "", "1000"},
		{"desk", "POST", "/v1/servicerequests/en-US", `{"title":"x"}`, "800002"},
		{"desk", "POST", "/v1/servicerequests/en_US!", `{"title":"x"}`, "800002"},
		{"desk", "POST", "/v1/servicerequests/en-US", `{"title":"x","description":"y","supportTopicId":"7"}`, "800002"},
		{"desk", "PATCH", id, `{"Severity":"dire"}`, "900126"},
		{"desk", "PATCH", id, `{"colour":1}`, "400"},
		{"sales", "PATCH", id, `{"Status":"open"}`, "900308"},
		{"app", "GET", "/v1/servicerequests", "", "900329"},
	} {
		if a := l.as(c.who, c.method, c.path, c.body); a.code() != c.code {
			t.Errorf("%s %s: %d %s", c.method, c.body, a.Code, a.Body)
		}
	}
}

func TestAnalytics(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		sell(s)
		c := s.Tenant(dapID)
		c.SKUs[1].Consumed = 2
		c.SKUs[1].Plans = []world.Plan{{ID: "e", Name: "EXCHANGE_S_STANDARD"}, {ID: "s", Name: "SHAREPOINTSTANDARD"}}
		c.Users.Change(custUser(dapID), func(u *world.User) { u.Licences, u.LastSuccess = []string{c.SKUs[1].ID}, start })
	})
	a := l.as("agent", "GET", "/v1/customers/"+dapID+"/analytics/licenses/deployment", "")
	if rows := a.items(); len(rows) != 2 || rows[1]["licensesDeployed"] != 2.0 || rows[1]["deploymentPercent"] != .4 {
		t.Errorf("%s", a.Body)
	}
	a = l.as("agent", "GET", "/v1/customers/"+dapID+"/analytics/licenses/usage", "")
	if rows := a.items(); len(rows) != 2 || rows[0]["licensesActive"] != 1.0 || rows[0]["usagePercent"] != .5 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "GET", "/v1/analytics/licenses/deployment", ""); a.at("items.0.licensesSold") != 10.0 {
		t.Errorf("%s", a.Body)
	}
	a = l.as("agent", "GET", "/partner/v1/analytics/subscriptions", "")
	if rows := a.items(); len(rows) != 3 || rows[2]["id"] != soldID || rows[2]["licenseCount"] != 5.0 || rows[2]["status"] != "ACTIVE" {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "GET", "/v1/analytics/licenses/usage", ""); len(a.items()) != 4 {
		t.Errorf("%s", a.Body)
	}
}

// TestLeftOut: what is left out says so by its name, and is no 404.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, x := range leftOut {
		path := strings.NewReplacer("{customer}", dapID, "{subscription}", planID, "{migration}", "schedule-7").Replace(x.path)
		a := l.as("agent", x.method, path, "{}")
		if a.Code != 501 || !strings.Contains(a.Body.String(), x.name) {
			t.Errorf("%s %s: %d %s", x.method, path, a.Code, a.Body)
		}
		if a := l.do("", x.method, path, "{}"); a.Code != 401 {
			t.Errorf("%s %s without a token: %d", x.method, path, a.Code)
		}
	}
}

func TestCustomersOfReseller(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for value, want := range map[string]int{resellerID: 1, resellerID[:8]: 1, "9": 0} {
		if a := l.as("agent", "GET", "/v1/customers"+filterOf("IndirectReseller", "starts_with", value), ""); len(a.items()) != want {
			t.Errorf("%s: %d %s", value, len(a.items()), a.Body)
		}
	}
}

// TestTable: no operation hides another.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range makeRoutes() {
		key := r.method + " " + strings.ToLower(r.pattern)
		if seen[key] {
			t.Errorf("%s stands twice", key)
		}
		seen[key] = true
		path := r.pattern
		for i, s := range r.segments {
			if strings.HasPrefix(s, "{") {
				path = strings.Replace(path, s, "x"+string(rune('a'+i)), 1)
			}
		}
		if got, _, f := match(makeRoutes(), r.method, path); f != nil || got.pattern != r.pattern {
			t.Errorf("%s is hidden: %v", key, f)
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d operations", len(seen))
	}
}

func TestBoughtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, agreed)
	mine := "/v1/customers/" + dapID
	l.as("agent", "POST", mine+"/subscriptions/"+planID+"/registrations", "")
	for _, body := range []string{`{"billingCycle":"one_time","lineItems":[{"offerId":"` + softOffer + `","quantity":2}]}`,
		`{"billingCycle":"one_time","lineItems":[{"offerId":"DZH318Z0BQ3Q:0001:DZH318XZXVNF","provisioningContext":{"subscriptionId":"` + azureID + `"}}]}`} {
		if a := l.as("agent", "POST", mine+"/orders", body); a.Code != 201 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
	}
	for q, want := range map[string]int{"": 2, "?entitlementType=software": 1, "?entitlementType=reservedInstance&showExpiry=true": 1} {
		a := l.as("agent", "GET", mine+"/entitlements"+q, "")
		if len(a.items()) != want || strings.Contains(q, "showExpiry") && a.at("items.0.expiryDate") != "2027-11-22T08:00:00Z" {
			t.Errorf("%s: %d %s", q, a.Code, a.Body)
		}
	}
	if a := l.as("agent", "GET", mine+"/entitlements?entitlementType=hat", ""); a.code() != "900126" {
		t.Errorf("%s", a.Body)
	}
	l.jump(1)
	rows := l.as("app", "GET", "/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=EUR&period=current",
		"").items()
	cost := map[string]float64{}
	for _, r := range rows {
		cost[r["productName"].(string)] += r["totalForCustomer"].(float64)
	}
	if cost["Microsoft Identity Manager 2016"] != 34.2 || cost["Virtual Machines DSv2 Series"] != 810 {
		t.Errorf("%v", cost)
	}
}

func TestDeleteCustomer(t *testing.T) {
	t.Parallel()
	path := "/v1/customers/" + gdapID
	if a := newLab(t, nil).as("agent", "DELETE", path, ""); a.code() != "900127" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	l := newLab(t, func(s *world.State) { s.PartnerTenant().Sandbox = true })
	if a := l.as("agent", "DELETE", "/v1/customers/"+dapID, ""); a.code() != "800002" {
		t.Errorf("with active subscriptions: %d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "DELETE", path, ""); a.Code != 204 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "GET", path, ""); a.code() != "900159" {
		t.Errorf("after it: %d %s", a.Code, a.Body)
	}
}
