//go:build !judge

package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/vault"
)

const partnerID = "9a9a9a9a-0000-4000-8000-000000000001"

func tenantOf(i int) string { return fmt.Sprintf("0a1b2c3d-0000-4000-8000-%012d", i) }
func subOf(i int) string    { return fmt.Sprintf("51515151-0000-4000-8000-%012d", i) }

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// fake is Microsoft: budgets by customer and by subscription, with faults.
type fake struct {
	mu     sync.Mutex
	time   time.Time
	center map[string]*float64
	azure  map[string]json.RawMessage
	writes []string
	// fail is asked before each call, by what it does and where; its error is the answer. lost
	// has a write done whose answer is lost.
	fail func(act, where string) error
	lost map[string]bool
}

func newFake() *fake {
	return &fake{time: start, center: map[string]*float64{}, azure: map[string]json.RawMessage{}, lost: map[string]bool{}}
}

func (f *fake) clock() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.time }
func (f *fake) jump(d time.Duration) {
	f.mu.Lock()
	f.time = f.time.Add(d)
	f.mu.Unlock()
}

func refusal(status int, code string) error {
	return &msapi.APIError{Service: "Azure Resource Manager", Status: status, Code: code, Transient: status == 0 || status == 429 || status >= 500}
}

func (f *fake) enter(act, where string) error {
	if f.fail != nil {
		return f.fail(act, where)
	}
	return nil
}

// left is the answer of a write that was done.
func (f *fake) left(act, where string) error {
	f.writes = append(f.writes, act+" "+where)
	if f.lost[where] {
		delete(f.lost, where)
		return refusal(0, "")
	}
	return nil
}

func (f *fake) SpendingBudget(_ context.Context, c string) (*float64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("get", c); err != nil {
		return nil, err
	}
	return f.center[c], nil
}

func (f *fake) SetSpendingBudget(_ context.Context, c string, v *float64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("set", c); err != nil {
		return err
	}
	f.center[c] = v
	return f.left("set", c)
}

func (f *fake) AzureBudget(_ context.Context, _, s, name string) (Kept, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("get", s); err != nil {
		return Kept{}, false, err
	}
	raw, ok := f.azure[s+"/"+name]
	return Kept{ETag: "1", Properties: raw}, ok, nil
}

func (f *fake) PutAzureBudget(_ context.Context, _, s, name string, k Kept) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("put", s); err != nil {
		return err
	}
	var p map[string]any
	if err := json.Unmarshal(k.Properties, &p); err != nil {
		return err
	}
	p["currentSpend"] = map[string]any{"amount": 12.5, "unit": "EUR"} // as Azure says it beside
	f.azure[s+"/"+name], _ = json.Marshal(p)
	return f.left("put", s)
}

func (f *fake) DeleteAzureBudget(_ context.Context, _, s, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("delete", s); err != nil {
		return err
	}
	delete(f.azure, s+"/"+name)
	return f.left("delete", s)
}

// rig is a store of budgets over a database and the fake.
type rig struct {
	testing.TB
	*Budgets
	f     *fake
	v     *vault.Vault
	trail *audittest.Recorder
}

func newRig(t testing.TB, d *db.DB, f *fake) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, f: f, v: v, trail: &audittest.Recorder{}}
	r.Budgets = r.another(d)
	return r
}

// another is a process of its own over the same database.
func (r *rig) another(d *db.DB) *Budgets {
	r.Helper()
	b, err := New(Deps{DB: d, Marks: r.v, Record: r.trail, Actor: "local:test", Now: r.f.clock,
		Cloud: func(context.Context, string) (Cloud, error) { return r.f, nil }})
	r.ok(err)
	return b
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// plan is of n customers without a budget, each with one subscription.
func plan(n int, change ...func(*Plan)) Plan {
	p := Plan{Version: 1, Cloud: "public", Tenant: partnerID, Made: start, Facts: start, Rule: Rule{Amount: Amounts{"*": 500}}}
	for i := range n {
		p.Customers = append(p.Customers, Customer{Tenant: tenantOf(i), Name: fmt.Sprintf("Customer %d", i), Currency: "EUR", Why: "the amount that was said",
			Center: &CenterWish{Amount: 500, Was: WasNone},
			Azure:  []*AzureWish{{Subscription: subOf(i), Name: "Production", Amount: 500, Roles: []string{"Owner"}, Was: WasNone}}})
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

// apply applies a plan and does what can be done now.
func (r *rig) apply(p Plan) Status {
	r.Helper()
	run, err := r.Apply(r.Context(), p)
	r.ok(err)
	return r.drive(run.ID)
}

// drive does what can be done, letting time pass where something is waited for.
func (r *rig) drive(id string) Status {
	r.Helper()
	for range 60 {
		r.ok(r.Now(r.Context(), id, nil))
		s := r.status(id)
		if s.Counts[Waiting]+s.Counts[Restoring] == 0 {
			return s
		}
		r.f.jump(time.Hour)
	}
	return r.status(id)
}

func (r *rig) status(id string) Status {
	r.Helper()
	list, err := r.Status(r.Context(), id)
	r.ok(err)
	return list[0]
}

func (r *rig) item(customer, what string) Item {
	r.Helper()
	for _, s := range []Status{r.status("")} {
		for _, x := range s.Items {
			if x.Customer == customer && x.What == what {
				return x
			}
		}
	}
	r.Fatalf("there is no budget %s of %s", what, customer)
	return Item{}
}

func (f *fake) amount(c string) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.center[c] == nil {
		return -1
	}
	return *f.center[c]
}

func ptr(v float64) *float64 { return &v }
