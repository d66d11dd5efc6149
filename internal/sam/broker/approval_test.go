package broker_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/trail"
)

// TestNobodyApprovesTheirOwn: who asked cannot say yes, by whatever way they
// came and however their name is written, also where the policy names them.
func TestNobodyApprovesTheirOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.policy(wholePolicy)
		for actor, self := range map[string]string{
			"local:ravi": "local:ravi", "mtls:ravi": "local:ravi", "oidc:RAVI": "local:ravi", "oidc:Ravi.Menon@contoso.com": "ravi.menon@contoso.com",
		} {
			c := r.b.CallerForTest("deploy")
			c.Actor = actor
			if _, err := r.b.Token(t.Context(), c, broker.Ask{Resource: "arm", Customer: adatum}); err == nil {
				t.Fatal("handed out without approval")
			}
			list, err := r.b.Approvals(t.Context())
			if err != nil || len(list) == 0 {
				t.Fatal(list, err)
			}
			id := list[slices.IndexFunc(list, func(a broker.PendingApproval) bool { return a.Actor == actor })].ID
			for _, act := range []func() (broker.PendingApproval, error){
				func() (broker.PendingApproval, error) { return r.b.Approve(t.Context(), id, self) },
				func() (broker.PendingApproval, error) { return r.b.Withdraw(t.Context(), id, self) },
			} {
				if a, err := act(); !errors.Is(err, problem.Usage) || !strings.Contains(err.Error(), "itself") {
					t.Errorf("%s asked and %s decided: %+v, %v", actor, self, a, err)
				}
			}
			if _, err := r.b.Token(t.Context(), c, broker.Ask{Resource: "arm", Customer: adatum}); err == nil {
				t.Errorf("%s: handed out by its own yes", actor)
			}
			other := map[string]string{"local:ravi": "ravi.menon@contoso.com", "ravi.menon@contoso.com": "local:ravi"}[self]
			if _, err := r.b.Approve(t.Context(), id, other); err != nil {
				t.Errorf("another approver: %v", err)
			}
			r.jump(9 * time.Hour)
		}
	})
}

// TestApprovalIsForASubject: a yes for one workload of a caller, or for one key,
// is none for another, and shows whose it is.
func TestApprovalIsForASubject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.policy(wholePolicy)
		long := strings.Repeat("s", 1000)
		subjects := []string{"repo:contoso/infra:ref:refs/tags/v1", "repo:contoso/infra:ref:refs/tags/v2", long + "1", long + "2"}
		ask := func(subject string) error {
			c := r.b.CallerForTest("deploy")
			c.Actor, c.Subject = "oidc:deploy", subject
			_, err := r.b.Token(t.Context(), c, broker.Ask{Resource: "arm", Customer: adatum})
			return err
		}
		for i, s := range subjects {
			if err := ask(s); err == nil {
				t.Fatal("handed out without approval")
			}
			list, err := r.b.Approvals(t.Context())
			if err != nil || len(list) != i+1 {
				t.Fatalf("%d questions, %v", len(list), err)
			}
		}
		list, _ := r.b.Approvals(t.Context())
		for i, s := range subjects[:3] {
			k := slices.IndexFunc(list, func(a broker.PendingApproval) bool { return a.Subject == s })
			if k < 0 || list[k].Actor != "oidc:deploy" || list[k].Caller != "deploy" {
				t.Fatalf("%s is not shown: %+v", s, list)
			}
			if _, err := r.b.Approve(t.Context(), list[k].ID, "local:ravi"); err != nil {
				t.Fatal(err)
			}
			for n, other := range subjects {
				if err := ask(other); (err == nil) != (n <= i) {
					t.Errorf("%d approved, %d asks: %v", i, n, err)
				}
			}
			d, err := r.b.Explain(t.Context(), "deploy", broker.Ask{Resource: "arm", Customer: adatum, Subject: s})
			if err != nil || !d.Allowed || d.Connection != "c-1" || d.Name != "contoso" {
				t.Errorf("%+v %v", d, err)
			}
		}
	})
}

func TestApproval(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		tr, err := trail.Open(t.Context(), d, trail.Options{Now: r.now})
		if err != nil {
			t.Fatal(err)
		}
		b, err := broker.New(broker.Deps{Exchange: r.exchange(), Trail: tr, DB: d, Marks: r.marks, Now: r.now, Machine: r.machineNow})
		if err != nil {
			t.Fatal(err)
		}
		r.b = b
		r.policy(wholePolicy)
		ask := func(customer string) error {
			_, err := b.Token(t.Context(), b.CallerForTest("deploy"), broker.Ask{Resource: "arm", Customer: customer})
			return err
		}
		waiting := func() []broker.PendingApproval {
			t.Helper()
			list, err := b.Approvals(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for range 3 { // asking again leaves one question
			if err := ask("adatum.example"); err == nil || !strings.Contains(err.Error(), "waits for the approval of local:ravi or ravi.menon@contoso.com") ||
				!strings.Contains(err.Error(), "a-") {
				t.Fatalf("%v", err)
			}
		}
		list := waiting()
		if len(list) != 1 || list[0].State != broker.Pending || list[0].Tenant != adatum || list[0].Resource != arm || list[0].Caller != "deploy" {
			t.Fatalf("%+v", list)
		}
		id := list[0].ID
		for who, kind := range map[string]problem.Kind{"mallory": problem.Usage, "deploy": problem.Usage, "mtls:deploy": problem.Usage,
			"local:ravina": problem.Usage, "": problem.Usage} {
			if _, err := b.Approve(t.Context(), id, who); !errors.Is(err, kind) {
				t.Errorf("approved by %q: %v", who, err)
			}
		}
		if _, err := b.Approve(t.Context(), "a-none", "local:ravi"); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		if err := ask("adatum.example"); err == nil {
			t.Fatal("handed out without approval")
		}
		a, err := b.Approve(t.Context(), id, "Ravi.Menon@contoso.com")
		if err != nil || a.State != broker.Approved || !a.Until.Equal(monday.Add(8*time.Hour)) {
			t.Fatalf("%+v %v", a, err)
		}
		if err := ask("adatum.example"); err != nil {
			t.Fatal(err)
		}
		if err := ask("tailspin.example"); err == nil {
			t.Error("the approval for one customer counts for another")
		}
		// It ends at its time; asking then leaves a new question.
		pending := func(not ...string) string {
			t.Helper()
			for _, p := range waiting() {
				if p.Tenant == adatum && p.State == broker.Pending && !slices.Contains(not, p.ID) {
					return p.ID
				}
			}
			t.Fatalf("no question: %+v", waiting())
			return ""
		}
		r.jump(8*time.Hour - time.Microsecond)
		if err := ask("adatum.example"); err != nil {
			t.Error(err)
		}
		r.jump(time.Microsecond)
		if err := ask("adatum.example"); err == nil {
			t.Error("it outlives its time")
		}
		// A clock that is set back does not lengthen the next one.
		second := pending(id)
		if _, err := b.Approve(t.Context(), second, "local:ravi"); err != nil {
			t.Fatal(err)
		}
		r.jump(-time.Hour)
		if err := ask("adatum.example"); err == nil {
			t.Error("an approval from the future counts")
		}
		// Asked for anew, refused, and not asked again at once.
		next := pending(id, second)
		if _, err := b.Withdraw(t.Context(), next, "local:ravi"); err != nil {
			t.Fatal(err)
		}
		if err := ask("adatum.example"); err == nil || !strings.Contains(err.Error(), "was not approved by local:ravi") {
			t.Error(err)
		}
		if _, err := b.Approve(t.Context(), next, "local:ravi"); !errors.Is(err, problem.Usage) {
			t.Errorf("approved after it was withdrawn: %v", err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		rep, err := tr.Verify(t.Context(), nil)
		if err != nil || rep.Bad != nil {
			t.Fatalf("%+v %v", rep, err)
		}
		for action, want := range map[audit.Action]int{audit.ApprovalGiven: 2, audit.ApprovalWithdrawn: 1, audit.TokenIssued: 2} {
			f, err := tr.Search(t.Context(), trail.Query{Action: string(action)})
			if err != nil || len(f.Entries) != want {
				t.Errorf("%s: %d entries, want %d, %v", action, len(f.Entries), want, err)
			}
		}
	})
}

func TestApprovalWithdrawnLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.policy(wholePolicy)
	c := r.b.CallerForTest("deploy")
	ask := func() error {
		_, err := r.b.Token(t.Context(), c, broker.Ask{Resource: "arm", Customer: adatum})
		return err
	}
	_ = ask()
	list, err := r.b.Approvals(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if _, err := r.b.Approve(t.Context(), list[0].ID, "local:ravi"); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.b.Withdraw(t.Context(), list[0].ID, "local:ravi"); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err == nil {
		t.Error("a yes that was taken back counts")
	}
	// The approver is no longer named: the yes cannot be given any more.
	r.jump(2 * time.Hour)
	_ = ask()
	r.policy(strings.ReplaceAll(wholePolicy, "local:ravi", "local:elena"))
	list, _ = r.b.Approvals(t.Context())
	if _, err := r.b.Approve(t.Context(), list[0].ID, "local:ravi"); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
}

// One caller cannot bury the approvers.
func TestPendingIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	var uris []string
	for n := range 120 {
		uris = append(uris, fmt.Sprintf("https://r%d.example", n))
	}
	r.policy(strings.Replace(wholePolicy, "resources: [arm]", "resources: ["+strings.Join(uris, ", ")+"]", 1))
	for _, u := range uris {
		_, _ = r.b.Token(t.Context(), r.b.CallerForTest("deploy"), broker.Ask{Resource: u, Customer: adatum})
	}
	if list, err := r.b.Approvals(t.Context()); err != nil || len(list) != 100 {
		t.Errorf("%d wait, %v", len(list), err)
	}
	if err := newRig(t, nil).b.SetPolicy(mustParse(t, wholePolicy)); err == nil {
		t.Error("a policy with approvals without a database")
	}
}

func mustParse(t *testing.T, text string) *broker.Policy {
	t.Helper()
	p, err := broker.ParsePolicy("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A flood of refusals costs the trail a bounded number of entries, and none of
// them is forgotten in the count.
func TestFloodOfRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &audittest.Recorder{}
		l := broker.NewLedgerForTest(log, time.Now, slog.New(slog.DiscardHandler))
		send := func(from, to int) {
			var wg sync.WaitGroup
			for n := from; n < to; n++ {
				wg.Go(func() {
					l.Refused(t.Context(), audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "a",
						Reason: fmt.Sprintf("reason %d %s", n%1000, strings.Repeat("x", 5000)), Details: map[string]string{"asked": strings.Repeat("y", 5000)}})
				})
			}
			wg.Wait()
		}
		counted := func() (entries, times int) {
			for _, e := range log.Of(audit.TokenRefused) {
				entries++
				n := 1
				if s := e.Details["times"]; s != "" {
					_, _ = fmt.Sscan(s, &n)
				}
				times += n
				if len(e.Reason) > 500 || len(e.Details["asked"]) > 300 {
					t.Fatalf("an entry of %d bytes", len(e.Reason))
				}
			}
			return entries, times
		}
		send(0, 1)
		if n, _ := counted(); n != 1 {
			t.Error("the first is not recorded at once")
		}
		send(1, 50_000)
		if n, _ := counted(); n != 200 {
			t.Errorf("%d entries at once", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n, times := counted(); n != 401 || times != 50_000 {
			t.Errorf("%d entries for %d refusals", n, times)
		}
		// The next window begins anew.
		send(0, 2000)
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n, times := counted(); n != 401+401 || times != 52_000 {
			t.Errorf("%d entries for %d refusals", n, times)
		}
	})
}
