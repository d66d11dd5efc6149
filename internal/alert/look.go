package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// heard is what one source said in this look.
type heard struct {
	source string
	list   []Finding
	whole  bool
}

const keepFor = 400 * 24 * time.Hour // alerts that are resolved

// Look holds what is wrong now against the open alerts, and queues and hands out what is
// to be told. Sources are asked first; then one transaction has all that follows, so
// whoever dies in between has told nothing by half.
func (s *Store) Look(ctx context.Context) error {
	if s.d.Marks == nil {
		return problem.New(problem.Internal, "alerts are looked for with the vault open, and it is not")
	}
	said, missing := s.hear(ctx)
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		opened, err := s.alerts(ctx, open, time.Time{}, 0)
		if err != nil {
			return err
		}
		if err := s.dress(ctx, opened); err != nil {
			return err
		}
		for i := range said {
			if opened, err = s.hold(ctx, opened, &said[i]); err != nil {
				return fmt.Errorf("alerts of the %s: %w", said[i].source, err)
			}
		}
		for i := range opened {
			if err := s.remind(ctx, &opened[i]); err != nil {
				return err
			}
		}
		if err := s.catchUp(ctx, opened); err != nil {
			return err
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		return s.forgetBefore(ctx, s.now().Add(-keepFor))
	})
	return errors.Join(err, missing)
}

// hear asks every source. What one cannot say is told after the others were heard.
func (s *Store) hear(ctx context.Context) (out []heard, missing error) {
	sources := slices.Clone(s.d.Sources)
	if s.d.Posture != nil {
		sources = append(sources, NamedSource{"judgements", s.judged})
	}
	for _, d := range s.d.Dates {
		sources = append(sources, NamedSource{"dates of " + d.Name, func(ctx context.Context) ([]Finding, bool, error) {
			list, err := d.Get(ctx)
			return endings(list, s.now()), err == nil, err
		}})
	}
	sources = append(sources, NamedSource{"channels", s.stuck})
	for _, src := range sources {
		list, whole, err := src.Get(ctx)
		if err != nil {
			whole = false
			missing = errors.Join(missing, fmt.Errorf("alerts of the %s: %w", src.Name, err))
		}
		out = append(out, heard{src.Name, list, whole})
	}
	return out, missing
}

// maxOpen bounds the alerts of one source: what is more is one alert that says so.
const maxOpen = 500

// hold opens, changes and resolves the alerts of a source, and gives those that are open
// then.
func (s *Store) hold(ctx context.Context, opened []Alert, h *heard) ([]Alert, error) {
	seen := map[string]bool{}
	at := map[string]int{}
	for i := range opened {
		at[opened[i].Key] = i
	}
	for _, f := range bounded(h, opened) {
		if f = f.clean(); seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		n, has := at[f.Key]
		if !has {
			a := Alert{ID: token.ID("a"), Source: h.source, Finding: f, State: open, Opened: s.now(), Changed: s.now()}
			if err := s.begin(ctx, &a); err != nil {
				return nil, err
			}
			opened = append(opened, a)
			continue
		}
		if err := s.change(ctx, &opened[n], f); err != nil {
			return nil, err
		}
	}
	var left []Alert
	for i := range opened {
		a := &opened[i]
		if a.Source != h.source || seen[a.Key] || !h.whole {
			left = append(left, *a)
			continue
		}
		a.State, a.Resolved, a.Changed = resolved, s.now(), s.now()
		if err := s.updateAlert(ctx, a); err != nil {
			return nil, err
		}
		if err := s.note(ctx, a.ID, "resolved", "", ""); err != nil {
			return nil, err
		}
		if err := s.tell(ctx, a, whatResolved); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// bounded are what a source found, in its order: all that is open already, so that what
// still is wrong is never taken for resolved, and of what is new as many as there is room
// for. What is left out is one finding that says so.
func bounded(h *heard, opened []Alert) []Finding {
	is, room := map[string]bool{}, maxOpen
	for i := range opened {
		if opened[i].Source == h.source {
			is[opened[i].Key] = true
			room--
		}
	}
	var list []Finding
	more := Finding{Key: "more:" + h.source, Severity: notify.Notice, Fix: "mend what they have in common: they are opened as others are resolved"}
	known := map[string]bool{}
	for i := range h.list {
		f := &h.list[i]
		switch {
		case known[f.Key]:
		case is[f.Key] || room > 0:
			if list = append(list, *f); !is[f.Key] {
				room--
			}
		default:
			if more.Count++; more.Kind == "" || f.Severity.Rank() < more.Severity.Rank() {
				more.Kind, more.Severity, more.Path = f.Kind, f.Severity, f.Path
			}
			if len(more.Subjects) < MaxSubjects {
				more.Subjects = append(more.Subjects, f.Title)
			}
		}
		known[f.Key] = true
	}
	if more.Count > 0 {
		more.Unit, more.Title = "more", fmt.Sprintf("More is wrong than is listed apart: %s", h.source)
		more.Cause = fmt.Sprintf("%d at a time are listed apart.", maxOpen)
		list = append(list, more)
	}
	return list
}

// clean bounds what a finding keeps.
func (f Finding) clean() Finding {
	f.Title, f.Cause = notify.Plain(f.Title, 200), notify.Plain(f.Cause, 600)
	f.Fix, f.Command, f.Unit = notify.Plain(f.Fix, 300), notify.Plain(f.Command, 200), notify.Plain(f.Unit, 40)
	f.Subjects = slices.Clone(f.Subjects[:min(len(f.Subjects), MaxSubjects)])
	for i := range f.Subjects {
		f.Subjects[i] = notify.Plain(f.Subjects[i], 120)
	}
	f.Since, f.Due = f.Since.UTC().Truncate(time.Second), f.Due.UTC().Truncate(time.Second)
	return f
}

func (s *Store) begin(ctx context.Context, a *Alert) error {
	fresh, err := s.insertAlert(ctx, a)
	if err != nil || !fresh { // another process was faster, and tells it
		return err
	}
	if err := s.note(ctx, a.ID, "opened", "", a.counted()); err != nil {
		return err
	}
	return s.tell(ctx, a, whatOpened)
}

// change takes what a source says of an open alert now. A worse turn ends a snooze, and
// is told; what eased, or is only said otherwise, is kept.
func (s *Store) change(ctx context.Context, a *Alert, f Finding) error {
	if same(&a.Finding, &f) {
		return nil
	}
	grave := f.Severity.Rank() < a.Severity.Rank()
	bare := a.Excepted != "" && f.Excepted == "" // an exception that left it out is over
	nearer := f.Stage > 0 && a.Stage > f.Stage
	worse := grave || bare || nearer || f.Count > a.Count
	before := a.counted()
	a.Finding, a.Changed = f, s.now()
	if worse {
		if err := s.wake(ctx, a, grave); err != nil {
			return err
		}
	}
	if err := s.updateAlert(ctx, a); err != nil {
		return err
	}
	if now := a.counted(); worse || now != before {
		what := "eased"
		if worse {
			what = "worse"
		}
		if err := s.note(ctx, a.ID, what, "", now); err != nil {
			return err
		}
	}
	switch {
	case !worse:
		return nil
	case a.Told.IsZero():
		return s.tell(ctx, a, whatOpened)
	}
	return s.tell(ctx, a, whatWorse)
}

func same(a, b *Finding) bool {
	x, y := *a, *b
	x.Subjects, y.Subjects = nil, nil
	if len(x.Title) != len(y.Title) || !slices.Equal(a.Subjects, b.Subjects) || !x.Since.Equal(y.Since) || !x.Due.Equal(y.Due) {
		return false
	}
	x.Since, y.Since, x.Due, y.Due = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y)
}

// wake ends the snooze of an alert that turned worse, and, where it is graver now, the
// acknowledgement too.
func (s *Store) wake(ctx context.Context, a *Alert, grave bool) error {
	if a.Until.IsZero() && (!grave || a.Acked.IsZero()) || s.d.Marks == nil {
		return nil
	}
	x, err := s.actOf(ctx, a.ID)
	if err != nil {
		return err
	}
	x.until, x.snoozer, x.why = time.Time{}, "", ""
	a.Until, a.Snoozer, a.Why = time.Time{}, "", ""
	if grave {
		x.acked, x.acker = time.Time{}, ""
		a.Acked, a.AckedBy = time.Time{}, ""
	}
	if err := s.putAct(ctx, &x); err != nil {
		return err
	}
	return s.note(ctx, a.ID, "woken", "", "it turned worse")
}

// counted is an alert's count in words.
func (a *Alert) counted() string {
	if a.Count == 0 {
		return a.Title
	}
	return a.Title + " (" + a.Affected() + ")"
}

// Affected is how many are hit, in words; "" where nothing is counted.
func (f *Finding) Affected() string {
	switch {
	case f.Count == 0:
		return ""
	case f.Of > 0:
		return fmt.Sprintf("%s of %s %s", print.Number(int64(f.Count)), print.Number(int64(f.Of)), f.Unit)
	}
	return print.Number(int64(f.Count)) + " " + f.unit()
}

// unit is of one where one is hit, and nobody says of how many.
func (f *Finding) unit() string {
	switch {
	case f.Count != 1 || f.Of > 0:
		return f.Unit
	case strings.HasSuffix(f.Unit, "ies"):
		return strings.TrimSuffix(f.Unit, "ies") + "y"
	}
	return strings.TrimSuffix(f.Unit, "s")
}

// catchUp tells of open alerts that nobody was told and that wait for nobody: they were
// opened when no channel was set, or none that a route leads to.
func (s *Store) catchUp(ctx context.Context, opened []Alert) error {
	list, err := s.queue(ctx)
	if err != nil {
		return err
	}
	waits := map[string]bool{}
	for i := range list {
		waits[list[i].alert] = true
	}
	for i := range opened {
		if a := &opened[i]; a.Open() && a.Told.IsZero() && !waits[a.ID] {
			if err := s.tell(ctx, a, whatOpened); err != nil {
				return err
			}
		}
	}
	return nil
}

// remind tells again of an alert whose snooze is over, and escalates one that nobody
// acknowledged.
func (s *Store) remind(ctx context.Context, a *Alert) error {
	now := s.now()
	if !a.Until.IsZero() && !a.Until.After(now) && s.d.Marks != nil {
		x, err := s.actOf(ctx, a.ID)
		if err != nil {
			return err
		}
		x.until, x.snoozer, x.why = time.Time{}, "", ""
		if err := s.putAct(ctx, &x); err != nil {
			return err
		}
		a.Until = time.Time{}
		if err := s.note(ctx, a.ID, "woken", "", "the snooze is over"); err != nil {
			return err
		}
		what := whatAgain
		if a.Told.IsZero() {
			what = whatOpened
		}
		if err := s.tell(ctx, a, what); err != nil {
			return err
		}
	}
	if !a.Acked.IsZero() || a.Told.IsZero() || a.Silent(now) != "" {
		return nil
	}
	moved := false
	for _, r := range s.routes() {
		if len(r.Escalate) == 0 || !r.fits(a) {
			continue
		}
		for i, name := range r.Escalate {
			if now.Sub(a.Told) < r.After*time.Duration(i+1) || slices.Contains(a.steps.Up, name) || s.itself(a, name) {
				continue
			}
			a.steps.Up, moved = append(a.steps.Up, name), true
			if err := s.enqueue(ctx, a, name, whatEscalated, now, false); err != nil {
				return err
			}
			if err := s.note(ctx, a.ID, "escalated", "", "to "+name); err != nil {
				return err
			}
		}
	}
	if !moved {
		return nil
	}
	return s.updateAlert(ctx, a)
}

// stuck are the channels over which messages were given up.
func (s *Store) stuck(ctx context.Context) (out []Finding, whole bool, err error) {
	list, err := s.d.Out.Channels(ctx)
	for i := range list {
		c := &list[i]
		if c.Dead == 0 {
			continue
		}
		f := Finding{Key: "channel:" + c.Name, Kind: Channel, Severity: notify.Warning, Title: "Messages to the channel " + c.Name + " were given up",
			Count: c.Dead, Unit: "messages", Subjects: []string{c.Name}, Command: "partnerguard notify revive --channel " + c.Name, Path: "/alerts"}
		if c.Last != nil {
			f.Cause, f.Fix = c.Last.Words, c.Last.Fix
		}
		out = append(out, f)
	}
	return out, err == nil, err
}
