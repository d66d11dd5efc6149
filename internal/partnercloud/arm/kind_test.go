package arm

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// statusesOf are the statuses of an operation in the activity log, oldest first.
func (l *lab) statusesOf(action string) string {
	l.t.Helper()
	a := l.as("reader", "GET", sub+"/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp+ge+'2026-11-22T00:00:00Z'", "")
	var out []string
	for _, r := range a.rows() {
		if r["operationName"].(map[string]any)["value"] == action {
			out = append([]string{r["status"].(map[string]any)["value"].(string)}, out...)
		}
	}
	return strings.Join(out, " ")
}

// prop walks into an answer's properties.
func (a answer) prop(path ...string) any {
	var v any = a.m["properties"]
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// cost is what has been paid for a resource by name up to now.
func (l *lab) cost(name string) (sum float64) {
	l.w.Read(func(s *world.State) {
		for _, u := range s.UsageOf(customerID, subID, start, l.w.Clock.Now().Add(time.Second)) {
			if strings.HasSuffix(u.Resource, "/"+name) {
				sum += u.Cost
			}
		}
	})
	return sum
}

const (
	compute1 = sub + "/resourceGroups/rg1/providers/Microsoft.Compute"
	vmBody   = `{"location":"eastus","properties":{"hardwareProfile":{"vmSize":"Standard_NC4as_T4_v3"},"osProfile":{"computerName":"x"}}}`
	setBody  = `{"location":"eastus","sku":{"name":"Standard_F8s_v2","capacity":5},"properties":{"upgradePolicy":{"mode":"Manual"}}}`
)

// A machine is made in any region, costs until it is deallocated, and every write leaves
// what the log has of a long operation.
func TestMachinesAreMade(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.as("reader", "PUT", compute1+"/virtualMachines/m1", vmBody).wants(t, "a reader", 403, "AuthorizationFailed")
	l.as("contributor", "PUT", compute1+"/virtualMachines/m1", strings.Replace(vmBody, "eastus", "mars", 1)).wants(t, "no region", 400,
		"LocationNotAvailableForResourceType")
	l.as("contributor", "PUT", strings.Replace(compute1, "rg1", "none", 1)+"/virtualMachines/m1", vmBody).wants(t, "no group", 404, "ResourceGroupNotFound")
	a := l.as("contributor", "PUT", compute1+"/virtualMachines/m1", vmBody).wants(t, "made", 201, "")
	if a.prop("provisioningState") != "Creating" || a.Header().Get("Azure-AsyncOperation") == "" {
		t.Fatalf("%s", a.Body)
	}
	if got := l.statusesOf(machineType + "/write"); got != "Started Accepted" {
		t.Errorf("while it is made: %q", got)
	}
	l.jump(10 * time.Second)
	if got := l.statusesOf(machineType + "/write"); got != "Started Accepted Succeeded" {
		t.Errorf("when it is made: %q", got)
	}
	m := l.as("reader", "GET", compute1+"/virtualMachines/m1?$expand=instanceView", "")
	if !strings.Contains(m.Body.String(), "PowerState/running") || m.prop("osProfile", "computerName") != "x" {
		t.Errorf("%s", m.Body)
	}
	l.as("reader", "GET", compute1+"/disks/m1_OsDisk", "").wants(t, "its disk", 200, "")
	l.jump(2 * time.Hour)
	before := l.cost("m1")
	if before < .4 || before > .7 {
		t.Errorf("two hours of four cores cost %v", before)
	}
	l.as("contributor", "POST", compute1+"/virtualMachines/m1/deallocate", "").wants(t, "stopped", 202, "")
	l.jump(5 * time.Hour)
	if after := l.cost("m1"); after > before+.02 {
		t.Errorf("a deallocated machine costs: %v, then %v", before, after)
	}
	// More than the quota.
	big := strings.Replace(vmBody, "NC4as", "NC128as", 1)
	l.as("contributor", "PUT", compute1+"/virtualMachines/m2", big).wants(t, "beyond the quota", 409, "OperationNotAllowed")
}

func TestScaleSetsAreMade(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	at := compute1 + "/virtualMachineScaleSets/s1"
	l.as("owner", "PUT", at, setBody).wants(t, "made", 201, "")
	l.jump(time.Hour)
	five := l.cost("s1")
	if five < 1.5 || five > 1.8 { // 40 cores
		t.Errorf("five machines cost %v an hour", five)
	}
	if a := l.as("reader", "GET", at+"/virtualMachines", ""); len(a.rows()) != 5 {
		t.Errorf("instances: %s", a.Body)
	}
	l.as("owner", "PATCH", at, `{"sku":{"capacity":1}}`).wants(t, "fewer", 200, "")
	l.jump(time.Hour)
	if one := l.cost("s1") - five; one > five/4 {
		t.Errorf("one machine costs %v", one)
	}
	l.as("owner", "POST", at+"/powerOff", "").wants(t, "off", 202, "")
	l.as("owner", "POST", at+"/deallocate", "").wants(t, "deallocated", 202, "")
	l.jump(time.Minute)
	l.as("owner", "POST", at+"/start", "").wants(t, "started", 202, "")
	l.as("owner", "DELETE", at, "").wants(t, "deleted", 202, "")
	l.jump(time.Minute)
	l.as("owner", "GET", at, "").wants(t, "gone", 404, "ResourceNotFound")
}

func TestBatch(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	account := sub + "/resourceGroups/rg1/providers/Microsoft.Batch/batchAccounts/b1"
	pool := account + "/pools/p1"
	body := `{"properties":{"vmSize":"STANDARD_NC4AS_T4_V3","scaleSettings":{"fixedScale":{"targetDedicatedNodes":4}}}}`
	l.as("owner", "PUT", account, `{"location":"westeurope"}`).wants(t, "not registered", 409, "MissingSubscriptionRegistration")
	l.as("owner", "POST", sub+"/providers/Microsoft.Batch/register", "")
	l.jump(time.Minute)
	l.as("owner", "PUT", pool, body).wants(t, "a pool of nothing", 404, "ResourceNotFound")
	l.as("owner", "PUT", account, `{"location":"westeurope"}`).wants(t, "made", 201, "")
	l.as("owner", "PUT", pool, strings.Replace(body, ":4}", ":99}", 1)).wants(t, "beyond its quota", 409, "AccountCoreQuotaReached")
	l.as("owner", "PUT", pool, body).wants(t, "a pool", 201, "")
	l.as("owner", "POST", pool+"/stopResize", "").wants(t, "while it grows", 200, "")
	l.jump(time.Hour)
	if a := l.as("reader", "GET", pool, ""); a.prop("allocationState") != "Steady" || a.prop("currentDedicatedNodes") != 4.0 {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("reader", "GET", sub+"/providers/Microsoft.Batch/batchAccounts", ""); len(a.rows()) != 1 {
		t.Errorf("accounts: %s", a.Body)
	}
	if a := l.as("reader", "GET", sub+"/resources", ""); strings.Contains(a.Body.String(), "/pools/") {
		t.Errorf("a pool among the resources: %s", a.Body)
	}
	before := l.cost("p1")
	if before < 1 {
		t.Errorf("four nodes cost %v an hour", before)
	}
	l.as("owner", "PATCH", pool, `{"properties":{"scaleSettings":{"fixedScale":{"targetDedicatedNodes":0}}}}`).wants(t, "to none", 200, "")
	l.jump(time.Hour)
	if a := l.as("reader", "GET", pool, ""); a.prop("currentDedicatedNodes") != 0.0 || l.cost("p1") > before+.05 {
		t.Errorf("%v, then %v: %s", before, l.cost("p1"), a.Body)
	}
	l.as("owner", "POST", pool+"/stopResize", "").wants(t, "nothing grows", 409, "PoolNotResizing")
	l.as("owner", "DELETE", account, "").wants(t, "deleted", 202, "")
	l.jump(time.Minute)
	l.as("reader", "GET", pool, "").wants(t, "with its pools", 404, "ResourceNotFound")
	l.as("reader", "GET", sub+"/providers/Microsoft.Batch/locations/westeurope/quotas", "").wants(t, "quotas", 200, "")
}

func TestLearning(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	space := sub + "/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/w1"
	l.as("owner", "POST", sub+"/providers/Microsoft.MachineLearningServices/register", "")
	l.jump(time.Minute)
	l.as("owner", "PUT", space, `{"location":"eastus2","properties":{"friendlyName":"w"}}`).wants(t, "made", 201, "")
	l.as("owner", "PUT", space+"/computes/c1", `{"location":"eastus2","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Standard_NC6s_v3",`+
		`"scaleSettings":{"minNodeCount":3,"maxNodeCount":3}}}}`).wants(t, "a cluster", 201, "")
	l.as("owner", "PUT", space+"/computes/i1", `{"location":"eastus2","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"Standard_DS3_v2"}}}`).
		wants(t, "an instance", 201, "")
	l.jump(time.Minute)
	if a := l.as("reader", "GET", space+"/computes", ""); len(a.rows()) != 2 || !strings.Contains(a.Body.String(), `"currentNodeCount":3`) {
		t.Fatalf("%s", a.Body)
	}
	l.as("owner", "POST", space+"/computes/c1/stop", "").wants(t, "a cluster does not stop", 409, "Conflict")
	l.as("owner", "PATCH", space+"/computes/c1", `{"properties":{"properties":{"scaleSettings":{"minNodeCount":0,"maxNodeCount":0}}}}`).
		wants(t, "it is scaled", 200, "")
	l.as("owner", "POST", space+"/computes/i1/stop", "").wants(t, "an instance stops", 202, "")
	l.jump(time.Minute)
	if a := l.as("reader", "GET", space+"/computes/i1", ""); a.prop("properties", "state") != "Stopped" {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("reader", "GET", space+"/computes/c1", ""); a.prop("properties", "currentNodeCount") != 0.0 {
		t.Errorf("%s", a.Body)
	}
	l.as("owner", "POST", space+"/computes/i1/start", "").wants(t, "and starts", 202, "")
	l.as("owner", "DELETE", space+"/computes/c1?underlyingResourceAction=Delete", "").wants(t, "deleted", 202, "")
}

func TestContainers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	at := sub + "/resourceGroups/rg1/providers/Microsoft.ContainerInstance/containerGroups/g1"
	l.as("owner", "POST", sub+"/providers/Microsoft.ContainerInstance/register", "")
	l.jump(time.Minute)
	body := `{"location":"uksouth","properties":{"osType":"Linux","containers":[{"name":"c","properties":{"image":"example/xm:1",` +
		`"resources":{"requests":{"cpu":4,"memoryInGB":8}}}}]}}`
	l.as("owner", "PUT", at, strings.Replace(body, `"cpu":4`, `"cpu":400`, 1)).wants(t, "too large", 400, "ResourceRequestsNotSpecified")
	l.as("owner", "PUT", at, body).wants(t, "made", 201, "")
	l.jump(10 * time.Hour)
	cost := l.cost("g1")
	if a := l.as("reader", "GET", at, ""); a.prop("instanceView", "state") != "Running" || cost < 1.5 {
		t.Errorf("%v %s", cost, a.Body)
	}
	l.as("owner", "POST", at+"/stop", "").wants(t, "stopped", 204, "")
	l.jump(10 * time.Hour)
	if a := l.as("reader", "GET", at, ""); a.prop("instanceView", "state") != "Stopped" || l.cost("g1") > cost+.01 {
		t.Errorf("%v, then %v: %s", cost, l.cost("g1"), a.Body)
	}
	l.as("owner", "POST", at+"/start", "").wants(t, "started", 202, "")
	l.as("owner", "DELETE", at, "").wants(t, "deleted", 202, "")
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	at := sub + "/providers/Microsoft.Compute/locations/eastus/providers/Microsoft.Quota"
	const family = "StandardNCASv3_T4Family"
	l.as("reader", "PUT", at+"/quotas/"+family, `{"properties":{"limit":{"value":400}}}`).wants(t, "a reader", 403, "AuthorizationFailed")
	for _, name := range []string{family, "cores"} {
		l.as("owner", "PUT", at+"/quotas/"+name, `{"properties":{"limit":{"limitObjectType":"LimitValue","value":400},"name":{"value":"`+name+`"}}}`).
			wants(t, "more", 202, "")
	}
	if a := l.as("reader", "GET", at+"/quotaRequests", ""); len(a.rows()) != 2 || !strings.Contains(a.Body.String(), "InProgress") {
		t.Errorf("%s", a.Body)
	}
	l.jump(time.Minute)
	l.as("owner", "PUT", compute1+"/virtualMachines/m1", strings.Replace(vmBody, "NC4as", "NC64as", 1)).wants(t, "64 cores", 201, "")
	l.as("owner", "PUT", compute1+"/virtualMachines/m2", strings.Replace(vmBody, "NC4as", "NC64as", 1)).wants(t, "64 more", 201, "")
	l.as("owner", "PUT", at+"/quotas/"+family, `{"properties":{"limit":{"value":100}}}`).wants(t, "below what is used", 400, "QuotaReductionNotSupported")
	for _, m := range []string{"m1", "m2"} {
		l.as("owner", "POST", compute1+"/virtualMachines/"+m+"/deallocate", "")
	}
	l.jump(time.Minute)
	l.as("owner", "PUT", at+"/quotas/"+family, `{"properties":{"limit":{"value":0}}}`).wants(t, "to none", 202, "")
	if a := l.as("reader", "GET", at+"/quotas/"+family, ""); a.prop("limit", "value") != 0.0 {
		t.Errorf("%s", a.Body)
	}
	l.as("reader", "GET", strings.Replace(at, "Compute", "Sql", 1)+"/quotas", "").wants(t, "another provider's", 400, "InvalidScope")
	l.as("reader", "GET", at+"/usages", "").wants(t, "usages", 200, "")
}

// In a subscription that was cancelled nothing runs, and nothing can be made.
func TestCancelledStopsAll(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.as("owner", "POST", sub+"/providers/Microsoft.Subscription/cancel?IgnoreResourceCheck=true", "").wants(t, "cancelled", 200, "")
	a := l.as("reader", "GET", sub+"/providers/Microsoft.Compute/virtualMachines?statusOnly=true", "")
	if strings.Contains(a.Body.String(), "PowerState/running") {
		t.Errorf("%s", a.Body)
	}
	l.as("owner", "PUT", compute1+"/virtualMachines/m1", vmBody).wants(t, "made", http.StatusConflict, "ReadOnlyDisabledSubscription")
	l.as("owner", "POST", compute1+"/virtualMachines/vm0/start", "").wants(t, "started", http.StatusConflict, "ReadOnlyDisabledSubscription")
	l.as("owner", "POST", compute1+"/virtualMachines/vm0/deallocate", "").wants(t, "deallocated", http.StatusAccepted, "")
}

// A lock holds what is made of the new types too.
func TestLockedPool(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		s.Tenant(customerID).Azure.Change(subID, func(a *world.AzureSubscription) {
			a.Resources = append(a.Resources, world.AzureResource{Group: "rg1", Type: accountKind, Name: "b1", Location: "westeurope"},
				world.AzureResource{Group: "rg1", Type: poolKind, Name: "b1/p1", Location: "westeurope", Props: []byte(`{"vmSize":"Standard_D2s_v3"}`)})
		})
	})
	pool := sub + "/resourceGroups/rg1/providers/Microsoft.Batch/batchAccounts/b1"
	l.as("owner", "PUT", pool+"/providers/Microsoft.Authorization/locks/keep", `{"properties":{"level":"ReadOnly"}}`).wants(t, "locked", 201, "")
	const none = `{"properties":{"scaleSettings":{"fixedScale":{"targetDedicatedNodes":0}}}}`
	l.as("owner", "PATCH", pool+"/pools/p1", none).wants(t, "resized", 409, "ScopeLocked")
	l.as("owner", "DELETE", pool+"/providers/Microsoft.Authorization/locks/keep", "").wants(t, "unlocked", 200, "")
	l.as("owner", "PATCH", pool+"/pools/p1", none).wants(t, "resized", 200, "")
}
