package fraud

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
)

const (
	sub      = "0B1F6471-1BF0-4DDA-AEC3-CB9272F09590"
	customer = "11111111-2222-3333-4444-555555555555"

	graphJSON = `{"id":"g-1","displayName":"Mining","description":"d","alertType":"CryptoMining","severity":"high","confidenceLevel":"medium",
		"status":"resolved","resolvedReason":"fraud","resolvedBy":"ana@contoso.com","resolvedOnDateTime":"2026-11-30T12:00:00Z",
		"detectedDateTime":"2026-11-30T10:00:00Z","firstObservedDateTime":"2026-11-30T08:00:00Z","lastObservedDateTime":"2026-11-30T09:00:00Z",
		"customerTenantId":"` + customer + `","subscriptionId":"` + sub + `","isTest":false,
		"affectedResources":[{"resourceId":"/subscriptions/x/vm","resourceType":"Microsoft.Compute/virtualMachines"}],
		"activityLogs":[{"statusFrom":"investigating","statusTo":"resolved","updatedBy":"ana","updatedDateTime":"2026-11-30T12:00:00Z"},
			{"statusFrom":"active","statusTo":"investigating","updatedBy":"ana","updatedDateTime":"2026-11-30T10:20:00Z"}],
		"additionalDetails":{"@odata.type":"#x","VM_IP":"203.0.113.7","ConnectionCount":12}}`

	wideJSON = `{"eventTime":"2026-11-30T10:00:00.1234567","eventId":"` + sub + `_e1","customerTenantId":"` + customer + `","customerFriendlyName":"Tailspin",
		"subscriptionId":"` + sub + `","eventStatus":"Resolved","firstObserved":"2026-11-30T08:00:00","lastObserved":"2026-11-30T09:00:00",
		"resolvedReason":"Fraud","resolvedOn":"2026-11-30T12:00:00","resolvedBy":"ana@contoso.com","eventType":"NetworkConnectionsToCryptoMiningPools",
		"severity":"High","confidenceLevel":"Medium","displayName":"Mining","affectedResources":[{"azureResourceId":"/SUBSCRIPTIONS/x/vm","type":"vm"}],
		"additionalDetails":{"vM_IP":"203.0.113.7"},"IsTest":"false",
		"activityLogs":"[{\"statusFrom\":\"Active\",\"statusTo\":\"Investigating\",\"updatedBy\":\"ana\",\"dateTime\":\"2026-11-30T10:20:00Z\"}]"}`

	oldJSON = `{"eventTime":"2026-11-30T10:00:00","eventId":"` + sub + `_e2","customerTenantId":"` + customer + `","subscriptionId":"` + sub + `",
		"entityName":"vm7","entityUrl":"/subscriptions/x/vm7","hitCount":"4","eventStatus":"Active","firstOccurrence":"2026-11-30T07:00:00",
		"lastOccurrence":"2026-11-30T07:30:00","resolvedReason":"None","resolvedOn":"9999-12-31T23:59:59.9970000","firstObserved":null}`
)

func at(h, m int) time.Time { return time.Date(2026, 11, 30, h, m, 0, 0, time.UTC) }

func TestRead(t *testing.T) {
	t.Parallel()
	a, err := Read([]byte(graphJSON))
	if err != nil || a.GraphID != "g-1" || a.Kind != CryptoMining || a.Status != Resolved || a.Reason != Fraud || a.Subscription != strings.ToLower(sub) ||
		!a.Answered.Equal(at(10, 20)) || !a.ResolvedAt.Equal(at(12, 0)) || !a.Changed.Equal(at(12, 0)) || len(a.Log) != 2 || a.Log[0].To != "investigating" ||
		len(a.Details) != 2 || a.Open() || !slices.Equal(a.From, []string{Graph}) || len(a.Resources) != 1 {
		t.Errorf("graph: %+v %v", a, err)
	}
	w, err := Read([]byte(wideJSON))
	if err != nil || w.EventID != sub+"_e1" || w.Kind != CryptoMining || w.CustomerName != "Tailspin" || w.Severity != "high" || w.Test ||
		!w.Answered.Equal(at(10, 20)) || w.Detected.Truncate(time.Minute) != at(10, 0) || w.Reason != Fraud {
		t.Errorf("new model: %+v %v", w, err)
	}
	o, err := Read([]byte(oldJSON))
	if err != nil || o.Name != "vm7" || o.Status != Active || !o.ResolvedAt.IsZero() || o.Reason != "" || !o.First.Equal(at(7, 0)) || o.Kind != "" ||
		o.Type != "" || len(o.Resources) != 1 {
		t.Errorf("old model: %+v %v", o, err)
	}
	both := Join([]Alert{w, o, a})
	if len(both) != 2 || both[0].GraphID != "g-1" && both[1].GraphID != "g-1" {
		t.Fatalf("joined: %+v", both)
	}
	for _, x := range both {
		if x.GraphID != "" && (x.EventID != sub+"_e1" || x.CustomerName != "Tailspin" || len(x.Log) != 2 || !slices.Equal(x.From, []string{Graph, Center})) {
			t.Errorf("joined: %+v", x)
		}
	}
}

func TestReadTest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{`"true"`: true, `"True"`: true, `true`: true, `"false"`: false, `false`: false, `""`: false, `null`: false} {
		a, err := Read([]byte(`{"eventId":"s_e","eventStatus":"Active","IsTest":` + text + `}`))
		if err != nil || a.Test != want {
			t.Errorf("%s: %v %v", text, a.Test, err)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Kind{
		"VM_AnomalousDeployment": Machines, "vm_anomalousdeployment": Machines, "CRYPTOMINING": CryptoMining,
		"networkConnectionsToCryptoMiningPools": CryptoMining,
		"UsageAnomalyDetection":                 Consumption, "ARM_AnomalousResourceConsumption": Consumption, "ARM_SuspiciousOperations": Operations,
		"AzureBatch_AnomalousDeployment": Batch, "AzureContainerInstances_AnomalousDeployment": Containers,
		"AzureMachineLearning_AnomalousDeployment": Learning, "multiRegionMachineLearningUsageAnomaly": Learning,
		"VirtualMachineDeploymentAnomaly": Machines, "MultiRegionVirtualMachineScaleSetDeploymentAnomaly": Machines,
		"serviceHealthSecurityAdvisory": Advisory, "Compute_QuotaIncrease": Quota, "SomethingNew": "", "": "",
	} {
		if got := KindOf(raw); got != want {
			t.Errorf("%s is %q", raw, got)
		}
	}
}

// TestHostile: what is no alert is refused, and what is too much is cut; nothing panics.
func TestHostile(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000)
	for name, c := range map[string]struct {
		text string
		kind problem.Kind
	}{
		"nothing":         {"", problem.BadInput},
		"null":            {"null", problem.BadInput},
		"a text":          {`"x"`, problem.BadInput},
		"an array":        {`[{}]`, problem.BadInput},
		"breaks off":      {graphJSON[:200], problem.BadInput},
		"no id":           {`{"alertType":"CryptoMining"}`, problem.BadInput},
		"an empty id":     {`{"id":"  "}`, problem.BadInput},
		"an id of blank":  {`{"eventId":"\u0020","eventStatus":"Active"}`, problem.BadInput},
		"an object as id": {`{"id":{"a":1}}`, problem.BadInput},
		"too long":        {`{"id":"` + strings.Repeat("x", MaxAlert) + `"}`, problem.Limit},
		"two objects":     {graphJSON + graphJSON, problem.BadInput},
		"deep":            {deep, problem.BadInput},
	} {
		if a, err := Read([]byte(c.text)); !errors.Is(err, c.kind) {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	for name, text := range map[string]string{
		"numbers":       `{"id":1,"status":7,"severity":true,"activityLogs":3,"affectedResources":"x","additionalDetails":[1]}`,
		"a broken log":  `{"id":"x","activityLogs":"[{]"}`,
		"other clocks":  `{"id":"x","detectedDateTime":"yesterday","resolvedOnDateTime":"0000-00-00"}`,
		"marks":         `{"id":"x","displayName":"a\u202eb\u0000\u001b[31m"}`,
		"far":           `{"id":"x","detectedDateTime":"9999-12-31T23:59:59Z"}`,
		"many details":  `{"id":"x","additionalDetails":{` + many(500, `"k%d":1`) + `}}`,
		"many lines":    `{"id":"x","activityLogs":[` + many(3000, `{"statusTo":"s%d"}`) + `]}`,
		"many things":   `{"id":"x","affectedResources":[` + many(3000, `{"resourceId":"r%d"}`) + `]}`,
		"a long detail": `{"id":"x","additionalDetails":{"k":"` + strings.Repeat("x", maxDetail) + `"}}`,
		"a long name":   `{"id":"x","displayName":"` + strings.Repeat("ä", 5000) + `"}`,
	} {
		a, err := Read([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		bounded(t, &a)
	}
	a, _ := Read([]byte(`{"id":"x","status":"odd","detectedDateTime":"yesterday","firstObservedDateTime":"2026-11-30T10:00:00Z"}`))
	if !a.Detected.IsZero() || !a.Open() {
		t.Errorf("a clock that cannot be read is none, and a status that is not known is open: %+v", a)
	}
}

func many(n int, form string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(form, i))
	}
	return strings.Join(out, ",")
}

// bounded holds an alert to the bounds.
func bounded(t testing.TB, a *Alert) {
	t.Helper()
	if len(a.Name) > maxWord || len(a.Resources) > maxResources || len(a.Log) > maxLog || len(a.Details) > maxDetails || len(a.GraphID)+len(a.EventID) > maxID {
		t.Errorf("beyond its bounds: %d %d %d %d", len(a.Name), len(a.Resources), len(a.Log), len(a.Details))
	}
	if _, err := json.Marshal(a); err != nil {
		t.Error(err)
	}
	for _, x := range []time.Time{a.Detected, a.First, a.Last, a.ResolvedAt} {
		if x.Year() >= never {
			t.Error("a time that says not yet is kept")
		}
	}
}

func TestReadList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text     string
		is, lost int
	}{
		"a bare array":  {"[" + wideJSON + "," + oldJSON + "]", 2, 0},
		"a page":        {`{"@odata.context":"x","value":[` + graphJSON + `,7]}`, 1, 1},
		"items":         {`{"totalCount":1,"items":[` + oldJSON + `]}`, 1, 0},
		"lines":         {strings.ReplaceAll(graphJSON, "\n", "") + "\n" + strings.ReplaceAll(wideJSON, "\n", "") + "\n", 2, 0},
		"one":           {graphJSON, 1, 0},
		"empty":         {`[]`, 0, 0},
		"an empty page": {`{"value":[]}`, 0, 0},
	} {
		list, lost, err := ReadList([]byte(c.text))
		if err != nil || len(list) != c.is || lost != c.lost {
			t.Errorf("%s: %d %d %v", name, len(list), lost, err)
		}
	}
	for _, text := range []string{"", "x", "[1", `{"value":[]} x`} {
		if _, _, err := ReadList([]byte(text)); !errors.Is(err, problem.BadInput) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{graphJSON, wideJSON, oldJSON, "[]", `{"value":[{"id":"x"}]}`, `{"id":1,"activityLogs":"[{\"dateTime\":1}]"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if a, err := Read(raw); err == nil {
			bounded(t, &a)
			b := Join([]Alert{a, a})
			if len(b) != 1 || b[0].ID == "" {
				t.Errorf("the same alert twice is %d", len(b))
			}
		}
		list, _, _ := ReadList(raw)
		Join(list)
		ForecastOf(list, noon, ByResolution)
	})
}
