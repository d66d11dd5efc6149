//go:build !judge

package pages

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Desk is where alerts are; [desk.Desk] is one.
type Desk interface {
	Get(ctx context.Context, id string) (*desk.Case, error)
	List(ctx context.Context, f desk.Filter) ([]desk.Case, error)
	Assign(ctx context.Context, id, to, actor string) (*desk.Case, error)
	Note(ctx context.Context, id, text, actor string) (*desk.Case, error)
	Answer(ctx context.Context, id string, reason fraud.Reason, actor string) error
}

// Inquiry is what investigates; [inquiry.Inquiry] is one.
type Inquiry interface {
	Timeline(ctx context.Context, id string) (*inquiry.Timeline, error)
	Ask(ctx context.Context, id, actor string) error
}

// Pages are the console's pages of fraud. Safe for concurrent use.
type Pages struct {
	Desk    Desk
	Inquiry Inquiry
	// Runs are the plans that were applied for an alert; nil: there is no containment.
	Runs func(ctx context.Context, alert string) ([]contain.Status, error)
	// Approve is a second person's yes to a run.
	Approve func(ctx context.Context, run, actor string) error
	// Report makes the report of an alert for somebody, as one HTML file, and records that it was
	// handed out.
	Report func(ctx context.Context, alert, audience, actor string) ([]byte, error)
	Now    func() time.Time

	one screen.Screen
}

// Bounds of what people type.
const (
	maxNote = 2000
	maxName = 120
)

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	alert := screen.Field{Name: "alert", Label: "Alert", Kind: "hidden", Required: true, Max: 200}
	take := screen.Act{Name: "take", Title: "Take it", About: "Says that you have the alert: nobody else is called.", Do: screen.DoAlerts,
		Form: []screen.Field{alert}, Handle: p.take}
	p.one = screen.Screen{
		Name: "fraud/case", Title: "Alert", Icon: "fraud", See: screen.SeeAlerts, Over: screen.OfHouse,
		About: "One alert about Azure fraud: its clock, what is known, what speaks for fraud and what against, and what can be done.",
		Params: []screen.Param{{Name: "alert", About: "The alert's id, or a beginning of it that no other has."},
			{Name: "for", About: "Whom a report is for.", Enum: inquiry.Audiences()}},
		List: rowList, Load: p.loadCase,
		Acts: []screen.Act{take,
			{Name: "hand", Title: "Hand over", About: "Gives the alert to somebody else, or, with nobody named, to nobody.", Do: screen.DoAlerts,
				Form: []screen.Field{alert, {Name: "to", Label: "To whom", Kind: "text", Max: maxName}}, Handle: p.hand},
			{Name: "note", Title: "Note it", About: "Whoever is next reads this. It stays in the house.", Do: screen.DoAlerts,
				Form: []screen.Field{alert, {Name: "text", Label: "What is to be known", Kind: "area", Required: true, Max: maxNote}}, Handle: p.note},
			{Name: "inquire", Title: "Read everything anew", About: "Reads now what the alert is about, whether it was read since or not.", Do: screen.DoAlerts,
				Form: []screen.Field{alert}, Handle: p.inquire},
			{Name: "answer", Title: "Answer Microsoft", About: "Sends exactly this answer for this one alert, once. It records a word, and stops nothing.",
				Do: screen.DoAlerts, Form: []screen.Field{alert, {Name: "reason", Label: "What it was", Kind: "select", Required: true, Enum: reasons()}}, Handle: p.answer},
			{Name: "approve", Title: "Approve the containment", Do: screen.Approve, Handle: p.approve,
				About: "Says yes to exactly the steps of the plan that another person applied. From then on they are done.",
				Form:  []screen.Field{alert, {Name: "run", Label: "Plan", Kind: "hidden", Required: true, Max: 100}}},
		},
		Files: []screen.File{{Name: "picture", About: "The timeline as a picture that stands alone.", Load: p.picture},
			{Name: "report", About: "The report for whom the address says: customer, insurer or police.", Load: p.report}},
	}
	return []screen.Screen{{
		Name: "fraud", Title: "Fraud", Icon: "fraud", Group: screen.Posture, Order: 16, See: screen.SeeAlerts, Over: screen.OfHouse,
		About: "Azure fraud alerts at your customers. The duty is an average of 24 hours over 30 days; the guidance is one hour.",
		List:  lineList, Load: p.load, Acts: []screen.Act{take}, Needs: p.needs, Find: p.find,
	}, p.one}
}

func reasons() (out []string) {
	for _, r := range fraud.Reasons() {
		out = append(out, string(r))
	}
	return out
}

// CasePath is the page of an alert.
func CasePath(alert string) string { return screen.With("/fraud/case", "alert", alert) }

// of finds a case that the viewer may know of. Whose it is not is as good as none.
func (p *Pages) of(ctx context.Context, v *screen.Viewer, id string) (*desk.Case, error) {
	if id == "" {
		return nil, problem.New(problem.Usage, "the address names no alert").WithHint("the list of alerts leads to each")
	}
	c, err := p.Desk.Get(ctx, id)
	if err == nil && v.Sees(c.Customer) {
		return c, nil
	}
	// Whoever is limited is not told whether it is there, or how many begin so.
	if err != nil && (v.Customers == nil || !errors.Is(err, problem.NotFound) && !errors.Is(err, problem.Usage)) {
		return nil, err
	}
	return nil, problem.New(problem.NotFound, "there is no such alert here").WithHint("the list of alerts names those that you may see")
}

func (p *Pages) take(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	if _, err = p.Desk.Assign(ctx, c.ID, print.Clean(a.Viewer.Name, maxName), a.Viewer.Actor); err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: CasePath(c.ID), Said: "You have it."}, nil
}

func (p *Pages) hand(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	to := strings.TrimSpace(form.Get("to"))
	if _, err = p.Desk.Assign(ctx, c.ID, to, a.Viewer.Actor); err != nil {
		return screen.Done{}, err
	}
	said := "Nobody has it now."
	if to != "" {
		said = "It was handed over."
	}
	return screen.Done{Path: CasePath(c.ID), Said: said}, nil
}

func (p *Pages) note(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	_, err = p.Desk.Note(ctx, c.ID, form.Get("text"), a.Viewer.Actor)
	return screen.Done{Path: CasePath(c.ID), Said: "Noted."}, err
}

func (p *Pages) inquire(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	if err := p.Inquiry.Ask(ctx, c.ID, a.Viewer.Actor); err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: CasePath(c.ID), Said: "It is read now; the page shows it when it is there."}, nil
}

func (p *Pages) answer(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	if err := p.Desk.Answer(ctx, c.ID, fraud.Reason(form.Get("reason")), a.Viewer.Actor); err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: CasePath(c.ID), Said: "The answer is queued; it is sent once, as soon as Microsoft's API is there."}, nil
}

func (p *Pages) approve(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	c, err := p.of(ctx, a.Viewer, form.Get("alert"))
	if err != nil {
		return screen.Done{}, err
	}
	if p.Runs == nil || p.Approve == nil {
		return screen.Done{}, problem.New(problem.Unavailable, "there is no containment here")
	}
	runs, err := p.Runs(ctx, c.ID)
	if err != nil {
		return screen.Done{}, err
	}
	for i := range runs {
		if runs[i].ID == form.Get("run") { // of this alert, and no other
			if err := p.Approve(ctx, runs[i].ID, a.Viewer.Actor); err != nil {
				return screen.Done{}, err
			}
			return screen.Done{Path: CasePath(c.ID), Said: "Approved: it is done from now on."}, nil
		}
	}
	return screen.Done{}, problem.New(problem.NotFound, "no such plan was applied for this alert")
}

// picture is the timeline as a file.
func (p *Pages) picture(ctx context.Context, a *screen.Ask) (*screen.Download, error) {
	c, err := p.of(ctx, a.Viewer, a.Values.Get("alert"))
	if err != nil {
		return nil, err
	}
	t, err := p.Inquiry.Timeline(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.Draw(false).SVG(&b); err != nil {
		return nil, err
	}
	return &screen.Download{Name: "timeline.svg", Type: "image/svg+xml", Body: []byte(b.String())}, nil
}

func (p *Pages) report(ctx context.Context, a *screen.Ask) (*screen.Download, error) {
	c, err := p.of(ctx, a.Viewer, a.Values.Get("alert"))
	if err != nil {
		return nil, err
	}
	who := a.Values.Get("for")
	if who == "" {
		who = inquiry.ForCustomer
	}
	if p.Report == nil {
		return nil, problem.New(problem.Unavailable, "no reports are made here")
	}
	body, err := p.Report(ctx, c.ID, who, a.Viewer.Actor)
	if err != nil {
		return nil, err
	}
	return &screen.Download{Name: "fraud-report-" + who + ".html", Type: "text/html; charset=utf-8", Body: body}, nil
}
