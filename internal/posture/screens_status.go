package posture

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/snapshot"
)

// statusDays are the days of a requirement's bars.
const statusDays = 30

// StatusRow is a requirement as the page lists it.
type StatusRow struct {
	Requirement
	Since    time.Time `json:"since"`   // its verdict is what it is since then
	Changed  bool      `json:"changed"` // it turned within a day
	Days     []string  `json:"days"`    // its verdict at the end of each of the last 30 days; "" where nothing was judged
	Detail   *Detail   `json:"detail,omitempty"`
	Excepted *Excuse   `json:"excepted,omitempty"`
	Lacking  []List    `json:"lacking,omitempty"` // lists that it needs and that were not read whole

	first  time.Time
	tenant string
	day    string // the day of the past that is shown
	causes []Fix
}

// statusOf is everything that the page shows of a moment.
type statusOf struct {
	tenant screen.Tenant
	at     time.Time // the moment asked for
	mark   Mark
	rows   []StatusRow
	part   *StatusPart // nil: of the past, or never made
	since  *Changes
	past   bool
}

func (s *Store) statusScreen() screen.Screen {
	list := statusList()
	return screen.Screen{
		Name: "status", Title: "Status", Icon: "status", Group: screen.Posture, Order: 10, See: screen.SeePosture, Over: screen.OfPartner, List: list,
		About:  "Each requirement with its verdict, why, since when, and what to do first.",
		Params: []screen.Param{{Name: "at", About: "a day of the past, such as 2026-11-20: how things stood at its end"}},
		Load: func(ctx context.Context, a *screen.Ask) (*screen.View, error) {
			return s.loadStatus(ctx, a, list)
		},
		Needs: s.statusNeeds,
	}
}

// statusNeeds counts the mandatory requirements that are not met, over what is kept.
func (s *Store) statusNeeds(ctx context.Context, v *screen.Viewer) (n int) {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return 0
	}
	for _, t := range tenants {
		if !v.Sees(t) {
			continue
		}
		rows, err := s.factsNow(ctx, t, ofRequirement)
		if err != nil {
			return 0
		}
		for i := range rows {
			var r Requirement
			if json.Unmarshal([]byte(rows[i].body), &r) == nil && r.binds() && r.Verdict == NotMet {
				n++
			}
		}
	}
	return n
}

// binds reports a requirement that is mandatory and stands.
func (r *Requirement) binds() bool {
	return r.Level == "mandatory" && (r.Binding == "contract" || r.Binding == "enforced")
}

// asked is the moment a page is about: now, or the end of a day.
func asked(a *screen.Ask) (at time.Time, past bool, err error) {
	v := a.Values.Get("at")
	if v == "" {
		return a.Now, false, nil
	}
	d, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return a.Now, false, problem.New(problem.Usage, "at is %.40q, and has to be a day like 2026-11-20", v)
	}
	end := d.Add(24*time.Hour - time.Microsecond)
	switch {
	case d.After(a.Now):
		return a.Now, false, problem.New(problem.Usage, "at %s is ahead: nothing was judged then", v)
	case end.After(a.Now):
		return a.Now, false, nil
	}
	return end, true, nil
}

func (s *Store) loadStatus(ctx context.Context, a *screen.Ask, list *screen.List[StatusRow]) (*screen.View, error) {
	at, past, err := asked(a)
	if err != nil {
		return nil, err
	}
	o, err := s.statusAt(ctx, a.Tenant, at, past)
	if errors.Is(err, problem.NotFound) {
		n := &screen.Nothing{Head: "Nothing was judged yet", Text: "The first round of collecting reads the tenant and judges it.",
			LinkText: "Collection", Path: "/collection", Command: "partnerguard collect --now"}
		if past {
			n = &screen.Nothing{Head: "Nothing was judged by " + day(at), Text: "What is kept begins later.", LinkText: "Today", Path: "/status"}
		}
		return &screen.View{Missing: true, Nothing: n, Rows: list.Of(nil), Sentence: "Nothing is known of that time."}, nil
	}
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: list.Of(o.rows), Summary: o.summary(), Sentence: o.sentence(a.Now), Facts: o.facts()}
	if a.Machine {
		return v, nil
	}
	v.Notices = o.notices()
	v.Actions = o.actions(a)
	deadlines := []screen.Item(nil)
	if s.d.Deadlines != nil && !past {
		deadlines = s.d.Deadlines(ctx, a.Viewer)
	}
	v.Above = o.above(deadlines, s.d.Deadlines != nil)
	v.Below = []screen.Block{screen.Para{Class: "note",
		Text: "Bars: tall is not met, half is unknown, low is met or attested, hatched was not judged. Unknown never counts as met."}}
	return v, nil
}

// statusAt gathers the page of a moment. Kind NotFound where nothing was judged by then.
func (s *Store) statusAt(ctx context.Context, tenant screen.Tenant, at time.Time, past bool) (*statusOf, error) {
	id := strings.ToLower(tenant.ID)
	rounds, err := s.rounds(ctx, id)
	if err != nil {
		return nil, err
	}
	o := &statusOf{tenant: tenant, at: at, past: past}
	for i := range rounds {
		if !rounds[i].AsOf.After(at) {
			o.mark = rounds[i]
		}
	}
	if o.mark.Round == 0 {
		return nil, problem.New(problem.NotFound, "nothing was judged by %s", at.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if !past && s.d.Snapshot != nil {
		o.part, _, err = snapshot.Get[StatusPart](ctx, s.d.Snapshot, id, StatusPartName)
		if err != nil && !errors.Is(err, problem.NotFound) {
			s.d.Log.WarnContext(ctx, "what the page Status shows cannot be read", "tenant", id, "error", err)
		}
	}
	switch {
	case past:
		o.since, err = s.Between(ctx, id, at.Add(-24*time.Hour), at)
	case o.part != nil && o.part.Back != nil:
		o.since, err = o.part.Back.Since, nil
	default:
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return o, s.statusRows(ctx, id, rounds, o)
}

// statusRows are the requirements as of the moment, the worst first.
func (s *Store) statusRows(ctx context.Context, id string, rounds []Mark, o *statusOf) error {
	days := daysOf(rounds, o.at, statusDays)
	facts, err := s.factsOf(ctx, id, ofRequirement, "") // all: a verdict may stand for long
	if err != nil {
		return err
	}
	lists, err := s.listsAt(ctx, id, o.mark.Round)
	if err != nil {
		return err
	}
	excepted, err := s.InForce(ctx)
	if err != nil {
		excepted = nil // then nothing is shown as left out
	}
	at := map[int64]time.Time{}
	for i := range rounds {
		at[rounds[i].Round] = rounds[i].AsOf
	}
	byID := requirementDays(days, facts)
	begin := o.at.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-statusDays)
	for i := range facts {
		if !facts[i].holds(o.mark.Round) {
			continue
		}
		r := StatusRow{first: begin, tenant: o.tenant.ID, day: o.day()}
		if err := json.Unmarshal([]byte(facts[i].body), &r.Requirement); err != nil {
			return problem.Wrap(err, problem.BadInput, "what is kept of a requirement is damaged").
				WithHint("something else wrote into the database; partnerguard rejudge makes it anew from the archive")
		}
		r.Days, r.Since = byID[r.ID], at[sinceRound(facts, i, r.Verdict)]
		r.Changed = o.turned(r.ID)
		for _, k := range r.Kinds {
			if l, has := lists[k]; has && l.State != ListWhole {
				r.Lacking = append(r.Lacking, l)
			}
		}
		if !o.past {
			for k := range excepted {
				if x := &excepted[k]; x.Covers(r.ID, "", "") {
					r.Excepted = x.excuse()
				}
			}
		}
		if o.part != nil {
			o.part.fill(&r)
		}
		o.rows = append(o.rows, r)
	}
	slices.SortStableFunc(o.rows, func(a, b StatusRow) int { return cmp.Or(a.weight()-b.weight(), strings.Compare(a.Title, b.Title)) })
	return nil
}

// sinceRound is the round with which a verdict began: rows of one requirement follow each
// other where something besides the verdict changed.
func sinceRound(facts []fact, i int, verdict string) int64 {
	since := facts[i].since
	for k := i - 1; k >= 0 && facts[k].subject == facts[i].subject && facts[k].till == since; k-- {
		var r Requirement
		if json.Unmarshal([]byte(facts[k].body), &r) != nil || r.Verdict != verdict {
			break
		}
		since = facts[k].since
	}
	return since
}

func (s *Store) listsAt(ctx context.Context, tenant string, round int64) (map[string]List, error) {
	rows, err := s.factsSince(ctx, tenant, ofList, round)
	out := map[string]List{}
	for i := range rows {
		var l List
		if rows[i].holds(round) && json.Unmarshal([]byte(rows[i].body), &l) == nil {
			out[l.Kind] = l
		}
	}
	return out, err
}

// fill adds what decided a requirement, and the causes that would close it.
func (p *StatusPart) fill(r *StatusRow) {
	for i := range p.Details {
		if p.Details[i].ID == r.ID {
			r.Detail = &p.Details[i]
		}
	}
	for i := range p.Causes {
		if slices.Contains(p.Causes[i].Requirements, r.ID) && p.Causes[i].Kind != "requirement" {
			r.causes = append(r.causes, p.Causes[i])
		}
	}
}

// weight orders requirements: the mandatory ones first, then the worst.
func (r *StatusRow) weight() int {
	w := 10 * slices.Index(verdictOrder, r.Verdict)
	if r.Level != "mandatory" {
		w += 100
	}
	return w
}

// day is what the address says of a day of the past; "" of today.
func (o *statusOf) day() string {
	if !o.past {
		return ""
	}
	return o.at.UTC().Format(time.DateOnly)
}

func (o *statusOf) turned(id string) bool {
	return o.since != nil && slices.ContainsFunc(o.since.Turned, func(t Turned) bool { return t.ID == id })
}

// summary are the answer's numbers, for the API.
func (o *statusOf) summary() any {
	out := struct {
		AsOf      time.Time      `json:"asOf"`
		Mandatory map[string]int `json:"mandatory"` // binding requirements by verdict
		Score     *Score         `json:"microsoftScore,omitempty"`
		Causes    []Fix          `json:"causes,omitempty"`
		Since     *Changes       `json:"since,omitempty"`
		Days      []AccountDay   `json:"days,omitempty"`
	}{AsOf: o.mark.AsOf, Mandatory: o.mandatory(), Since: o.since}
	if o.part != nil {
		out.Score, out.Causes = &o.part.Score, o.part.Causes
		if o.part.Back != nil {
			out.Days = o.part.Back.Days
		}
	}
	return out
}

// mandatory are the mandatory requirements by verdict.
func (o *statusOf) mandatory() map[string]int {
	out := map[string]int{}
	for i := range o.rows {
		if o.rows[i].Level == "mandatory" {
			out[o.rows[i].Verdict]++
		}
	}
	return out
}

func (o *statusOf) sentence(now time.Time) string {
	at := later(o.mark.LastOf, o.mark.AsOf).UTC()
	when := at.Format("on 2 January 2006 at 15:04 UTC")
	if at.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		when = at.Format("today at 15:04 UTC")
	}
	if o.past {
		when = "as of the end of " + day(o.at)
	}
	return fmt.Sprintf("Judged %s by the rule book of %s", when, o.mark.Book)
}

// facts are what the page rests on.
func (o *statusOf) facts() (out []screen.Fact) {
	if o.part == nil {
		return []screen.Fact{{What: "Judged", At: later(o.mark.LastOf, o.mark.AsOf), Rests: true}}
	}
	for _, f := range o.part.Facts {
		out = append(out, screen.Fact{What: f.What, At: f.At, Allows: time.Duration(f.Hours) * time.Hour, Gaps: f.Gaps, Source: f.Source, Rests: true})
	}
	return out
}

func (o *statusOf) notices() (out []screen.Notice) {
	switch {
	case o.past:
		out = append(out, screen.Notice{Tone: print.Vouched, Lead: "A day of the past.", Text: "This is how things stood at the end of " + day(o.at) +
			", as it was judged then. What to do and what decided it is kept of today alone.", LinkText: "Today", Path: "/status"})
	case o.part == nil:
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Causes and evidence are not here yet.",
			Text:     "The next judgement writes them; verdicts are whole.",
			LinkText: "Collection", Path: "/collection"})
	case !o.part.Complete && len(o.part.Incomplete) > 0:
		n := screen.Notice{Tone: print.Doubt, Lead: "Not everything was read.", Text: print.Ended(o.part.Incomplete[0]), LinkText: "Collection",
			Path: "/collection"}
		if more := len(o.part.Incomplete) - 1; more > 0 {
			n.Text += " " + amount(more, "One more thing is missing.", "%d more things are missing.")
		}
		out = append(out, n)
	}
	return out
}

func (o *statusOf) actions(a *screen.Ask) (out []screen.Action) {
	if o.past {
		return nil
	}
	out = append(out, screen.Action{Text: "Yesterday", Path: screen.With("/status", "at", a.Now.AddDate(0, 0, -1).UTC().Format(time.DateOnly))})
	if o.part == nil {
		return out
	}
	for i := range o.part.Causes {
		if c := &o.part.Causes[i]; len(c.Changes) > 0 {
			return append(out, screen.Action{Text: "Rehearse a fix", Icon: "play", Path: c.rehearse(), Primary: true})
		}
	}
	return out
}

// rehearse is where a change is tried on the log of the past.
func (c *Fix) rehearse() string {
	if len(c.Changes) == 0 {
		return ""
	}
	return screen.With("/coverage/rehearse", "change", strings.Join(c.Changes, ","))
}

// command is the same at a terminal.
func (c *Fix) command(tenant string) string {
	if len(c.Changes) == 0 {
		return ""
	}
	return "partnerguard rehearse --from archive:" + tenant + " --change " + strings.Join(c.Changes, " --change ")
}
