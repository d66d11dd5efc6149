//go:build !judge

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud/detect"
	"partnerguard/internal/fraud/eyes"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// eyesMaker folds a customer's logs and use into what was folded before, and judges it.
type eyesMaker struct {
	i    *Installation
	mu   sync.Mutex
	fold *eyes.Fold
}

func newEyesMaker(ctx context.Context, i *Installation, tenant string) *eyesMaker {
	tenant = strings.ToLower(tenant)
	old, _, err := snapshot.Get[eyes.State](ctx, i.Snapshot, tenant, eyes.StateName)
	if err != nil && !errors.Is(err, problem.NotFound) {
		i.Log.WarnContext(ctx, "what our own eyes saw of a tenant begins anew", "tenant", tenant, "error", err)
	}
	return &eyesMaker{i: i, fold: eyes.New(tenant, old)}
}

func (*eyesMaker) visitor(whereIs) signin.Visitor { return nil }

func (m *eyesMaker) record(kind evidence.Kind, raw []byte, _ evidence.Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.fold.Take(kind, raw) // a row that cannot be read is counted
}

func (m *eyesMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	tenant = strings.ToLower(tenant)
	old, _, err := snapshot.Get[eyes.Seen](ctx, m.i.Snapshot, tenant, eyes.PartName)
	if err != nil && !errors.Is(err, problem.NotFound) && !errors.Is(err, snapshot.ErrBroken) {
		return nil, err
	}
	var o detect.Options
	if o.Windows, err = m.i.Config.Eyes.Windows(); err != nil {
		m.i.Log.WarnContext(ctx, "no deployment is taken for planned", "error", err)
	}
	who := detect.Customer{Tenant: tenant}
	if t, err := m.i.Collect.Tenant(ctx, tenant); err == nil {
		who.Name, who.Domain = t.Name, t.Domain
	}
	seen := m.fold.Look(who, o, old, j.Report.AsOf)
	state, err := m.fold.State()
	if err != nil {
		return nil, err
	}
	return map[string]any{eyes.PartName: seen, eyes.StateName: state}, nil
}

// EyesReport is what our own eyes see of all customers.
type EyesReport struct {
	AsOf       time.Time     `json:"asOf"`
	Customers  int           `json:"customers"` // that something was collected of
	Subs       int           `json:"subscriptions"`
	Events     int64         `json:"events"` // rows of logs and lines of use that it rests on
	Lines      int64         `json:"lines"`
	Suppressed int           `json:"suppressed"`
	Findings   []eyes.Found  `json:"findings"`
	Blind      []BlindTenant `json:"blind"`
}

// BlindTenant is a customer of whom something that shows fraud is not read.
type BlindTenant struct {
	Customer string   `json:"customerTenantId"`
	Name     string   `json:"customerName,omitempty"`
	Misses   []string `json:"misses"` // resources
	Why      string   `json:"why"`
	Can      string   `json:"can,omitempty"`
	Subs     []string `json:"subscriptions,omitempty"` // of which alone it is missing; none: of all
}

// fraudShownIn are the resources that fraud shows in; the Activity Log shows it first.
var fraudShownIn = []string{"azureActivity", "azureUsage", "directoryAudits", "signIns.interactiveUser"}

// Eyes is what our own eyes see, as every customer was judged last.
func (i *Installation) Eyes(ctx context.Context) (*EyesReport, error) {
	out := &EyesReport{AsOf: i.Now().UTC(), Findings: []eyes.Found{}, Blind: []BlindTenant{}}
	if i.Snapshot == nil { // it is only looked at
		return nil, problem.New(problem.NotFound, "nothing is kept here")
	}
	tenants, err := i.Collect.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	blind := map[string]*BlindTenant{}
	for _, t := range tenants {
		if !t.Partner && t.Gone.IsZero() {
			blind[strings.ToLower(t.ID)] = &BlindTenant{Customer: strings.ToLower(t.ID), Name: print.Clean(cmp.Or(t.Name, t.Domain), 100)}
		}
	}
	read := map[string]bool{}
	for x, err := range snapshot.All[eyes.Seen](ctx, i.Snapshot, eyes.PartName) {
		if err != nil && x.Tenant == "" {
			return nil, err
		}
		if err != nil || blind[x.Tenant] == nil {
			continue // it is made anew, and not known until then; or it is no customer any more
		}
		read[x.Tenant] = true
		out.add(x.Part, blind[x.Tenant])
	}
	if err := i.unseen(ctx, blind, read); err != nil {
		return nil, err
	}
	for _, b := range blind {
		if len(b.Misses) > 0 {
			slices.Sort(b.Misses)
			b.Misses = slices.Compact(b.Misses)
			out.Blind = append(out.Blind, *b)
		}
	}
	slices.SortFunc(out.Blind, func(a, b BlindTenant) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Customer, b.Customer))
	})
	slices.SortStableFunc(out.Findings, func(a, b eyes.Found) int { return b.Detected.Compare(a.Detected) })
	return out, nil
}

func (out *EyesReport) add(s *eyes.Seen, b *BlindTenant) {
	out.Customers++
	out.Subs += len(s.Subs)
	out.Events, out.Lines, out.Suppressed = out.Events+s.Events, out.Lines+s.Lines, out.Suppressed+s.Suppressed
	out.Findings = append(out.Findings, s.Found...)
	for _, x := range s.Blind {
		b.Subs = append(b.Subs, x.Subscription)
		if x.Activity {
			b.Misses = append(b.Misses, "azureActivity")
		}
		if x.Usage {
			b.Misses = append(b.Misses, "azureUsage")
		}
		b.Why = "of some subscriptions there are no rows"
	}
}

// unseen notes what is not read of customers, and those of whom nothing was judged yet.
func (i *Installation) unseen(ctx context.Context, blind map[string]*BlindTenant, read map[string]bool) error {
	gaps, err := i.Collect.Gaps(ctx, "", i.Now())
	if err != nil {
		return err
	}
	for k := range gaps {
		g := &gaps[k]
		b := blind[strings.ToLower(g.Tenant)]
		if b == nil || !slices.Contains(fraudShownIn, g.Resource) || g.Lost {
			continue
		}
		if b.Misses = append(b.Misses, g.Resource); len(b.Misses) == 1 || g.Resource == fraudShownIn[0] {
			b.Why, b.Can = print.Clean(g.Why, 300), print.Clean(g.Can, 300)
		}
		if g.Of == "" {
			b.Subs = nil
		}
	}
	for id, b := range blind {
		if !read[id] && len(b.Misses) == 0 {
			b.Misses, b.Why, b.Can = slices.Clone(fraudShownIn), "nothing of it was judged yet", "the next round of reading brings it"
		}
	}
	return nil
}

// eyesAlerts are the findings of our own eyes: one alert a cause, urgent where a person should
// look at once.
func (i *Installation) eyesAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.Snapshot == nil { // it is only looked at
		return nil, false, nil
	}
	now := i.Now()
	whole = true
	for x, err := range snapshot.All[eyes.Seen](ctx, i.Snapshot, eyes.PartName) {
		if err != nil && x.Tenant == "" {
			return out, false, err
		}
		if err != nil {
			whole = false // what was open of it stays open
			continue
		}
		for k := range x.Part.Found {
			if f := &x.Part.Found[k]; f.Open(now) {
				out = append(out, eyesAlert(f))
			}
		}
	}
	return out, whole, nil
}

func eyesAlert(f *eyes.Found) alert.Finding {
	a := alert.Finding{Key: "eyes:" + f.Key, Kind: alert.Fraud, Severity: notify.Warning, Tenant: f.Customer, Since: f.First, Path: "/fraud",
		Title:    "Azure may be abused: " + print.Clean(cmp.Or(f.CustomerName, f.Customer), 100) + ", subscription " + f.Subscription,
		Subjects: f.Resources[:min(len(f.Resources), alert.MaxSubjects)], Count: len(f.Resources), Unit: "resources", Command: "partnerguard spend anomalies",
		Fix: "ask the customer, and look at what was made; if nobody there made it, contain it at once. Work that is planned is told in fraudDeployments"}
	if f.Severity == detect.High {
		a.Severity = notify.Urgent
	}
	if len(f.Reasons) > 0 {
		a.Cause = print.Clean(f.Reasons[0], 400)
	}
	if f.PerDay > 0 {
		a.Cause += fmt.Sprintf(" It costs about %.0f %s a day.", f.PerDay, f.Currency)
	}
	return a
}
