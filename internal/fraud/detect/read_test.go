package detect_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"partnerguard/internal/fraud/detect"
)

// Every form of a line of use gives the same.
func TestUsageForms(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"PascalCase": `{"CustomerId":"C1","SubscriptionId":"PLAN","EntitlementId":"AAAAAAAA-0000-4000-8000-000000000001","UsageDate":"2026-10-01T00:00:00Z","MeterCategory":"Virtual Machines",
			"MeterName":"NC64as T4 v3","ResourceLocation":"EU West","Quantity":48,"BillingPreTaxTotal":211.2,"BillingCurrency":"USD","MeterId":"M"}`,
		"camelCase, texts": `{"customerId":"c1","entitlementId":"aaaaaaaa-0000-4000-8000-000000000001","usageDate":"10/1/2026","meterCategory":"Virtual Machines",
			"meterName":"NC64as T4 v3 Spot","meterRegion":"EU West","quantity":"48","pricingPreTaxTotal":"211.2","pricingCurrency":"USD","billingPreTaxTotal":190,"billingCurrency":"EUR","meterId":"m"}`,
		"the size beside": `{"customertenantid":"c1","subscriptionid":"/subscriptions/aaaaaaaa-0000-4000-8000-000000000001","date":"2026-10-01","metercategory":"Virtual Machines",
			"metername":"x","additionalinfo":"{\"ServiceType\":\"Standard_NC64as_T4_v3\"}","resourcelocation":"westeurope","quantity":48,"effectiveunitprice":4.4,"pricingcurrency":"USD","meterid":"m"}`,
	} {
		u, err := detect.ParseUsage([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if u.Customer != "c1" || u.Subscription != subA || !u.From.Equal(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)) || u.To.Sub(u.From) != 24*time.Hour ||
			u.Region != "westeurope" || u.Quantity != 48 || u.Cost < 211.1 || u.Cost > 211.3 || u.Currency != "USD" || u.Meter != "m" {
			t.Errorf("%s: %+v", name, u)
		}
	}
	u, err := detect.ParseUsage([]byte(`{"subscriptionId":"s","usageDate":"2026-10-01T05:00:00Z","meterId":"m","quantity":1}`))
	if err != nil || u.To.Sub(u.From) != time.Hour {
		t.Errorf("an hour: %+v, %v", u, err)
	}
}

// Every form of a row of the Activity Log gives the same.
func TestEventForms(t *testing.T) {
	t.Parallel()
	body := `"{\"location\":\"West Europe\",\"properties\":{\"hardwareProfile\":{\"vmSize\":\"Standard_NC64as_T4_v3\"}}}"`
	id := `/subscriptions/AAAAAAAA-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/x`
	for name, row := range map[string]string{
		"REST": `{"eventTimestamp":"2026-10-01T05:00:00Z","operationName":{"value":"Microsoft.Compute/virtualMachines/write"},"status":{"value":"Started"},
			"caller":"Eve@fabrikam.example","claims":{"ipaddr":"203.0.113.9","http://schemas.microsoft.com/identity/claims/objectidentifier":"O1"},
			"subscriptionId":"` + subA + `","tenantId":"T1","httpRequest":{"clientIpAddress":"203.0.113.9"},"properties":{"requestbody":` + body + `},"correlationId":"k"}`,
		"diagnostic": `{"time":"2026-10-01T05:00:00Z","resourceId":"` + id + `","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","resultType":"Start","callerIpAddress":"203.0.113.9",
			"tenantId":"t1","identity":{"claims":{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"Eve@fabrikam.example","oid":"o1"}},
			"properties":"{\"requestbody\":` + strings.ReplaceAll(strings.ReplaceAll(body, `\`, `\\`), `"`, `\"`) + `}","correlationId":"k"}`,
		"flat": `{"eventTimestamp":"2026-10-01T05:00:00Z","operationName":"Microsoft.Compute/virtualMachines/write","status":"Started","caller":"Eve@fabrikam.example",
			"subscriptionId":"` + subA + `","tenantId":"t1","callerIpAddress":"203.0.113.9","location":"westeurope","properties":{"vmSize":"Standard_NC64as_T4_v3"},"correlationId":"k","claims":{"oid":"o1"}}`,
	} {
		e, err := detect.ParseEvent([]byte(row))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Subscription != subA || e.Customer != "t1" || e.Region != "westeurope" || e.Size != "Standard_NC64as_T4_v3" || e.IP != "203.0.113.9" ||
			!strings.EqualFold(e.Caller, "eve@fabrikam.example") || e.Actor != "o1" || e.Act != "k" || e.At.Hour() != 5 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestEventDetails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  string
		want func(e *detect.Event) bool
	}{
		"a role": {`{"time":"2026-10-01T05:00:00Z","operationName":"Microsoft.Authorization/roleAssignments/write","subscriptionId":"s",
			"properties":{"requestbody":"{\"Properties\":{\"RoleDefinitionId\":\"/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635\",\"PrincipalId\":\"P1\"}}"}}`,
			func(e *detect.Event) bool {
				return e.Role == "8e3af657-a8ff-443c-a75c-2fe8c4bcb635" && len(e.Targets) == 1 && e.Targets[0] == "p1"
			}},
		"no quota": {`{"time":"2026-10-01T05:00:00Z","operationName":"Microsoft.Compute/virtualMachines/write","subscriptionId":"s","status":"Failed",
			"properties":{"statusMessage":"{\"error\":{\"code\":\"OperationNotAllowed\",\"message\":\"exceeds approved NCASv3 Cores quota exceeded\"}}"}}`,
			func(e *detect.Event) bool { return e.Status == "Failed" && strings.Contains(e.Code, "Quota") }},
		"a pool": {`{"time":"2026-10-01T05:00:00Z","operationName":"Microsoft.Batch/batchAccounts/pools/write","subscriptionId":"s",
			"properties":{"requestbody":"{\"properties\":{\"vmSize\":\"STANDARD_F72S_V2\",\"scaleSettings\":{\"fixedScale\":{\"targetDedicatedNodes\":10,\"targetLowPriorityNodes\":40}}}}"}}`,
			func(e *detect.Event) bool { return e.Count == 50 && strings.EqualFold(e.Size, "standard_f72s_v2") }},
		"a scale set": {`{"time":"2026-10-01T05:00:00Z","operationName":"Microsoft.Compute/virtualMachineScaleSets/write","subscriptionId":"s",
			"properties":{"requestbody":{"sku":{"name":"Standard_D64s_v5","capacity":"100"},"location":"eastus"}}}`,
			func(e *detect.Event) bool { return e.Count == 100 && e.Size == "Standard_D64s_v5" && e.Region == "eastus" }},
		"a credential": {`{"activityDateTime":"2026-10-01T05:00:00Z","activityDisplayName":"Add service principal credentials","tenantId":"t",
			"initiatedBy":{"user":{"userPrincipalName":"a@b","id":"I1","ipAddress":"203.0.113.9"}},"targetResources":[{"id":"SP1"}],"result":"success"}`,
			func(e *detect.Event) bool {
				return e.Log == detect.Directory && e.Targets[0] == "sp1" && e.Actor == "i1" && e.IP == "203.0.113.9" && e.Customer == "t"
			}},
		"a sign-in": {`{"createdDateTime":"2026-10-01T05:00:00Z","userPrincipalName":"a@b","userId":"I1","location":{"countryOrRegion":"BR"},"riskLevelDuringSignIn":"high","status":{"errorCode":0}}`,
			func(e *detect.Event) bool { return e.Log == detect.SignIns && e.Country == "BR" && e.Risk == "high" && e.Status == "" }},
		"one that failed": {`{"createdDateTime":"2026-10-01T05:00:00Z","userPrincipalName":"a@b","status":{"errorCode":50126}}`,
			func(e *detect.Event) bool { return e.Status == "Failed" }},
	} {
		e, err := detect.ParseEvent([]byte(c.row))
		if err != nil || !c.want(&e) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// hostile are bytes that are no records, or records of an enemy.
var hostile = map[string]string{
	"nothing": "", "no JSON": "<html>", "half": `{"usageDate":"2026-10-01","subscriptionId":"s","meterId":"m","quantity":1`, "an array in it": `[1,[2,["x"]]]`,
	"a number": "42", "null": "null", "deep": strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000), "binary": "\x00\x01\x02\x03\xff\xfe",
	"a long line":  `{"subscriptionId":"` + strings.Repeat("x", 3<<20) + `"}`,
	"infinite":     `{"usageDate":"2026-10-01","subscriptionId":"s","meterId":"m","quantity":1e999,"cost":"NaN"}`,
	"the year 1":   `{"usageDate":"0001-01-01","subscriptionId":"s","meterId":"m","quantity":1}`,
	"far away":     `{"usageDate":"2099-01-01","subscriptionId":"s","meterId":"m","quantity":1}` + "\n" + `{"usageDate":"2016-01-01","subscriptionId":"s","meterId":"m","quantity":1}`,
	"wrong types":  `{"usageDate":{},"subscriptionId":[1],"meterId":true,"quantity":"many","operationName":[],"time":7,"caller":{"a":1}}`,
	"escape codes": `{"usageDate":"2026-10-01","subscriptionId":"\u001b[31ms\u202e","meterId":"\u0000","quantity":5000,"cost":9e9}`,
	"no end":       `{"value":[{"usageDate":"2026-10-01","subscriptionId":"s","meterId":"m","quantity":1},`,
	"a page of it": `{"value":[{"usageDate":"2026-10-01","subscriptionId":"s","meterId":"m","quantity":1},{"x":1}],"nextLink":"https://evil.example"}`,
	"many rows":    strings.Repeat(`{"time":"2026-10-01T05:00:00Z","operationName":"microsoft.compute/virtualmachines/write","subscriptionId":"s","caller":"x"}`+"\n", 5000),
}

// Hostile files neither end nor hang the reading, and all of them are accounted for.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, text := range hostile {
		for _, path := range []string{"usage/x.jsonl", "activity/x.jsonl", "customers.json"} {
			r := read(t, fstest.MapFS{path: {Data: []byte(text)}}, detect.Options{})
			rep := detect.NewReport(r, time.Time{})
			var out bytes.Buffer
			if err := rep.JSON(&out); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e\x00") {
				t.Errorf("%s as %s: %v", name, path, err)
			}
			if len(r.Read.Files) != 1 {
				t.Errorf("%s as %s: %d files", name, path, len(r.Read.Files))
			}
			if name == "half" && path != "customers.json" && r.Read.Files[0].Skipped == 0 && r.Read.Files[0].Note == "" {
				t.Errorf("%s as %s: nothing is said of it", name, path)
			}
		}
	}
}

func TestBomb(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	line := []byte(strings.Repeat(" ", 1<<20))
	for range 400 {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	r := read(t, fstest.MapFS{"usage/x.jsonl.gz": {Data: b.Bytes()}}, detect.Options{})
	if !strings.Contains(r.Read.Files[0].Note, "expands") {
		t.Errorf("%+v", r.Read.Files)
	}
}

// Arrays, pages and compressed files are read as lines are.
func TestShapes(t *testing.T) {
	t.Parallel()
	line := `{"usageDate":"2026-10-01","subscriptionId":"` + subA + `","customerId":"c","meterId":"m%d","quantity":1,"cost":1}`
	one, two := fmt.Sprintf(line, 1), fmt.Sprintf(line, 2)
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	_, _ = zw.Write([]byte(one + "\n" + two))
	_ = zw.Close()
	for name, text := range map[string]string{"lines": one + "\n\n" + two + "\n", "with returns": one + "\r\n" + two, "array": "[" + one + ",\n" + two + "]",
		"page": `{"@odata.context":"x","value":[` + one + "," + two + "]}", "pretty page": "{\n \"items\": [\n" + one + ",\n" + two + "\n]\n}", "behind each other": one + " " + two,
		"gzip": z.String(), "a mark first": "\xef\xbb\xbf" + one + "\n" + two} {
		r := read(t, fstest.MapFS{"Usage/X.JSON": {Data: []byte(text)}}, detect.Options{})
		if r.Read.Usage != 2 || r.Read.Files[0].Skipped != 0 {
			t.Errorf("%s: %d lines, %+v", name, r.Read.Usage, r.Read.Files)
		}
	}
}

func TestDeploymentsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"an unknown member": {"- customer: c\n  from: 2026-01-01\n  to: 2026-01-02\n  colour: red", "line 4"},
		"no times":          {"- customer: c", "lacks from or to"},
		"of nobody":         {"- from: 2026-01-01\n  to: 2026-01-02", "neither a customer nor a subscription"},
		"backwards":         {"- {customer: c, from: 2026-01-03, to: 2026-01-01}", "ends before it begins"},
		"no time":           {"- {customer: c, from: yesterday, to: 2026-01-01}", "which is no time"},
		"anchors":           {"- &a {customer: c, from: 2026-01-01, to: 2026-01-02}\n- *a", "anchors"},
		"no list":           {"deployments: yes", "expected a list"},
		"a deep one":        {strings.Repeat("[", 100), "nested"},
		"no YAML":           {"- {customer: c", "not readable"},
		"a map in a list":   {"- {customer: c, from: 2026-01-01, to: 2026-01-02, regions: [{a: b}]}", "neither a text"},
		"binary":            {"\xff\xfe", "not UTF-8"},
		"said twice":        {"- {customer: c, tenant: d, from: 2026-01-01, to: 2026-01-02}", "says again"},
	} {
		if _, err := detect.ReadDeployments("d.yaml", []byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, empty := range []string{"", "deployments:", "[]"} {
		if list, err := detect.ReadDeployments("d.yaml", []byte(empty)); err != nil || len(list) != 0 {
			t.Errorf("%q: %v, %v", empty, list, err)
		}
	}
}

func FuzzRecords(f *testing.F) {
	for _, s := range hostile {
		if len(s) < 10_000 {
			f.Add([]byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, path := range []string{"usage/x.json", "activity/x.json", "customers.json"} {
			r := &detect.Reader{D: detect.New(detect.Options{})}
			if err := r.FS(context.Background(), fstest.MapFS{path: {Data: raw}}); err != nil {
				t.Fatal(err)
			}
			for _, p := range r.D.Parts() {
				b, err := p.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				if err := new(detect.Part).UnmarshalBinary(b); err != nil {
					t.Fatal(err)
				}
			}
			detect.NewReport(r, time.Time{})
		}
	})
}

func FuzzPart(f *testing.F) {
	w := quiet(2)
	w.attack()
	raw, err := read(f, w.files(false), detect.Options{}).D.Parts()[0].MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:min(len(raw), 2000)])
	f.Add(raw)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		p := new(detect.Part)
		if p.UnmarshalBinary(raw) == nil {
			detect.Judge(p, detect.Options{}, time.Time{}, start.AddDate(1, 0, 0))
		}
	})
}

func FuzzDeployments(f *testing.F) {
	f.Add([]byte("- {customer: c, from: 2026-01-01, to: 2026-01-02, regions: [eastus]}"))
	f.Add([]byte("deployments:\n- subscription: s\n  from: 2026-01-01\n  to: 2026-01-02\n  note: |\n    x\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := detect.ReadDeployments("d.yaml", raw)
		for _, w := range list {
			if err != nil || !w.From.Before(w.To) || w.Customer == "" && len(w.Subscriptions) == 0 {
				t.Fatalf("%+v, %v", w, err)
			}
		}
	})
}
