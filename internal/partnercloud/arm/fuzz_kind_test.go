package arm

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// Whatever is written, it is refused or kept: nothing panics, no count is negative, and
// nothing costs less than nothing.
func FuzzKinds(f *testing.F) {
	for _, seed := range []string{vmBody, setBody, `{"location":"westeurope"}`, `{}`, `{"properties":null}`, `{"properties":{"vmSize":7}}`,
		`{"properties":{"vmSize":"STANDARD_D2S_V3","scaleSettings":{"fixedScale":{"targetDedicatedNodes":-1}}}}`,
		`{"properties":{"vmSize":"STANDARD_D2S_V3","scaleSettings":{"autoScale":{"formula":"$TargetDedicatedNodes=99999;"}}}}`,
		`{"location":"x","properties":{"osType":"Linux","containers":[{"name":"c","properties":{"image":"i","resources":{"requests":{"cpu":1e308}}}}]}}`,
		`{"sku":{"capacity":9223372036854775807,"name":"Standard_D2s_v3"},"location":"eastus","properties":{}}`, `{"properties":{"limit":{"value":-5}}}`} {
		f.Add(seed)
	}
	l := newLab(&testing.T{})
	l.w.Read(func(s *world.State) {
		s.Tenant(customerID).Azure.Change(subID, func(a *world.AzureSubscription) {
			for _, n := range []string{"microsoft.batch", "microsoft.machinelearningservices", "microsoft.containerinstance"} {
				a.Providers = append(a.Providers, world.AzureProvider{Namespace: n, Registered: true})
			}
			a.Resources = append(a.Resources, world.AzureResource{Group: "rg1", Type: accountKind, Name: "b", Location: "eastus"},
				world.AzureResource{Group: "rg1", Type: workspaceKind, Name: "w", Location: "eastus"})
		})
	})
	token := l.token("owner", customerID, nil)
	group := sub + "/resourceGroups/rg1/providers/"
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{group + machineType + "/f", group + setType + "/f", group + accountKind + "/f", group + accountKind + "/b/pools/f",
			group + workspaceKind + "/w/computes/f", group + containerKind + "/f",
			sub + "/providers/Microsoft.Compute/locations/eastus/providers/Microsoft.Quota/quotas/cores"} {
			for _, method := range []string{"PUT", "PATCH"} {
				a := l.do(token, method, path+"?"+v, body)
				if a.Code >= 500 || a.Code >= 400 && (!json.Valid(a.Body.Bytes()) || !strings.Contains(a.Body.String(), `"code"`)) {
					t.Fatalf("%s %s %q: %d %s", method, path, body, a.Code, a.Body)
				}
			}
		}
		l.w.Read(func(s *world.State) {
			a := s.Tenant(customerID).Azure.Get(subID)
			for _, r := range a.Resources {
				if r.Count < 0 || r.Hourly < 0 {
					t.Fatalf("%+v", r)
				}
			}
			a.Activity = nil // the log of a long run
		})
	})
}
