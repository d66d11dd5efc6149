package msapi_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
)

// target is the partner's tenant as the agent asks it.
func (l *lab) target() msapi.Target { l.Helper(); return l.targetOf(l.i.Tenant.ID, samAgent) }

// targetOf is a tenant as a person of the partner's asks it. A token is used
// until it is refused, or until somebody's rights are changed by the test.
func (l *lab) targetOf(tenant, upn string) msapi.Target {
	l.Helper()
	grant := l.consent(upn)
	var mu sync.Mutex
	kept, of := map[string]secret.Text{}, 0
	return msapi.Target{Cloud: l.cloud, Tenant: tenant, Bearer: func(resource string) msapi.Bearer {
		return func(ctx context.Context) (secret.Text, error) {
			mu.Lock()
			defer mu.Unlock()
			if of != l.rights {
				clear(kept)
				of = l.rights
			}
			if t, ok := kept[resource]; ok && !msapi.WantsFresh(ctx) {
				return t, nil
			}
			g, err := l.refresh(tenant, grant.Refresh, resource+"/.default")
			if err != nil {
				return secret.Text{}, err
			}
			kept[resource] = g.Access
			return g.Access, nil
		}
	}}
}

func resource(t testing.TB, name string) evidence.Resource {
	t.Helper()
	r, ok := evidence.ResourceNamed(name)
	if !ok {
		t.Fatalf("there is no resource %s", name)
	}
	return r
}

func TestWalkWholeListsAndObjects(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	target := l.target()
	for _, name := range []string{"conditionalAccessPolicies", "organization", "identitySecurityDefaultsEnforcementPolicy"} {
		r := resource(t, name)
		last, rows := false, 0
		for a, err := range l.c.Walk(t.Context(), target, r, msapi.Span{}, msapi.Resume{}) {
			if err != nil {
				t.Fatal(name, err)
			}
			if last {
				t.Errorf("%s: an answer after the last", name)
			}
			var body struct{ Value []json.RawMessage }
			if err := json.Unmarshal(a.Body, &body); err != nil || a.Status != 200 || a.At.IsZero() || a.RequestID == "" {
				t.Errorf("%s: %+v %v", name, a, err)
			}
			last = a.Last
			rows += len(body.Value)
		}
		if !last || rows == 0 != r.One {
			t.Errorf("%s: last %v, %d rows", name, last, rows)
		}
	}
}
