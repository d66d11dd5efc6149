package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/remedy"
)

// always are the questions that every gate asks.
var always = []string{"mfa-every-sign-in", "legacy-blocked"}

// questionOf are the requirements that a question over all sign-ins decides.
var questionOf = map[string]string{
	"mfa-every-user": "mfa-every-user", "mfa-every-sign-in": "mfa-every-sign-in", "mfa-admin-roles": "mfa-admin-roles",
	"legacy-authentication": "legacy-blocked",
}

// QuestionOf is the question, by its name, that decides whether settings meet a requirement;
// "" for one that no question decides.
func QuestionOf(requirement string) string {
	if q := questionOf[requirement]; q != "" {
		return q
	}
	if _, is := access.FindQuestion(requirement); is {
		return requirement
	}
	return ""
}

// maxOpen bounds the findings of one comparison.
const maxOpen = 20

// prove asks the questions before and after, and what the plan opens.
func (l *look) prove() error {
	l.first = access.Compile(l.Tenant)
	l.last = l.first
	l.open = map[string]bool{}
	if !l.affects {
		l.ask(nil)
		return nil
	}
	staged, err := l.upTo(phaseStaged)
	if err != nil {
		return err
	}
	mid := access.Compile(staged)
	l.last = mid
	from := l.first
	if l.in(phaseFirst) || l.in(phasePlain) || l.in(phaseStaged) {
		l.compare(from, mid, phaseStaged)
		if l.in(phaseStaged) && (l.in(phaseFirst) || l.in(phasePlain)) {
			if err := l.window(); err != nil {
				return err
			}
		}
	}
	if l.in(phaseLate) {
		end, err := l.upTo(phaseLate)
		if err != nil {
			return err
		}
		l.last = access.Compile(end)
		l.compare(mid, l.last, phaseLate)
	}
	l.ask(l.last)
	l.sync()
	return nil
}

// asked are the questions of this plan, by name.
func (l *look) asked() (names []string) {
	for _, id := range l.Plan.Serves {
		if q := QuestionOf(id); q != "" && !slices.Contains(names, q) {
			names = append(names, q)
		}
	}
	for _, q := range always {
		if !slices.Contains(names, q) {
			names = append(names, q)
		}
	}
	return names
}

func (l *look) serves(question string) bool {
	return slices.ContainsFunc(l.Plan.Serves, func(id string) bool { return QuestionOf(id) == question })
}

// compare refuses what is protected before and not after.
func (l *look) compare(before, after *access.Engine, at phase) {
	step := l.only(at)
	for _, name := range l.asked() {
		q, _ := access.FindQuestion(name)
		list, whole, err := access.Opened(before, after, q)
		if err != nil {
			continue // the questions are built in and name no place
		}
		for i := range list {
			if i >= maxOpen {
				l.add(remedy.Finding{Kind: remedy.Opens, Step: step,
					Text: fmt.Sprintf("%d more kinds of sign-ins would be open that are protected today", len(list)-i)}, "more "+name)
				break
			}
			l.opens(after, &list[i], step)
		}
		if !whole {
			l.add(remedy.Finding{Kind: remedy.Unknown, Step: step, Text: "the policies are too entangled to say of every sign-in whether it would be opened"},
				"entangled "+name)
		}
	}
}

// only is the one step that a phase has; 0 where it has several.
func (l *look) only(at phase) (step int) {
	for i := range l.moves {
		m := &l.moves[i]
		switch {
		case !m.Affects() || (at == phaseLate) != (m.phase == phaseLate):
		case step != 0 && step != m.Of:
			return 0
		default:
			step = m.Of
		}
	}
	return step
}

func (l *look) opens(e *access.Engine, o *access.Opening, step int) {
	id := e.SubjectID(o.User)
	name := o.Account
	if o.Accounts > 1 {
		name += fmt.Sprintf(" and %d more", o.Accounts-1)
	}
	l.open[strings.ToLower(id)] = true
	text := name + " could sign in " + Words(e.Tenant(), &o.Witness.SignIn) + " without what is asked for today"
	if o.Was != "" {
		text += ": " + quoted(o.Was) + " takes it now"
	}
	l.add(remedy.Finding{Kind: remedy.Opens, Step: step, Subject: name, SubjectID: id, Text: text, Witness: Words(e.Tenant(), &o.Witness.SignIn),
		WaysOut: []string{"keep what protects it, or put something in its place first"}},
		fmt.Sprintf("open %s %s %s", strings.ToLower(o.Witness.SignIn.App), o.Witness.SignIn.Client, l.extent()))
}

// extent names what a plan changes of who gets in: who accepts that something is opened
// accepts it of these steps, and not of wider ones that have the same witness. The plan's own id, which
// is in names, is left out: a plan that is made anew is the same.
func (l *look) extent() string {
	h := sha256.New()
	for i := range l.Plan.Steps {
		s := &l.Plan.Steps[i]
		if m := (Move{Of: s.N, Step: *s}); m.Affects() {
			fmt.Fprintf(h, "%s %s %s %s\n", s.Kind, s.Do, s.ID, strings.ReplaceAll(string(s.After), l.Plan.ID, ""))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// window tells what is open between the steps of one stage.
func (l *look) window() error {
	t, err := l.upTo(phasePlain)
	if err != nil {
		return err
	}
	q, _ := access.FindQuestion(always[0])
	list, _, err := access.Opened(l.first, access.Compile(t), q)
	n := 0
	for i := range list {
		if !l.open[strings.ToLower(l.first.SubjectID(list[i].User))] {
			n += list[i].Accounts
		}
	}
	if err == nil && n > 0 {
		l.add(remedy.Finding{Kind: remedy.Tells, Text: fmt.Sprintf("until the policies of this stage are on, %d accounts are protected by nothing: "+
			"the steps are done one after the other, without a wait", n)}, "window")
	}
	return nil
}

// ask gives the answers before and after, and refuses what the plan was made for and does
// not do. after is nil where nothing changes.
func (l *look) ask(after *access.Engine) {
	for _, name := range l.asked() {
		q, _ := access.FindQuestion(name)
		was, err := l.first.Prove(q)
		if err != nil {
			continue
		}
		a := remedy.Answer{Question: name, Before: string(was.Verdict), After: string(was.Verdict)}
		is := was
		if after != nil {
			if is, err = after.Prove(q); err != nil {
				continue
			}
			a.After = string(is.Verdict)
			l.count(q, after, &a)
		}
		l.gate.Answers = append(l.gate.Answers, a)
		if l.Stage == remedy.All && l.serves(name) {
			l.met(name, q.Title, is)
		} else if was.Verdict == access.Proved && is.Verdict == access.UnknownProof {
			l.add(remedy.Finding{Kind: remedy.Unknown, Text: q.Title + " It is proved today, and would not be: " + is.Reason, Settles: first(is.Missing)}, name)
		}
	}
}

// count fills in how many accounts a question closes and opens.
func (l *look) count(q access.Question, after *access.Engine, a *remedy.Answer) {
	was, err := l.first.Coverage(q)
	is, bad := after.Coverage(q)
	if err != nil || bad != nil || len(was) != len(is) {
		return
	}
	lost := 0
	for i := range was {
		switch {
		case was[i] == access.Open && is[i] != access.Open:
			a.Closed++
		case was[i] != access.Open && is[i] == access.Open:
			a.Opened++
		case was[i] == access.Covered && is[i] == access.Uncertain:
			lost++
		}
	}
	if lost > 0 {
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: fmt.Sprintf("%s Of %d accounts it is known today, and would not be", q.Title, lost)}, "cover "+q.Name)
	}
}

// met refuses a plan that does not meet what it serves.
func (l *look) met(name, title string, p *access.Proof) {
	switch p.Verdict {
	case access.Proved:
	case access.GapFound:
		f := remedy.Finding{Kind: remedy.Misses, Text: title + " Not with this plan: " + p.Reason}
		if len(p.Gaps) > 0 {
			f.Witness = p.Gaps[0].Text
		}
		l.add(f, name)
	default:
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: title + " It cannot be said with this plan: " + p.Reason, Settles: first(p.Missing)}, "met "+name)
	}
}

func first(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return request(missing[0])
}

// request is what settles something that is missing.
func request(missing string) string {
	if _, ask := evidence.SplitAsk(missing); ask != "" {
		return ask
	}
	return missing
}

// Words say a sign-in: into what, by what and from where.
func Words(t *access.Tenant, s *access.SignIn) string {
	app := s.App
	if n := t.Names[strings.ToLower(app)]; n != "" {
		app = n
	} else if n := access.AppLabel(app); n != "" {
		app = n
	}
	out := "to " + app + " by " + map[string]string{"browser": "browser", "native": "a desktop or mobile app", "device-code": "the device code flow",
		"transfer": "authentication transfer", "eas": "Exchange ActiveSync", "other": "a legacy protocol"}[s.Client]
	if s.Platform != "" {
		out += " on " + s.Platform
	}
	switch {
	case s.Location != "":
		out += " from " + s.Location
	case s.IP.IsValid():
		out += " from " + s.IP.String()
		if s.Country != "" {
			out += " in " + s.Country
		}
	}
	return out
}
