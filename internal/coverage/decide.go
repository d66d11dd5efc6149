package coverage

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// What the fields of a decision may say.
var (
	clientEnum   = []string{"browser", "native", "device-code", "transfer", "eas", "other"}
	platformEnum = []string{"windows", "macOS", "iOS", "android", "linux", "windowsPhone"}
	riskEnum     = []string{"none", "low", "medium", "high"}
	insiderEnum  = []string{"none", "minor", "moderate", "elevated"}
)

// Use is one policy in a decision.
type Use struct {
	Group string `json:"group"` // applies, perhaps, not, reportOnly
	access.Use
}

func (f *Feature) decideScreen() screen.Screen {
	return screen.Screen{
		Name: "coverage/decide", Title: "Decide a sign-in", Icon: "q", Group: screen.Nowhere, See: screen.SeePeople, Over: screen.OfTenant,
		About: "One sign-in, decided by the settings step by step: which policies take it, which do not and by which clause.",
		List:  useList, Load: f.decide,
		Params: []screen.Param{
			{Name: "account", About: "User principal name or id."}, {Name: "app", About: "Id or name of an app, or a user action."},
			{Name: "client", About: "The client; a browser where nothing is said.", Enum: clientEnum},
			{Name: "where", About: "An address, a named location, a country of two letters, or a place as the matrix names it."},
			{Name: "platform", About: "The device's platform.", Enum: platformEnum},
			{Name: "signInRisk", About: "The sign-in risk.", Enum: riskEnum}, {Name: "userRisk", About: "The user risk.", Enum: riskEnum},
			{Name: "insiderRisk", About: "The insider risk.", Enum: insiderEnum},
			{Name: "device", About: "Facts of the device that hold, with commas between them, such as compliant device."},
			{Name: "deviceNot", About: "Facts of the device that do not hold."},
		},
	}
}

var useList = &screen.List[Use]{
	Noun: "policy", Search: "policy, clause", Default: "applies", Key: func(u *Use) string { return cmp.Or(u.ID, u.Policy) },
	Columns: []screen.Column[Use]{
		{Name: "policy", Head: "Policy", Cell: func(u *Use) screen.Cell { return screen.Words(print.Clean(u.Policy, 120)) }},
		{Name: "applies", Head: "Takes this sign-in", Order: func(a, b *Use) int { return slices.Index(groups, a.Group) - slices.Index(groups, b.Group) },
			Cell: func(u *Use) screen.Cell {
				c := screen.Cell{Said: &page.Said{Tone: print.Muted, Word: "no"}}
				switch {
				case u.Applies == "perhaps":
					c.Said = &page.Said{Tone: print.Doubt, Word: "perhaps"}
				case u.Applies == "yes" && u.Group == "reportOnly":
					c.Said = &page.Said{Tone: print.Muted, Word: "would"}
				case u.Applies == "yes":
					c.Said = &page.Said{Tone: print.Good, Word: "yes"}
				}
				if u.Group == "reportOnly" {
					c.Tags = []screen.Tag{{Text: "report-only"}}
				}
				return c
			}},
		{Name: "clause", Head: "Because", About: "the clause that decided whether it takes the sign-in", Cell: func(u *Use) screen.Cell {
			return screen.Words(print.Clean(u.Clause, 400))
		}},
		{Name: "asks", Head: "Asks", Cell: func(u *Use) screen.Cell { return screen.Words(print.Clean(u.Demands, 120)) }},
	},
	Filters: []screen.Filter[Use]{{Name: "group", Head: "Policies", Of: func(u *Use) []string { return []string{u.Group} }, Enum: groups,
		Word: func(v string) string {
			return map[string]string{"applies": "take it", "perhaps": "perhaps", "not": "do not take it", "reportOnly": "report-only"}[v]
		}}},
}

var groups = []string{"applies", "perhaps", "not", "reportOnly"}

// decide is the page.
func (f *Feature) decide(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	e, at, err := f.Engine(ctx, a.Tenant.ID)
	if err != nil {
		return nil, err
	}
	v := &screen.View{
		Sentence: "Decided by the settings as they were read; nothing is asked of Microsoft.", Rows: useList.Of(nil),
		Facts: []screen.Fact{{What: "Settings", At: at, Source: "Microsoft Graph, from the archive", Rests: true}},
		Nothing: &screen.Nothing{Head: "Name an account",
			Text: "The policies that take its sign-in stand here, and those that do not, with the clause that leaves it out."},
		Actions: []screen.Action{{Text: "Coverage", Icon: "matrix", Path: screen.With("/coverage", "tenant", a.Tenant.ID)}},
	}
	form := decideForm{a: a, e: e}
	if a.Values.Get("account") == "" {
		v.Above = []screen.Block{form.block()}
		return v, nil
	}
	s, note, err := Ask(e, a.Values)
	if err != nil {
		if a.Machine {
			return nil, err
		}
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "Not decided.", Text: sorry(err)})
		v.Above = []screen.Block{form.block()}
		v.Nothing = &screen.Nothing{Head: "Nothing was decided"}
		return v, nil
	}
	answer := e.Decide(s)
	var uses []Use
	for _, part := range []struct {
		group string
		list  []access.Use
	}{{"applies", answer.Applied}, {"not", answer.Others}, {"reportOnly", answer.Report}} {
		for _, u := range part.list {
			group := part.group
			if group == "applies" && u.Applies == "perhaps" {
				group = "perhaps"
			}
			uses = append(uses, Use{group, u})
		}
	}
	v.Rows, v.Summary = useList.Of(uses), answer
	v.Nothing = &screen.Nothing{Head: "No policy is in force or report-only"}
	v.Notices = append(v.Notices, outcomeNotice(&answer))
	if note != "" {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Muted, Lead: "Note.", Text: print.Ended(note)})
	}
	v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{form.block(), steps(e, &answer)}}}
	return v, nil
}

func outcomeNotice(a *access.Answer) screen.Notice {
	n := screen.Notice{Text: print.Ended(print.Clean(a.Reason, 600))}
	switch a.Outcome {
	case access.Blocked:
		n.Tone, n.Lead = print.Good, "Blocked."
	case access.MFARequired:
		n.Tone, n.Lead = print.Good, "MFA is required."
	case access.MFANotRequired:
		n.Tone, n.Lead = print.Bad, "MFA is not required."
	default:
		n.Tone, n.Lead = print.Doubt, "Undecided."
	}
	return n
}

// Ask brings the words of an address to a sign-in. The note says what a place was taken
// for. Kind problem.BadInput or Usage where they name nothing.
func Ask(e *access.Engine, v url.Values) (s access.SignIn, note string, err error) {
	i, ok := FindSubject(e, v.Get("account"))
	if !ok {
		return s, "", problem.New(problem.BadInput, "no account %.80q is in the directory as it was read", v.Get("account")).
			WithHint("accounts are found by user principal name or id")
	}
	s = access.SignIn{User: i, Client: cmp.Or(v.Get("client"), "browser"), Platform: v.Get("platform"), SignInRisk: v.Get("signInRisk"),
		UserRisk: v.Get("userRisk"), InsiderRisk: v.Get("insiderRisk"), Device: map[string]bool{}}
	s.App = findApp(e, v.Get("app"))
	if w := v.Get("where"); w != "" {
		if note, err = e.At(&s, w); err != nil {
			return s, note, err
		}
	}
	for on, list := range map[bool]string{true: v.Get("device"), false: v.Get("deviceNot")} {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				s.Device[name] = on
			}
		}
	}
	return s, note, nil
}

// FindSubject finds an account by id or name, one with roles active and stand-ins too, as
// a proof names them.
func FindSubject(e *access.Engine, words string) (int, bool) {
	words = strings.TrimSpace(words)
	if i, ok := e.Find(words); ok {
		return i, true
	}
	for i, s := range e.Subjects() {
		if strings.EqualFold(s.Name, words) || strings.EqualFold(s.ID, words) {
			return i, words != ""
		}
	}
	return 0, false
}

// findApp is the id of an app by its id or its name.
func findApp(e *access.Engine, words string) string {
	words = strings.TrimSpace(words)
	for _, a := range entra.Apps() {
		if strings.EqualFold(a.Name, words) {
			return a.ID
		}
	}
	for id, name := range e.Tenant().Names {
		if strings.EqualFold(name, words) && !slices.ContainsFunc(e.Tenant().Users, func(s access.Subject) bool { return s.ID == id }) {
			return id
		}
	}
	return words
}

// decideForm is the form with what a decision is asked about.
type decideForm struct {
	a *screen.Ask
	e *access.Engine
}

func (f decideForm) block() screen.Block {
	return screen.Card{Head: "The sign-in", Note: "What is left empty is not known: the answer then holds for every value, or says what it hangs on.",
		Body: []screen.Block{screen.Func(f.build)}}
}

func (f decideForm) build(b *screen.Builder) {
	b.Open("form", screen.A("method", "get"), screen.A("action", "/coverage/decide"), screen.A("class", "form"))
	b.Void("input", screen.A("type", "hidden"), screen.A("name", "tenant"), screen.A("value", f.a.Tenant.ID))
	b.Class("div", "cov-form")
	f.text(b, "account", "Account", "ada@contoso.com", true, nil)
	var apps []string
	for _, a := range entra.Apps() {
		if len(apps) < 40 && a.Name != "" {
			apps = append(apps, a.Name)
		}
	}
	f.text(b, "app", "App", "any app", false, apps)
	f.choice(b, "client", "Client", clientEnum, "browser")
	var places []string
	for _, l := range f.e.Tenant().Locations {
		if len(places) < 100 {
			places = append(places, print.Clean(cmp.Or(l.DisplayName, l.ID), 120))
		}
	}
	f.text(b, "where", "From", "203.0.113.7, NL, a named location", false, places)
	f.choice(b, "platform", "Platform", platformEnum, "")
	f.choice(b, "signInRisk", "Sign-in risk", riskEnum, "none")
	f.choice(b, "userRisk", "User risk", riskEnum, "none")
	f.choice(b, "insiderRisk", "Insider risk", insiderEnum, "none")
	f.text(b, "device", "Device facts that hold", "compliant device", false, []string{access.AxisCompliant, access.AxisJoined, access.AxisApprovedApp,
		access.AxisProtectedApp})
	f.text(b, "deviceNot", "Device facts that do not", "", false, nil)
	b.End("div")
	b.Class("div", "row mt")
	b.Elem("button", "Decide", screen.A("class", "btn pri"), screen.A("type", "submit"))
	b.End("div")
	b.End("form")
}

func (f decideForm) label(b *screen.Builder, name, label string) (id string) {
	id = b.ID()
	b.Class("div", "field")
	b.Elem("label", label, screen.A("for", id))
	return id
}

func (f decideForm) text(b *screen.Builder, name, label, hint string, required bool, offers []string) {
	id := f.label(b, name, label)
	b.Void("input", screen.A("class", "in"), screen.A("id", id), screen.A("name", name), screen.A("value", f.a.Values.Get(name)),
		screen.A("placeholder", hint), screen.A("maxlength", "256"), screen.A("autocomplete", "off"),
		screen.If(required, screen.A("required", "required")), screen.If(len(offers) > 0, screen.A("list", id+"l")))
	if len(offers) > 0 {
		b.Open("datalist", screen.A("id", id+"l"))
		for _, o := range offers {
			b.Elem("option", o, screen.A("value", o))
		}
		b.End("datalist")
	}
	b.End("div")
}

func (f decideForm) choice(b *screen.Builder, name, label string, enum []string, def string) {
	id := f.label(b, name, label)
	now := cmp.Or(f.a.Values.Get(name), def)
	b.Open("select", screen.A("class", "in"), screen.A("id", id), screen.A("name", name))
	if def == "" {
		b.Elem("option", "not known", screen.A("value", ""))
	}
	for _, v := range enum {
		b.Elem("option", v, screen.A("value", v), screen.If(v == now, screen.A("selected", "selected")))
	}
	b.End("select")
	b.End("div")
}

// steps is the decision in the order in which it was taken.
func steps(e *access.Engine, a *access.Answer) screen.Block {
	var list screen.Items
	list.Timeline = true
	add := func(tone print.Tone, word, lead, text string) {
		list.List = append(list.List, screen.Item{Said: &page.Said{Tone: tone, Word: word}, Lead: lead, Text: print.Clean(text, 500)})
	}
	add(print.Muted, "known", "1", print.Ended("the account is "+a.Account))
	s := a.SignIn
	place := e.Place(&s)
	if place == "" {
		place = "not known, so any place counts"
	}
	add(print.Muted, "known", "2", print.Ended("the place is "+place))
	applies, perhaps := 0, 0
	for _, u := range a.Applied {
		if u.Applies == "perhaps" {
			perhaps++
		} else {
			applies++
		}
	}
	add(print.Muted, "known", "3", fmt.Sprintf("Of the policies in force %d surely take it, %d perhaps, and %d do not.", applies, perhaps, len(a.Others)))
	n := outcomeNotice(a)
	add(n.Tone, strings.TrimSuffix(n.Lead, "."), "4", n.Text)
	switch {
	case !a.AbleKnown:
		add(print.Doubt, "unknown", "5", "Which methods the account has registered was not read.")
	case len(a.Able) == 0:
		add(print.Bad, "unable", "5", "The account has no registered method that could answer.")
	default:
		add(print.Good, "able", "5", print.Ended("it could answer with "+strings.Join(a.Able, ", ")))
	}
	for _, note := range a.Notes {
		add(print.Muted, "note", "", print.Ended(note))
	}
	return screen.Card{Head: "Step by step", Body: []screen.Block{list}}
}
