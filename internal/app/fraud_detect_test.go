//go:build !judge

package app_test

import (
	"context"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/partnercloud/control"
)

// eyed is an installation that is connected to the partner cloud.
type eyed struct{ *watched }

func newEyed(t *testing.T) *eyed {
	t.Helper()
	in := newWatched(t)
	in.s.LabInfo().Roots = in.lab.Server.CA.Pool()
	began := in.lab.Now()
	in.reopen(func(o *app.Options) {
		o.Dial = func(m msapi.Options) *msapi.Client { // what has to wait moves the cloud's clock
			m.Mono = func() time.Duration { return in.lab.Now().Sub(began) }
			m.Wait = func(ctx context.Context, d time.Duration) error { in.lab.Jump(d); return ctx.Err() }
			return msapi.New(m)
		}
	})
	if _, _, err := in.s.ConnectLab(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &eyed{in}
	w.read(in.lab.Info.Tenant.ID) // whose customers there are
	return w
}

// read reads a tenant.
func (w *eyed) read(tenant string) {
	w.Helper()
	if err := w.s.CollectNow(w.Context(), tenant, collect.Ask{Now: true}, func(r collect.Round, err error) {
		if err != nil {
			w.Errorf("%s: %v", r.Tenant.Domain, err)
		}
	}); err != nil {
		w.Fatal(err)
	}
}

// round reads a customer, and judges it.
func (w *eyed) round(customer string) *app.EyesReport {
	w.Helper()
	w.read(customer)
	if err := w.s.KeepDays(w.Context(), customer); err != nil {
		w.Fatal(err)
	}
	seen, err := w.s.Eyes(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return seen
}

// TestEyesSeeAStory: what a thief makes in a customer's Azure is found by the next round of
// reading, hours before Microsoft warns, and is one alert.
func TestEyesSeeAStory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it reads a customer of the partner cloud")
	}
	w := newEyed(t)
	customer := w.lab.Customer("fabrikam.example")
	seen := w.round(customer)
	if len(seen.Findings) != 0 || seen.Customers != 1 || seen.Subs != 1 || seen.Events == 0 || seen.Lines == 0 {
		t.Fatalf("before: %+v", seen)
	}
	blind := map[string]app.BlindTenant{}
	for _, b := range seen.Blind {
		blind[b.Customer] = b
	}
	if b := blind[customer]; len(b.Misses) != 0 {
		t.Errorf("it can be seen: %+v", b)
	}
	if b := blind[w.lab.Customer("tailspin.example")]; len(b.Misses) == 0 || b.Why == "" {
		t.Errorf("nothing was read of it, which is not said: %+v", b)
	}
	began := w.lab.Now()
	asked := control.Dial(w.lab.Info.Control, w.lab.Info.ControlSecret)
	if _, err := asked.Stories(t.Context(), &control.StoryAsk{Name: "mine", Customer: "fabrikam.example"}); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(2 * time.Hour)
	seen = w.round(customer)
	if len(seen.Findings) != 1 {
		t.Fatalf("after two hours: %+v", seen)
	}
	f := seen.Findings[0]
	if took := f.Detected.Sub(began); took < 0 || took > 2*time.Hour || f.Customer != customer || len(f.Reasons) == 0 {
		t.Errorf("after %s: %+v", f.Detected.Sub(began), f)
	}
	w.lab.Jump(time.Hour)
	if again := w.round(customer); len(again.Findings) != 1 || again.Findings[0].Key != f.Key || !again.Findings[0].Detected.Equal(f.Detected) {
		t.Errorf("an hour later: %+v", again.Findings)
	}
	w.alerted(customer)
	r, err := w.s.KeptAnomalies(t.Context())
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Subscription != f.Subscription || len(r.Blind) < 5 || r.Customers != 1 {
		t.Errorf("%v %+v", err, r)
	}
}

// alerted looks at what is told to people.
func (w *eyed) alerted(customer string) {
	w.Helper()
	if err := w.s.Alerts.Look(w.Context()); err != nil {
		w.Fatal(err)
	}
	list, err := w.s.Alerts.List(w.Context(), alert.Listing{})
	if err != nil {
		w.Fatal(err)
	}
	n := 0
	for _, a := range list {
		if a.Source == "own eyes" && a.Kind == alert.Fraud && a.Tenant == customer && a.Severity == notify.Urgent {
			n++
		}
	}
	if n != 1 {
		w.Errorf("%d alerts: %+v", n, list)
	}
}
