package graph

import (
	"sync"
	"testing"
)

// Reading and writing at once: the race detector watches.
func TestConcurrentUse(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				for _, p := range []string{"/beta/auditLogs/signIns", "/v1.0/users?$expand=memberOf", "/v1.0/identity/conditionalAccess/policies",
					"/beta/security/partner/securityScore/requirements", "/v1.0/organization"} {
					if a := l.get(p, tok); a.code != 200 {
						t.Errorf("%s: %d", p, a.code)
					}
				}
			}
		})
		wg.Go(func() {
			for range 10 {
				l.do("PATCH", "/v1.0/users/"+plain, tok, `{"jobTitle":"x"}`)
				l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+polID, tok, `{"displayName":"y"}`)
				l.do("POST", "/v1.0/groups/"+nested+"/members/$ref", tok, `{"@odata.id":"`+plain+`"}`)
				l.do("DELETE", "/v1.0/groups/"+nested+"/members/"+plain+"/$ref", tok, "")
			}
		})
	}
	wg.Wait()
}
