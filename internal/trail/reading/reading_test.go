package reading_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/reading"
	"partnerguard/internal/vault"
)

const (
	own   = "22222222-2222-4222-8222-222222222222"
	other = "33333333-3333-4333-8333-333333333333"
)

// vaultOf remembers secrets in memory.
type vaultOf struct {
	mu sync.Mutex
	m  map[vault.Ref]secret.Text
}

func (v *vaultOf) Get(_ context.Context, r vault.Ref) (secret.Text, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.m[r]
	if !ok {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return s, nil
}

func (v *vaultOf) Put(_ context.Context, r vault.Ref, s secret.Text) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.m[r] = s
	return nil
}

// rig is a trail of entries, a second each, and its page.
func rig(t *testing.T, d *db.DB, entries int) (*trail.Trail, *screentest.House, *jobs.Queue) {
	t.Helper()
	at := screentest.Now.Add(-time.Duration(entries) * time.Second)
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: func() time.Time { at = at.Add(time.Second); return at }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		e := audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "oidc:repo:contoso/infra", Object: fmt.Sprintf("c-%d", i), Tenant: other,
			Details: map[string]string{"hint": fmt.Sprintf("only-of-other-%d", i)}}
		switch {
		case i%10 == 3:
			e.Outcome, e.Action, e.Tenant, e.Reason, e.Details = audit.Refused, audit.TokenRefused, own, "the grant wants a yes", nil
		case i%10 == 4:
			e = audit.Event{Action: audit.VaultRotated, Outcome: audit.Failed, Actor: "local:ada", Object: "house-matter"}
		}
		if err := tr.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	q, err := jobs.Open(t.Context(), d, jobs.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	v := &vaultOf{m: map[vault.Ref]secret.Text{}}
	r := reading.New(reading.Deps{Trail: tr, DB: d, Now: func() time.Time { return screentest.Now.Add(-time.Minute) },
		Anchors: func() ([]string, error) { return []string{"file:/mnt/elsewhere"}, nil },
		Sign: func(ctx context.Context) ([]byte, error) {
			s, err := tr.Signer(ctx, v)
			if err != nil {
				return nil, err
			}
			_, raw, err := tr.Sign(ctx, s)
			return raw, err
		}})
	if err := r.Jobs(q); err != nil {
		t.Fatal(err)
	}
	h := screentest.Of(r.Screens()...)
	h.Viewer = screentest.Viewer()
	return tr, h, q
}

// verified has the job run and waits for what it finds.
func verified(t *testing.T, h *screentest.House, q *jobs.Queue) string {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Stop(context.WithoutCancel(t.Context())) }()
	for range 400 {
		if html := h.HTML(t, "/trail"); !strings.Contains(html, "is not known yet") {
			return html
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("it was not verified")
	return ""
}

func rows(t *testing.T, h *screentest.House, address string) (out []trail.Entry, sum map[string]any) {
	t.Helper()
	_, l, err := h.Load(t.Context(), address)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	l.Rows.All(func(_ func() []string, row any) bool { out = append(out, *row.(*trail.Entry)); return true })
	raw, _ := json.Marshal(l.View.Summary)
	_ = json.Unmarshal(raw, &sum)
	return out, sum
}

func TestWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, h, q := rig(t, d, 40)
		if html := h.HTML(t, "/trail"); !strings.Contains(html, "is not known yet") || !strings.Contains(html, "was never given the trail") {
			t.Error("before it was verified it is not known to be whole")
		}
		if html := verified(t, h, q); !strings.Contains(html, "Whole.") {
			t.Errorf("not whole: %s", html)
		}
	})
}

// A trail that was changed is said not to hold, before anything else.
func TestChanged(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	_, h, q := rig(t, d, 12)
	if _, err := d.ExecContext(t.Context(), "UPDATE trail_pages SET entries = (SELECT entries FROM trail_pages WHERE first = 2) WHERE first = 3"); err != nil {
		t.Fatal(err)
	}
	if html := verified(t, h, q); !strings.Contains(html, "The trail does not hold.") || strings.Contains(html, "Whole.") {
		t.Error(html)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	_, h, _ := rig(t, d, 60)
	list, sum := rows(t, h, "/trail")
	if len(list) != 60 || list[0].Seq != 60 || sum["entries"] != 60.0 || sum["next"] != nil {
		t.Errorf("%d entries, first %d, %v", len(list), list[0].Seq, sum)
	}
	if list, _ := rows(t, h, "/trail?outcome=refused"); len(list) != 6 {
		t.Errorf("%d refused", len(list))
	}
	if list, _ := rows(t, h, "/trail?outcome=refused&outcome=failed"); len(list) != 12 {
		t.Errorf("%d refused or failed", len(list))
	}
	if list, _ := rows(t, h, "/trail?object=c-7"); len(list) != 1 {
		t.Errorf("%d of an object", len(list))
	}
	if list, _ := rows(t, h, "/trail?before=11"); len(list) != 10 || list[0].Seq != 10 {
		t.Errorf("before 11: %d", len(list))
	}
	if list, _ := rows(t, h, "/trail?by=people"); len(list) != 6 {
		t.Errorf("%d by people", len(list))
	}
	for _, bad := range []string{"/trail?from=yesterday", "/trail?before=x", "/trail?before=0", "/trail?object=c-*", "/trail?colour=red"} {
		if _, _, err := h.Load(t.Context(), bad); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	// The proof of an entry holds by itself.
	_, sum = rows(t, h, "/trail?row=7")
	raw, _ := json.Marshal(sum["open"].(map[string]any)["proof"])
	var p trail.Proof
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	if e, c, err := p.Verify(); err != nil || e.Seq != 7 || c.Size < 60 {
		t.Errorf("%+v %+v %v", e, c, err)
	}
	if html := h.HTML(t, "/trail?row=7"); !strings.Contains(html, "It is in the tree of the checkpoint") {
		t.Error("the page does not say that it is proven")
	}
}

// Who is limited to a customer sees its entries alone, and nothing of how many there are.
func TestLimited(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	_, h, _ := rig(t, d, 60)
	h.Viewer.Customers = []string{own}
	list, sum := rows(t, h, "/trail")
	if len(list) != 6 || sum["entries"] != nil || sum["root"] != nil {
		t.Errorf("%d entries, %v", len(list), sum)
	}
	for _, address := range []string{"/trail", "/trail?row=1", "/trail?of=" + other, "/trail?object=c-1", "/trail?action=token.issued", "/trail?q=only"} {
		if list, sum := rows(t, h, address); len(list) > 6 || sum["open"] != nil {
			t.Errorf("%s: %d entries, %v", address, len(list), sum)
		}
		html := h.HTML(t, address)
		for _, bad := range []string{"only-of-other", "house-matter", "Checkpoint", "elsewhere", "60 entries"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s tells %q", address, bad)
			}
		}
	}
	h.Viewer.Customers = []string{}
	if list, _ := rows(t, h, "/trail"); len(list) != 0 {
		t.Errorf("who sees nothing sees %d", len(list))
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr, h, _ := rig(t, d, 3)
	bad := `"><img src=x onerror=alert(1)>` + "\u202e"
	if err := tr.Record(t.Context(), audit.Event{Action: audit.Action(bad), Outcome: audit.Outcome(bad), Actor: bad, Object: bad, Tenant: bad, Reason: bad,
		Details: map[string]string{bad: bad}}); err != nil {
		t.Fatal(err)
	}
	if html := h.HTML(t, "/trail?row=4"); strings.Contains(html, "<img") || strings.Contains(html, "\u202e") {
		t.Error("an entry's words are markup")
	}
}

func TestVerifyAsked(t *testing.T) {
	t.Parallel()
	_, h, q := rig(t, dbtest.SQLite(t), 3)
	act := h.Screens[0].Acts[0]
	for i, want := range []string{"as soon as a worker is free", "already"} {
		done, err := act.Handle(t.Context(), &screen.Ask{Viewer: h.Viewer}, nil)
		if err != nil || !strings.Contains(done.Said, want) {
			t.Errorf("asked for the %d. time: %+v %v", i+1, done, err)
		}
	}
	if list, _ := rows(t, h, "/trail?action=trail.asked"); len(list) != 2 || list[0].Actor != h.Viewer.Actor {
		t.Errorf("recorded: %+v", list)
	}
	if n, err := q.Waiting(t.Context(), "trail-verify"); err != nil || n != 1 {
		t.Errorf("%d wait, %v", n, err)
	}
}

// TestShots takes pictures, where SHOTS names a folder.
func TestShots(t *testing.T) {
	t.Parallel()
	_, h, q := rig(t, dbtest.SQLite(t), 60)
	_ = verified(t, h, q)
	h.Shoot(t, "trail", "/trail?row=54")
}
