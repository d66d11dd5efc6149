package msapi

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/secret"
)

func walkTarget() Target {
	return Target{Cloud: Commercial(), Tenant: tenantID, Bearer: func(string) Bearer { return Fixed(secret.New("a.token.x")) }}
}

// A throttle that comes while others wait for their turn holds them too, and no
// other bucket.
func TestThrottleHoldsWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, n := time.Now(), 0
		var mu sync.Mutex
		sent := map[string][]time.Duration{}
		c := New(Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			bucket, _ := graphPace(r.URL.Path)
			sent[bucket] = append(sent[bucket], time.Since(began))
			first := bucket == "policy" && n == 0
			if bucket == "policy" {
				n++
			}
			mu.Unlock()
			if first {
				time.Sleep(500 * time.Millisecond)
				return answer(429, "", "Retry-After", "20"), nil
			}
			return answer(200, `{"value":[]}`), nil
		})})
		var wg sync.WaitGroup
		for _, name := range []string{"conditionalAccessPolicies", "namedLocations", "organization"} {
			r, _ := evidence.ResourceNamed(name)
			wg.Go(func() {
				for _, err := range c.Walk(t.Context(), walkTarget(), r, Span{}, Resume{}) {
					if err != nil {
						t.Error(err)
					}
				}
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		p := sent["policy"]
		if len(p) != 3 || p[1] < 20*time.Second || p[2] < p[1]+time.Second {
			t.Errorf("sent at %v", p)
		}
		if o := sent["graph"]; len(o) != 1 || o[0] > 100*time.Millisecond {
			t.Errorf("another bucket: %v", o)
		}
	})
}

// What of a batch was throttled is asked for alone, and not before its time.
func TestThrottledPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var alone []time.Duration
		c := New(Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.URL.Path == "/v1.0/groups":
				return answer(200, `{"value":[{"id":"a"},{"id":"b"}]}`), nil
			case strings.HasSuffix(r.URL.Path, "/$batch"):
				b, err := io.ReadAll(r.Body)
				if err != nil || !strings.Contains(string(b), `"url":"/groups/a/members"`) {
					t.Errorf("%s %v", b, err)
				}
				return answer(200, `{"responses":[{"id":"1","status":200,"body":{"value":[]}},{"id":"0","status":429,"headers":{"Retry-After":"7"}}]}`), nil
			}
			alone = append(alone, time.Since(began))
			return answer(200, `{"value":[]}`), nil
		})})
		r, _ := evidence.ResourceNamed("groups")
		var of []string
		for a, err := range c.Walk(t.Context(), walkTarget(), r, Span{}, Resume{}) {
			if err != nil {
				t.Fatal(err)
			}
			of = append(of, a.Of)
		}
		if strings.Join(of, ",") != ",a,b" || len(alone) != 1 || alone[0] < 7*time.Second {
			t.Errorf("answers of %q, asked alone at %v", of, alone)
		}
	})
}

// A refusal says what is missing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resource string
		status   int
		body     string
		reason   Reason
		needs    string
	}{
		{"signIns.interactiveUser", 403, `{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}}`, ReasonLicence, "Entra ID P1"},
		{"roleEligibilityScheduleInstances", 403, `{"error":{"code":"AadPremiumLicenseRequired"}}`, ReasonLicence, "Entra ID P2"},
		{"roleEligibilityScheduleInstances", 400, `{"error":{"code":"AadPremiumLicenseRequired"}}`, ReasonLicence, "Entra ID P2"},
		{"users", 403, `{"error":{"code":"Authorization_RequestDenied"}}`, ReasonPermission, "User.Read.All or the role Directory Readers"},
		{"users", 403, ``, ReasonPermission, "User.Read.All or the role Directory Readers"},
		{"directoryAudits", 403, `{"error":{"code":"Authentication_RequestFromUnsupportedUserRole"}}`, ReasonRole, "Reports Reader or Security Reader or Global Reader"},
		{"customers", 401, `{"code":900421}`, ReasonMFA, ""},
		{"customers", 403, `{"code":"900308"}`, ReasonRole, "Admin Agent"},
		{"customers", 403, `{"code":900159}`, ReasonAbsent, ""},
		{"azureSubscriptions", 403, `{"error":{"code":"AuthorizationFailed"}}`, ReasonRole, "Reader"},
		{"organization", 404, `{"error":{"code":"Request_ResourceNotFound"}}`, ReasonAbsent, ""},
		{"organization", 410, ``, ReasonGone, ""},
		{"organization", 400, `{"error":{"code":"BadRequest"}}`, "", ""},
		{"organization", 401, `{"error":{"code":"InvalidAuthenticationToken"}}`, "", ""},
		{"organization", 503, ``, "", ""},
	} {
		r, ok := evidence.ResourceNamed(c.resource)
		if !ok {
			t.Fatal(c.resource)
		}
		service := map[evidence.Service]string{evidence.Graph: graph, evidence.PartnerCenter: center, evidence.ARM: arm}[r.Service]
		err := refusal(&r, readAPIError(service, &sent{status: c.status, header: http.Header{}, body: []byte(c.body)}))
		no, ok := err.(*Refused)
		if ok != (c.reason != "") || ok && (no.Reason != c.reason || no.Needs != c.needs || !strings.Contains(no.Error(), c.needs) || len(no.Unwrap()) != 2) {
			t.Errorf("%s %d %s: %+v, %v", c.resource, c.status, c.body, no, err)
		}
	}
}
