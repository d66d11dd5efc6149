package gate

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
)

// maxBreaks bounds the consequences that are named one by one.
const maxBreaks = 1000

// freshLog is how old the newest sign-in may be, and longLog how long a log should be,
// before it is told.
const (
	freshLog = 7 * 24 * time.Hour
	longLog  = 14 * 24 * time.Hour
)

// rehearse replays recorded sign-ins through the settings at the end of the stage.
func (l *look) rehearse() {
	if !l.affects {
		return
	}
	if l.History == nil {
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: "no sign-in was read: who would break is not known",
			Settles: evidence.RequestFor(evidence.SignIn)}, "no-log")
		return
	}
	history := l.History.Under(l.first, l.last)
	r := rehearse.Rehearse(rehearse.Input{Today: l.first, Then: l.last, History: history, Accounts: l.Accounts, Bare: true})
	l.log(r, history)
	today := l.brokenToday(r)
	named := map[string]bool{}
	n, more := 0, int64(0)
	var unknown, undecided counted
	for i := range r.Groups {
		g := &r.Groups[i]
		switch {
		case g.Effect.Breaks() && today[placeOf(g)] >= g.Rows: // not by this plan
		case g.Effect.Breaks():
			named[g.ID] = true
			l.gate.Log.Breaks += g.Rows
			if n++; n > maxBreaks {
				more += g.Rows
				continue
			}
			l.add(broken(g), strings.ToLower(g.App+"\x00"+g.Client))
		case g.Effect == rehearse.Opened && !l.open[g.ID]:
			l.open[g.ID] = true
			l.add(remedy.Finding{Kind: remedy.Opens, Subject: g.Account, SubjectID: g.ID, SignIns: g.Rows, Witness: seen(g),
				Text: g.Account + " signed in to " + g.App + " by " + g.Client + ": " + g.Reason}, "open")
		case g.Effect == rehearse.ChallengedUnknown:
			unknown.see(g)
		case g.Effect == rehearse.UndecidedThen && !strings.HasSuffix(g.Reason, "today as then"):
			undecided.see(g)
		}
	}
	if n > maxBreaks {
		l.add(remedy.Finding{Kind: remedy.Breaks, SignIns: more, WaysOut: []string{"begin with a smaller share of the accounts"},
			Text: fmt.Sprintf("%d more accounts and apps would break than are named one by one", n-maxBreaks)}, "more")
	}
	if unknown.accounts != nil {
		l.add(remedy.Finding{Kind: remedy.Unknown, SignIns: unknown.rows, Settles: evidence.RequestFor(evidence.RegistrationDetails),
			Text: fmt.Sprintf("whether %s can answer is not known: %s", unknown.words(), unknown.reason)}, "methods")
	}
	if undecided.accounts != nil {
		f := remedy.Finding{Kind: remedy.Unknown, SignIns: undecided.rows,
			Text: fmt.Sprintf("whether %s would still get in is not known: %s", undecided.words(), undecided.reason)}
		q, _ := access.FindQuestion(always[0])
		if p, err := l.last.Prove(q); err == nil {
			f.Settles = first(p.Missing)
		}
		l.add(f, "undecided")
	}
	l.silent(named)
}

// place is an account with an app and a client.
type place struct{ account, app, client string }

func placeOf(g *rehearse.Group) place { return place{g.ID, g.App, g.Client} }

// brokenToday counts the recorded sign-ins that today's settings would refuse already, as
// those from before a change of them: what a plan breaks is what is new.
func (l *look) brokenToday(r *rehearse.Result) map[place]int64 {
	out, who := map[place]int64{}, map[string]bool{}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.Effect.Breaks() {
			who[g.ID] = true
		}
	}
	if len(who) == 0 {
		return out
	}
	h := l.History.Of(who).Under(l.first, l.first)
	same := rehearse.Rehearse(rehearse.Input{Today: l.first, Then: l.first, History: h, Accounts: l.Accounts, Bare: true})
	for k := range same.Groups {
		if g := &same.Groups[k]; g.Effect.Breaks() {
			out[placeOf(g)] += g.Rows
		}
	}
	return out
}

// counted is how many accounts and sign-ins something concerns.
type counted struct {
	accounts map[string]bool
	rows     int64
	reason   string
	name     string
}

func (c *counted) see(g *rehearse.Group) {
	if c.accounts == nil {
		c.accounts, c.reason, c.name = map[string]bool{}, g.Reason, g.Account
	}
	c.accounts[g.ID] = true
	c.rows += g.Rows
}

func (c *counted) words() string {
	if len(c.accounts) == 1 {
		return c.name
	}
	return fmt.Sprintf("each of %d accounts, %s among them,", len(c.accounts), c.name)
}

// log says what was replayed.
func (l *look) log(r *rehearse.Result, h *rehearse.History) {
	log := &remedy.Log{SignIns: r.Rows}
	if r.Last != nil {
		log.From, log.To = *r.Last, *r.Last
	}
	if at := h.From(); !at.IsZero() && at.Before(log.From) {
		log.From = at.UTC()
	}
	l.gate.Log = log
	switch {
	case r.Rows == 0:
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: "the log that was read holds no sign-in that got in: who would break is not known",
			Settles: evidence.RequestFor(evidence.SignIn)}, "no-log")
	case l.Now.Sub(log.To) > freshLog:
		l.add(remedy.Finding{Kind: remedy.Tells, Text: "the newest sign-in that was read is of " + log.To.Format(time.DateOnly) +
			": whoever began since is not in it"}, "old log")
	case log.To.Sub(log.From) < longLog:
		l.add(remedy.Finding{Kind: remedy.Tells, Text: fmt.Sprintf("the log that was read is of %d days: whoever signs in less often is not in it",
			1+int(log.To.Sub(log.From)/(24*time.Hour)))}, "short log")
	}
}

// broken is who would no longer get in.
func broken(g *rehearse.Group) remedy.Finding {
	f := remedy.Finding{Kind: remedy.Breaks, Subject: g.Account, SubjectID: g.ID, App: g.App, Client: g.Client, SignIns: g.Rows, Witness: seen(g),
		Text: g.Account + " signs in to " + g.App + " by " + g.Client + ": " + g.Reason}
	for _, w := range g.WaysOut {
		f.WaysOut = append(f.WaysOut, w.Text)
	}
	return f
}

// seen says when such a sign-in was last seen.
func seen(g *rehearse.Group) string {
	if g.Last == nil {
		return ""
	}
	return g.Account + " to " + g.App + " by " + g.Client + " on " + g.Last.UTC().Format(time.DateOnly)
}

// silent tells of accounts that the plan newly asks, that have nothing to answer with, and
// that the log does not show.
func (l *look) silent(named map[string]bool) {
	q, _ := access.FindQuestion("mfa-every-user")
	was, err := l.first.Coverage(q)
	is, bad := l.last.Coverage(q)
	if err != nil || bad != nil || len(was) != len(is) {
		return
	}
	var names []string
	for i := range was {
		u := &l.Tenant.Users[i]
		a := l.Accounts[u.ID]
		if was[i] == access.Covered || is[i] != access.Covered || named[u.ID] || a.Registered != rehearse.KnownNo {
			continue
		}
		names = append(names, nameOf(u))
	}
	if len(names) == 0 {
		return
	}
	have, are := "have", "are"
	if len(names) == 1 {
		have, are = "has", "is"
	}
	text := fmt.Sprintf("of those that are asked then, %d %s no method yet and %s not in the log (%s", len(names), have, are,
		strings.Join(names[:min(3, len(names))], ", "))
	if len(names) > 3 {
		text += " and others"
	}
	l.add(remedy.Finding{Kind: remedy.Tells, Text: text + "): whoever signs in by one of them first has to register"}, "silent")
}

// sync refuses what would stop the directory's synchronisation, which cannot answer.
func (l *look) sync() {
	for i := range l.Tenant.Users {
		u := &l.Tenant.Users[i]
		if !l.People[strings.ToLower(u.ID)].Sync && l.Accounts[u.ID].Class != directory.ClassDirectorySync {
			continue
		}
		for _, client := range []string{"native", "browser"} {
			s := access.SignIn{User: i, App: entra.AppAADGraph, Client: client, Platform: "windows"}
			was, is := l.first.Outcome(l.first.Point(&s)), l.last.Outcome(l.last.Point(&s))
			stops := is == access.Blocked || is == access.MFARequired || is == access.Undecided
			if !stops || was != access.MFANotRequired {
				continue
			}
			l.add(remedy.Finding{Kind: remedy.Breaks, Subject: nameOf(u), SubjectID: u.ID, WaysOut: []string{directory.WayLeaveSync.Text},
				Text: nameOf(u) + " synchronises the directory and cannot answer: synchronisation would stop"}, "sync")
			break
		}
	}
}

// Foretold are the effects that the stage's policies are expected to have on recorded
// sign-ins, worst first: what would be seen of policies that only report, as if they were
// on. It is nil where no log was read.
func Foretold(in Input) ([]rehearse.Group, error) {
	if in.History == nil {
		return nil, nil
	}
	moves, err := Expand(in.Plan, in.From, in.Stage, in.Tenant)
	if err != nil {
		return nil, err
	}
	then, err := Over(in.Tenant, moves, -1, in.IDs)
	if err != nil {
		return nil, err
	}
	staged := map[string]bool{}
	for i := range moves {
		if m := &moves[i]; m.phase == phaseStaged && m.Do != remedy.Delete {
			id := m.ID
			if m.Key != "" {
				id = "{" + m.Key + "}"
			}
			staged[strings.ToLower(newWorld(in.Tenant, moves, in.IDs).keys.Replace(id))] = true
		}
	}
	for i, p := range then.Policies {
		if staged[strings.ToLower(p.ID)] && p.ReportOnly() {
			on := *p
			on.State = access.Enabled
			then.Policies[i] = &on
		}
	}
	today, e := access.Compile(in.Tenant), access.Compile(then)
	r := rehearse.Rehearse(rehearse.Input{Today: today, Then: e, History: in.History.Under(today, e), Accounts: in.Accounts, Bare: true})
	return r.Groups, nil
}

// Lens compiles settings that tell apart all that those of today and those of the plan, in
// any stage, tell apart. A history of sign-ins that is read for a gate is taken in through it.
func Lens(t *access.Tenant, p *remedy.Plan) *access.Engine {
	out := *t
	out.Policies = append([]*access.Policy(nil), t.Policies...)
	out.Locations = append([]*access.NamedLocation(nil), t.Locations...)
	fence := &access.Policy{ID: "partnerguard:places", State: access.Disabled}
	cond := access.LocationCondition{}
	for i := range p.Steps {
		s := &p.Steps[i]
		switch s.Kind {
		case remedy.Policy:
			for _, o := range []remedy.Object{s.Before, s.After} {
				if list, err := access.ParsePolicies(o, 1); err == nil {
					off := *list[0]
					off.ID, off.State = fmt.Sprintf("partnerguard:lens-%d", s.N), access.Disabled
					out.Policies = append(out.Policies, &off)
				}
			}
		case remedy.Location:
			w := newWorld(t, nil, nil)
			for _, o := range []remedy.Object{s.Before, s.After} {
				var loc access.NamedLocation
				if len(o) == 0 || w.read(&Move{Of: s.N}, o, &loc) != nil {
					continue
				}
				loc.ID = fmt.Sprintf("partnerguard:lens-%d-%d", s.N, len(out.Locations))
				out.Locations = append(out.Locations, &loc)
				cond.IncludeLocations = append(cond.IncludeLocations, loc.ID)
				if s.Key != "" {
					named := loc
					named.ID = "{" + s.Key + "}"
					out.Locations = append(out.Locations, &named)
				}
			}
		}
	}
	if len(cond.IncludeLocations) > 0 {
		fence.Conditions.Locations.Items = append(fence.Conditions.Locations.Items, cond)
		out.Policies = append(out.Policies, fence)
	}
	return access.Compile(&out)
}
