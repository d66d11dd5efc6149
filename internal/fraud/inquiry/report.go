//go:build !judge

package inquiry

import (
	"cmp"
	"context"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// ReportForm names the form of a report's JSON.
const ReportForm = "partnerguard-fraud-report-1"

// Report is what happened, when it was known, what was done, and what it rests on, for
// somebody outside of the house. Of other customers it has nothing, and no note of the
// partner's own.
type Report struct {
	Form      string    `json:"form"`
	For       string    `json:"for"`
	Made      time.Time `json:"made"`
	Alert     About     `json:"alert"`
	Says      string    `json:"says"`
	Moments   []Moment  `json:"moments"`
	Rows      []Row     `json:"rows"`
	Actors    []Actor   `json:"actors"`
	Things    []Thing   `json:"things"`
	Done      []Done    `json:"done"`
	Money     Money     `json:"money"`
	Signs     []Reason  `json:"forFraud"`
	Against   []Reason  `json:"againstFraud"`
	Unknown   []Reason  `json:"notKnown"`
	Evidence  []Segment `json:"evidence"`
	Left      int       `json:"rowsLeftOut,omitempty"` // beside what happened, or too many
	picture   [2]*Picture
	Verifying string `json:"verifying"`
}

// About is the alert, cleaned.
type About struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Kind         string `json:"kind"`
	Type         string `json:"type"`
	Severity     string `json:"severity,omitempty"`
	Customer     string `json:"customerTenantId"`
	CustomerName string `json:"customer,omitempty"`
	Subscription string `json:"subscriptionId"`
	Status       string `json:"status"`
	Reason       string `json:"reason,omitempty"`
}

// Moment is when something was so.
type Moment struct {
	What string    `json:"what"`
	At   time.Time `json:"at,omitzero"` // zero: it is not known, or was not
}

// Money is what it cost, as far as that is known: an estimate of Partner Center's, which comes
// a day late.
type Money struct {
	Currency   string     `json:"currency,omitempty"`
	Usual      *float64   `json:"usualPerDay,omitempty"` // the median of the days before
	Now        *float64   `json:"perDay,omitempty"`      // the newest day
	ToDetected *float64   `json:"untilDetected,omitempty"`
	ToStopped  *float64   `json:"untilContained,omitempty"`
	Saved      *float64   `json:"savedPerDay,omitempty"` // each day that it runs no more
	Assumes    []string   `json:"assumes"`               // what the numbers rest on, or why there are none
	AsOf       *time.Time `json:"asOf,omitempty"`        // of the newest estimate
}

// maxReportRows bounds the rows of a report; the timeline has all.
const maxReportRows = 400

// ReportOf makes the report of a timeline for somebody. done are what was done, of the case.
func ReportOf(t *Timeline, done []Done, audience string) (*Report, error) {
	if !slices.Contains(Audiences(), audience) {
		return nil, problem.New(problem.Usage, "no report is made for %.40q", audience).WithHint("there is %s", strings.Join(Audiences(), ", "))
	}
	t = t.outside(audience)
	al := &t.Alert
	r := &Report{Form: ReportForm, For: audience, Made: t.AsOf, Says: t.Says, Signs: t.For, Against: t.Against, Unknown: t.Unknown, Things: t.Things,
		Rows: []Row{}, Done: []Done{}, Actors: []Actor{}, Evidence: []Segment{}, Alert: About{ID: clean(al.ID), Name: clean(al.Name), Kind: clean(al.Words()),
			Type: clean(al.Type), Severity: clean(al.Severity), Customer: al.Customer, CustomerName: clean(al.CustomerName), Subscription: clean(al.Subscription),
			Status: clean(al.Status), Reason: clean(al.Reason)},
		Verifying: "Each segment is an entry of a signed, append-only trail. The partner hands out, by partnerguard archive prove, the proof of any row's page; " +
			"whoever has the trail's public key checks it by partnerguard archive verify --proof, and trusts nobody."}
	for i := range t.Rows {
		w := t.Rows[i]
		if w.Weight == Usual || w.Source == Ours {
			r.Left += map[bool]int{true: 1}[w.Weight == Usual]
			continue
		}
		if len(r.Rows) == maxReportRows {
			r.Left++
			continue
		}
		if audience == ForCustomer {
			w.Places = slices.DeleteFunc(slices.Clone(w.Places), func(p Place) bool { return !strings.EqualFold(p.Tenant, al.Customer) })
		}
		r.Rows = append(r.Rows, w)
	}
	for i := range t.Actors {
		if a := t.Actors[i]; a.Suspect || len(a.Why) > 0 {
			r.Actors = append(r.Actors, a)
		}
	}
	for _, d := range done {
		if d.Private {
			continue
		}
		d.What, d.Outcome, d.By = print.Clean(d.What, 300), clean(d.Outcome), clean(d.By)
		if audience == ForCustomer {
			d.By = "your partner"
		}
		r.Done = append(r.Done, d)
	}
	for _, s := range t.Places {
		if audience != ForCustomer || strings.EqualFold(s.Tenant, al.Customer) { // the partner's own lists hold other customers, too
			r.Evidence = append(r.Evidence, s)
		}
	}
	r.Moments = moments(t, done)
	r.Money = moneyOf(t, r.Moments)
	r.picture = [2]*Picture{t.Draw(false), t.Draw(true)}
	if audience == ForCustomer {
		r.Unknown = slices.DeleteFunc(slices.Clone(r.Unknown), func(x Reason) bool { return x.Key == "customer" })
	}
	return r, nil
}

// outside is a timeline without what stays in the house: notes, and for the customer the names
// of the partner's people.
func (t *Timeline) outside(audience string) *Timeline {
	out := *t
	out.Rows = slices.DeleteFunc(slices.Clone(t.Rows), func(r Row) bool { return r.Private })
	for i := range out.Rows {
		r := &out.Rows[i]
		ours := r.Source == Ours || r.Source == Alerts && r.Who != microsoft && r.Who != ourselves
		if audience == ForCustomer && ours {
			r.Who = "your partner"
		}
	}
	return &out
}

// The moments of a report.
const (
	itBegan     = "The first act that the alert is about"
	itWasRaised = "Microsoft raised the alert"
	itWasKnown  = "It was known here"
	itWasTaken  = "Somebody reacted"
	itStopped   = "It was contained"
	itWasTold   = "Microsoft was answered"
)

func moments(t *Timeline, done []Done) []Moment {
	out := []Moment{{What: itBegan}, {itWasRaised, t.Alert.Detected}, {itWasKnown, t.Known}, {What: itWasTaken}, {What: itStopped}, {itWasTold, t.Alert.ResolvedAt}}
	for i := range t.Rows {
		if w := &t.Rows[i]; (w.Weight == Cause || w.Weight == Suspect) && !w.At.IsZero() && (w.Source == Resources) {
			out[0].At = w.At
			break
		}
	}
	for _, d := range done {
		if out[3].At.IsZero() || d.At.Before(out[3].At) {
			out[3].At = d.At
		}
		if d.Ended && d.At.After(out[4].At) {
			out[4].At = d.At
		}
	}
	return out
}

// moneyOf is what it cost, by the estimates that were read.
func moneyOf(t *Timeline, when []Moment) Money {
	m := Money{Assumes: []string{}}
	if len(t.Costs) == 0 {
		m.Assumes = append(m.Assumes, "No estimate of Partner Center's was read: what it cost is not known.")
		return m
	}
	last := &t.Costs[len(t.Costs)-1]
	m.Currency, m.AsOf = last.Currency, &last.At
	began := when[0].At
	before, since := split(Rates(t.Costs), began)
	if began.IsZero() || len(before) < 3 || len(since) == 0 {
		m.Assumes = append(m.Assumes, "Too few estimates lie before it began, or behind: what it cost is not known yet; estimates come a day late.")
		return m
	}
	usual, now := median(before), since[len(since)-1].Daily
	extra := max(0, now-usual)
	m.Usual, m.Now, m.Saved = &usual, &now, &extra
	m.Assumes = append(m.Assumes, "Estimates of Partner Center's usage records, before discounts, credits and the invoice.",
		"What is more than the median of the days before is counted to it, at the rate of "+print.When(since[len(since)-1].From)+" to "+print.When(since[len(since)-1].To)+".")
	if raised := when[1].At; raised.After(began) {
		v := extra * raised.Sub(began).Hours() / 24
		m.ToDetected = &v
	}
	if stopped := when[4].At; stopped.After(began) {
		v := extra * stopped.Sub(began).Hours() / 24
		m.ToStopped = &v
		m.Assumes = append(m.Assumes, "What is saved assumes that it would have run on at that rate.")
	} else {
		m.Saved = nil
		m.Assumes = append(m.Assumes, "It is not recorded here as contained, so that nothing is said to be saved.")
	}
	return m
}

// Report makes the report of an alert for somebody and records that it was handed out.
func (q *Inquiry) Report(ctx context.Context, id, audience, actor string) (*Report, error) {
	c, err := q.d.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := q.Timeline(ctx, c.Alert.ID)
	if err != nil {
		return nil, err
	}
	r, err := ReportOf(t, c.Done, audience)
	if err != nil {
		return nil, err
	}
	return r, q.record(ctx, audit.InquiryReported, cmp.Or(actor, q.d.Actor), c, map[string]string{"for": audience})
}

//go:embed report.tmpl
var reportTemplate string

var writeReport = page.Renderer(reportTemplate, template.FuncMap{"when": whenWord, "cash": func(v *float64, c string) string { return money(*v, c) },
	"source": func(s Source) string { return s.Name() }, "lower": strings.ToLower})

func whenWord(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return print.When(t)
}

// reportRules are what the picture wants beside the style of every report.
const reportRules = `@layer feature{.f-3{fill:var(--att-solid)}.l-3{stroke:var(--att-solid)}.l-not{stroke:var(--not-solid)}.f-na{fill:var(--text-3)}
.ring{stroke:var(--surface);stroke-width:1.5}.dash{stroke-dasharray:3 3}.halo{fill:none;stroke:var(--not-solid);stroke-width:1.5}svg .t-not{fill:var(--not)}}`

// reportView is what the template says.
type reportView struct {
	page.Page
	*Report
	Wide, Phone template.HTML
}

// HTML writes the report as one file that loads nothing and runs no script.
func (r *Report) HTML(w io.Writer) error {
	v := &reportView{Report: r, Page: page.Page{Title: "Azure fraud: " + r.Alert.Name, Skip: "what happened", Eyebrow: "Report for the " + r.For,
		Name: cmp.Or(r.Alert.CustomerName, r.Alert.Customer, "An alert about Azure fraud"), AsOf: &r.Made, Rules: reportRules, What: "report", Complete: len(r.Unknown) == 0,
		Facts:    []string{print.First(r.Alert.Name, r.Alert.Kind), "subscription " + cmp.Or(r.Alert.Subscription, "not said"), "alert " + r.Alert.ID},
		Headline: page.Headline{Tone: print.Muted, Text: r.Says}, Schema: ReportForm}}
	for i := range r.Unknown {
		v.Incomplete = append(v.Incomplete, "Not known: "+r.Unknown[i].Text)
	}
	if len(r.picture[0].Lanes) > 0 {
		v.Wide, v.Phone = r.picture[0].inline("wid"), r.picture[1].inline("nar")
	}
	return writeReport(w, v)
}
