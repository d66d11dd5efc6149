package detect

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Report is what was found in what was read: the answer of spend anomalies.
type Report struct {
	Schema        string    `json:"schema"` // "partnerguard.fraud.anomalies/1"
	AsOf          time.Time `json:"asOf"`
	Window        Span      `json:"window"`
	Threshold     float64   `json:"threshold"` // a finding from this score on
	Read          Read      `json:"read"`
	Customers     int       `json:"customers"`
	Subscriptions int       `json:"subscriptions"`
	Days          int       `json:"subscriptionDays"`
	Findings      []Finding `json:"findings"`
	Suppressed    int       `json:"suppressed"`                           // findings that a declared deployment explains
	Deployments   int       `json:"deployments"`                          // that were declared
	Lost          []string  `json:"deploymentsWithoutCustomer,omitempty"` // sentences of those that cover nothing
	Dropped       int64     `json:"dropped,omitempty"`                    // records beyond the limits of a customer, which is then blind
	Blind         []Blind   `json:"blind"`                                // subscriptions of which a log or the use was not read
}

// Span is from the oldest record to the newest.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// NewReport judges what a reader read, as of a moment; zero is the newest record's.
func NewReport(r *Reader, asOf time.Time) *Report {
	if asOf.IsZero() {
		asOf = r.D.Newest()
	}
	parts := r.D.Parts()
	lost := r.D.name()
	res := JudgeAll(parts, r.D.o, time.Time{}, asOf)
	out := &Report{Schema: "partnerguard.fraud.anomalies/1", AsOf: asOf.UTC(), Threshold: r.D.o.Score, Read: r.Read, Findings: print.List(res.Findings),
		Suppressed: res.Suppressed, Deployments: len(r.D.o.Windows), Blind: print.List(res.Blind)}
	out.Lost = lost
	if out.Threshold == 0 {
		out.Threshold = DefaultScore
	}
	if out.Read.Skipped == nil {
		out.Read.Skipped = map[string]int{}
	}
	out.Read.Files = print.List(out.Read.Files)
	for _, p := range parts {
		if p.Tenant != "" {
			out.Customers++
		}
		if p.dropped > 0 {
			out.Dropped += p.dropped
			if !slices.ContainsFunc(out.Blind, func(b Blind) bool { return b.Customer == p.Tenant && b.Subscription == "" }) {
				out.Blind = append(out.Blind, Blind{Customer: p.Tenant, Activity: true, Usage: true})
			}
		}
		p.measure(out, ceil(asOf))
	}
	return out
}

// measure counts a part's subscriptions and days, and widens the window.
func (p *Part) measure(out *Report, asOf int64) {
	for _, s := range p.subs {
		from := earliest(s.firstEvent, s.firstUsage)
		if s.id == 0 || from == 0 || from > asOf {
			continue
		}
		out.Subscriptions++
		out.Days += int((asOf - from + daySeconds - 1) / daySeconds)
		if at := moment(from); out.Window.From.IsZero() || at.Before(out.Window.From) {
			out.Window.From = at
		}
	}
	if out.Subscriptions > 0 {
		out.Window.To = moment(asOf)
	}
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error { return print.JSON(w, r) }

// CSV writes a row a finding.
func (r *Report) CSV(w io.Writer) error {
	s := print.NewSheet(w, "detected_at", "first_at", "customer", "customer_name", "subscription", "kind", "severity", "score", "cost_so_far", "cost_per_day",
		"currency", "blind", "regions", "callers", "reasons")
	for i := range r.Findings {
		f := &r.Findings[i]
		s.Row(f.Detected.Format(time.RFC3339), f.First.Format(time.RFC3339), f.Customer, f.CustomerName, f.Subscription, string(f.Kind), string(f.Severity),
			strconv.FormatFloat(f.Score, 'f', 2, 64), strconv.FormatFloat(f.Cost, 'f', 2, 64), strconv.FormatFloat(f.PerDay, 'f', 2, 64), f.Currency,
			strconv.FormatBool(f.Blind), strings.Join(f.Regions, " "), strings.Join(f.Callers, " "), strings.Join(f.Reasons, "; "))
	}
	return s.Close()
}

// How much a terminal is told; the rest is in the CSV and the JSON.
const (
	mostFindings = 20
	mostReasons  = 5
)

// Text writes the report for a terminal: the answer first, a table, then the reasons.
func (r *Report) Text(w io.Writer, o print.Options) error {
	p := print.NewScreen(w, o)
	r.headline(p)
	if len(r.Findings) > 0 {
		r.table(p)
		for i := range r.Findings[:min(len(r.Findings), mostFindings)] {
			r.reasons(p, &r.Findings[i])
		}
		p.More("", len(r.Findings)-mostFindings, " in the JSON and the CSV")
	}
	r.known(p)
	return p.Flush()
}

func (r *Report) headline(p *print.Screen) {
	n := int64(len(r.Findings))
	switch {
	case r.Subscriptions == 0:
		p.Headline(print.Doubt, "Nothing could be judged: no record of use or activity lies in the time that is judged.")
	case n == 0 && r.lacking():
		p.Headline(print.Doubt, fmt.Sprintf("No subscription of %d looks abused in what was read, and that is not all.", r.Subscriptions))
	case n == 0:
		p.Headline(print.Good, fmt.Sprintf("No subscription of %d looks abused, as far as was read.", r.Subscriptions))
	default:
		p.Headline(print.Bad, fmt.Sprintf("%s: of %d subscriptions, these look abused.", print.Plural(n, "findings"), r.Subscriptions))
	}
	p.Para("  ", fmt.Sprintf("As of %s: %s, %s of use and %s were read.", print.When(r.AsOf), print.Plural(int64(r.Customers), "customers"),
		print.Plural(r.Read.Usage, "lines"), print.Plural(r.Read.Events, "rows of logs")), print.Plain)
	if r.Deployments > 0 {
		p.Para("  ", fmt.Sprintf("%s declared; %s explained by them.", print.Plural(int64(r.Deployments), "deployments"),
			print.Plural(int64(r.Suppressed), "findings")), print.Plain)
	}
	p.Blank()
}

func (r *Report) table(p *print.Screen) {
	sizes := []int{16, 8, 6, 12, max(20, p.Width()-16-8-6-12-8)}
	row := func(st print.Style, cells ...string) {
		var out [][]print.Line
		for i, c := range cells {
			out = append(out, print.Lines(c, sizes[i], st))
		}
		p.Put(sizes, 2, out...)
	}
	row(print.Bold, "Detected (UTC)", "Severity", "Score", "Kind", "Customer, subscription")
	for i := range r.Findings[:min(len(r.Findings), mostFindings)] {
		f := &r.Findings[i]
		row(print.Plain, f.Detected.Format("2006-01-02 15:04"), string(f.Severity), fmt.Sprintf("%.1f", f.Score), string(f.Kind),
			print.First("a customer that no record names", f.CustomerName, f.Customer)+", "+print.Clean(f.Subscription, print.MaxName))
	}
	p.Blank()
}

func (r *Report) reasons(p *print.Screen, f *Finding) {
	p.Para("", print.Clean(f.Subscription, print.MaxName)+": first "+print.When(f.First)+", detected "+print.When(f.Detected), print.Bold)
	for _, text := range f.Reasons[:min(len(f.Reasons), mostReasons)] {
		p.Para("  - ", text, print.Plain)
	}
	p.More("  ", len(f.Reasons)-mostReasons, " in the JSON")
	if f.Updates > 0 {
		p.Para("  ", fmt.Sprintf("It went on: %s since, the last %s%s.", print.Plural(int64(f.Updates), "signs"), print.When(f.LastSeen), wider(f)),
			print.Plain)
	}
	if f.Cost > 0 {
		p.Para("  ", fmt.Sprintf("About %s above the usual so far.", money(f.Cost)), print.Plain)
	}
	p.Blank()
}

// wider is how far a finding reaches by now, which its reasons, of the first moment, do not tell.
func wider(f *Finding) string {
	var out string
	if n := len(f.Regions); n > 0 {
		out += "; " + print.Plural(int64(n), "regions")
	}
	if f.PerDay > 0 {
		out += "; about " + money(f.PerDay) + " a day"
	}
	return out
}

// known says what the answer does not rest on.
func (r *Report) known(p *print.Screen) {
	noLog, noUse, of := 0, 0, "subscriptions"
	for _, b := range r.Blind {
		if b.Subscription == "" { // all of a customer's
			of = "customers"
		}
		if b.Activity {
			noLog++
		}
		if b.Usage {
			noUse++
		}
	}
	var list []string
	if noLog > 0 {
		list = append(list, fmt.Sprintf("No Activity Log was read of %s: there use alone decides, a day late.", print.Plural(int64(noLog), of)))
	}
	if noUse > 0 {
		list = append(list, fmt.Sprintf("No use was read of %s: what is usual there is not known.", print.Plural(int64(noUse), of)))
	}
	if n := r.skipped(); n > 0 {
		list = append(list, fmt.Sprintf("%s could not be read; the JSON says why.", print.Plural(int64(n), "records")))
	}
	list = append(list, r.Lost[:min(len(r.Lost), 5)]...)
	if r.Dropped > 0 {
		list = append(list, fmt.Sprintf("%s of a customer were beyond what is kept of one, and count for nothing.", print.Plural(r.Dropped, "records")))
	}
	for _, f := range r.Read.Files {
		if f.Note != "" && len(list) < 8 {
			list = append(list, f.Path+": "+f.Note+".")
		}
	}
	p.Known(list)
}

// lacking says that a part of what was given was not read: then nothing is well.
func (r *Report) lacking() bool {
	return r.Dropped > 0 || r.skipped() > 0 || slices.ContainsFunc(r.Read.Files, func(f File) bool { return f.Note != "" })
}

func (r *Report) skipped() (n int) {
	for _, k := range r.Read.Skipped {
		n += k
	}
	return n
}
