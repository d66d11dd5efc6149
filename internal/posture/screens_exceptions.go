package posture

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/vouch"
)

// The kinds of what the page Exceptions lists.
const (
	kindException   = "exception"
	kindAttestation = "attestation"
)

// Left is an exception or an attestation as the page lists it.
type Left struct {
	Kind        string    `json:"kind"`
	ID          string    `json:"id"`
	Standing    string    `json:"standing"` // approved, proposed, lapsed, expired, ended, refused; of an attestation: in_force, not_yet, expired, refused
	Requirement string    `json:"requirement"`
	Title       string    `json:"title"`
	Accounts    []string  `json:"accounts,omitempty"` // none: the whole requirement
	Owner       string    `json:"owner"`
	Reason      string    `json:"reason"`
	Control     string    `json:"compensatingControl,omitempty"`
	Ends        time.Time `json:"ends"`
	AskedBy     string    `json:"askedBy"`
	Asked       time.Time `json:"asked"`
	ApprovedBy  string    `json:"approvedBy,omitempty"`
	Approved    time.Time `json:"approved,omitzero"`
	EndedBy     string    `json:"endedBy,omitempty"`
	Ended       time.Time `json:"ended,omitzero"`
	Tenant      string    `json:"tenant,omitempty"` // of an attestation; "" is every tenant
	Refused     string    `json:"refused,omitempty"`

	mine bool // the viewer asked for it, or answers for it
	now  time.Time
}

// lapsed is an exception that ended before anybody approved it.
const lapsed = "lapsed"

// standings are the words, with the tone of each, in the order they are listed.
var standings = []struct {
	value, word string
	tone        print.Tone
}{
	{"refused", "does not count", print.Bad}, {"proposed", "waits for approval", print.Doubt}, {"approved", "in force", print.Vouched},
	{"in_force", "counts", print.Vouched}, {"not_yet", "begins later", print.Muted}, {lapsed, "lapsed, never approved", print.Muted},
	{"expired", "expired", print.Muted}, {"ended", "ended", print.Muted},
}

func standing(v string) (word string, tone print.Tone, order int) {
	for i, s := range standings {
		if s.value == v {
			return s.word, s.tone, i
		}
	}
	return v, print.Doubt, len(standings)
}

func (s *Store) exceptionsScreen() screen.Screen {
	sc := &screen.Screen{
		Name: "exceptions", Title: "Exceptions", Icon: "exception", Group: screen.Evidence, Order: 20, See: screen.SeePosture, Over: screen.OfPartner,
		About: "What people leave out or vouch for, until when, and who approved it. An exception silences alerts; the verdict stays.",
		Needs: s.exceptionsNeed,
	}
	list := exceptionsList(sc)
	sc.List = list
	sc.Acts = s.exceptionActs()
	sc.Load = func(ctx context.Context, a *screen.Ask) (*screen.View, error) { return s.loadExceptions(ctx, a, list) }
	return *sc
}

// exceptionsNeed counts what waits for the viewer's approval. It is asked for on every
// page, so rows are not held to their marks: the page itself does.
func (s *Store) exceptionsNeed(ctx context.Context, v *screen.Viewer) (n int) {
	if !v.May(screen.Approve) {
		return 0
	}
	list, err := s.exceptions(ctx)
	if err != nil {
		return 0
	}
	for i := range list {
		if x := &list[i]; x.On(s.now()) == string(Proposed) && !same(v.Actor, x) {
			n++
		}
	}
	return n
}

// same says that the viewer asked for an exception, or answers for it.
func same(actor string, x *Exception) bool {
	who := Who(actor)
	return who == Who(x.AddedBy) || who == Who(x.Owner)
}

// requirementTitle is what a requirement or a best practice is called.
func requirementTitle(id string) string {
	if p, ok := partner.FindPractice(id); ok {
		return p.Title
	}
	if r, ok := partner.Find(id); ok {
		return r.Title
	}
	return id
}

// leftOut are all exceptions and attestations, those that need somebody first, then by
// their end.
func (s *Store) leftOut(ctx context.Context, v *screen.Viewer, now time.Time) ([]Left, error) {
	list, err := s.Exceptions(ctx)
	if err != nil {
		return nil, err
	}
	out := []Left{}
	for i := range list {
		x := &list[i]
		l := Left{Kind: kindException, ID: x.ID, Standing: x.Standing, Requirement: x.Requirement, Title: requirementTitle(x.Requirement), Accounts: x.Accounts,
			Owner: x.Owner, Reason: x.Reason, Control: x.Control, Ends: x.Expires, AskedBy: x.AddedBy, Asked: x.Added, ApprovedBy: x.DecidedBy,
			Approved: x.Decided, EndedBy: x.EndedBy, Ended: x.EndedAt, Refused: x.Refused, mine: same(v.Actor, &x.Exception), now: now}
		if x.Standing == "expired" && x.DecidedBy == "" {
			l.Standing = lapsed
		}
		out = append(out, l)
	}
	kept, err := s.Statements(ctx)
	if err != nil {
		return nil, err
	}
	for i := range kept {
		k := &kept[i]
		if k.Tenant != "" && !v.Sees(k.Tenant) {
			continue
		}
		_, end := k.Statement.Life()
		state, _ := k.Statement.On(now)
		l := Left{Kind: kindAttestation, ID: k.ID, Standing: string(state), Requirement: k.Statement.Requirement,
			Title: requirementTitle(k.Statement.Requirement),
			Owner: k.Statement.Who, Reason: k.Statement.Reason, Control: k.Statement.Control, Ends: end, AskedBy: k.Actor, Asked: k.Kept, Tenant: k.Tenant,
			ApprovedBy: k.Statement.ApprovedBy, Refused: k.Refused, mine: Who(v.Actor) == Who(k.Actor), now: now}
		if k.Refused != "" {
			l.Standing = "refused"
		}
		if k.Statement.Account != "" {
			l.Accounts = []string{k.Statement.Account}
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, leftOrder)
	return out, nil
}

// open reports that it counts, waits, or should and does not.
func (l *Left) open() bool {
	return slices.Contains([]string{"approved", "proposed", "in_force", "not_yet", "refused"}, l.Standing)
}

func leftOrder(a, b Left) int {
	_, _, x := standing(a.Standing)
	_, _, y := standing(b.Standing)
	first := func(n int) int { return min(n, 2) } // in force and attested stand together
	if a.open() && b.open() {
		return cmp.Or(first(x)-first(y), a.Ends.Compare(b.Ends), strings.Compare(a.ID, b.ID))
	}
	return cmp.Or(compareBool(!a.open(), !b.open())*-1, b.Ends.Compare(a.Ends), strings.Compare(a.ID, b.ID))
}

func (s *Store) loadExceptions(ctx context.Context, a *screen.Ask, list *screen.List[Left]) (*screen.View, error) {
	rows, err := s.leftOut(ctx, a.Viewer, a.Now)
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for i := range rows {
		l := &rows[i]
		n[l.Standing]++
		if l.open() && l.Standing != "refused" && l.Ends.Sub(a.Now) <= soon {
			n["soon"]++
		}
		if l.Standing == "proposed" && !l.mine {
			n["yours"]++
		}
	}
	v := &screen.View{Rows: list.Of(rows), Summary: n, Sentence: "What people leave out or vouch for. An exception silences alerts; the verdict stays."}
	if a.Machine {
		return v, nil
	}
	v.Actions = []screen.Action{{Text: "Attest", Act: "attest"}, {Text: "Ask for an exception", Icon: "plus", Act: "ask", Primary: true}}
	if k := n["yours"]; k > 0 && a.Viewer.May(screen.Approve) {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Doubt, Lead: amount(k, "One waits for your approval.", "%d wait for your approval."),
			Text: "Until somebody other than who asked approves it, nothing is silent.", LinkText: "Show",
			Path: screen.With("/exceptions", "standing", "proposed")})
	}
	if k := n["refused"]; k > 0 {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad,
			Lead: amount(k, "One row is not as it was written.", "%d rows are not as they were written."),
			Text: "Something else wrote into the database, or an older row was put back. They silence nothing.", LinkText: "Trail", Path: "/trail"})
	}
	tile := func(head string, k int, standing string) screen.Tile {
		return screen.Tile{Head: head, N: print.Number(int64(k)), Path: screen.With("/exceptions", "standing", standing)}
	}
	soonest := screen.Tile{Head: "End within 14 days", N: print.Number(int64(n["soon"])), Path: screen.With("/exceptions", "soon", "yes")}
	v.Above = []screen.Block{screen.Tiles{tile("In force", n["approved"], "approved"), tile("Wait for approval", n["proposed"], "proposed"), soonest,
		tile("Attested", n["in_force"], "in_force"), tile("Lapsed, never approved", n[lapsed], lapsed)}}
	v.Nothing = &screen.Nothing{Head: "Nobody leaves anything out", Text: "No exception was ever asked for, and nothing is attested."}
	return v, nil
}

// requirementIDs are those of the rule book.
func requirementIDs() (out []string) {
	for _, r := range partner.Book() {
		out = append(out, r.ID)
	}
	return out
}

// attestableIDs are what a person may vouch for: requirements, and the best practices that
// take a word.
func attestableIDs() []string {
	out := requirementIDs()
	for _, p := range partner.Practices() {
		if p.Mode.Attestable() {
			out = append(out, p.ID)
		}
	}
	return out
}

// exceptionActs are what can be done here, each by who is signed in.
func (s *Store) exceptionActs() []screen.Act {
	id := screen.Field{Name: "id", Kind: "hidden", Label: "The id", Required: true, Max: 80}
	requirement := screen.Field{Name: "requirement", Label: "Requirement", Kind: "select", Enum: requirementIDs(), Required: true}
	reason := screen.Field{Name: "reason", Label: "Reason", Kind: "area", Required: true, Max: maxExceptionTexts}
	until := screen.Field{Name: "until", Label: "Until", Kind: "date", Required: true, Hint: "the last day it counts, at most a year ahead"}
	return []screen.Act{
		{Name: "ask", Title: "Ask for it", Do: screen.AskException, Handle: s.askException,
			About: "Nothing is silent before another person approves it. It ends by itself, and the verdict stays as it is.",
			Form: []screen.Field{requirement,
				{Name: "account", Label: "Accounts", Kind: "area", Max: 20_000, Hint: "user principal names or ids, one a line; none is the whole requirement"},
				{Name: "owner", Label: "Owner", Kind: "text", Required: true, Max: maxExceptionNames, Hint: "the person who answers for it"}, reason,
				{Name: "control", Label: "Compensating control", Kind: "area", Required: true, Max: maxExceptionTexts,
					Hint: "what stands in its place meanwhile"},
				until}},
		{Name: "approve", Title: "Approve", Do: screen.Approve, Handle: s.approveException, Form: []screen.Field{id},
			About: "It is in force from now on, and silences alerts until it ends. Whoever asked for it cannot approve it."},
		{Name: "end", Title: "End it", Do: screen.AskException, Handle: s.endException, Form: []screen.Field{id},
			About: "It silences nothing from now on. One that waits is withdrawn."},
		{Name: "attest", Title: "Attest", Do: screen.AskException, Handle: s.attest,
			About: "You vouch, by name, that a requirement or a best practice is met that no export can show. It reads attested until that day, and never met.",
			Form: []screen.Field{
				{Name: "requirement", Label: "Requirement or practice", Kind: "select", Enum: attestableIDs(), Required: true},
				{Name: "who", Label: "Who vouches", Kind: "text", Required: true, Max: maxExceptionNames, Hint: "a person, by name"},
				{Name: "what", Label: "What exactly", Kind: "area", Max: maxExceptionTexts}, reason, until}},
		{Name: "withdraw", Title: "Take it back", Do: screen.AskException, Handle: s.withdraw, Form: []screen.Field{id},
			About: "The requirement is judged without it from the next judgement on."},
	}
}

// lastDay reads a day that counts as a whole.
func lastDay(v string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return d, problem.New(problem.Usage, "until is %.40q, and has to be a day like 2026-11-20", v)
	}
	return d, nil
}

func (s *Store) askException(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	d, err := lastDay(form.Get("until"))
	if err != nil {
		return screen.Done{}, err
	}
	x := Exception{Requirement: form.Get("requirement"), Owner: form.Get("owner"), Reason: oneLine(form.Get("reason")), Control: oneLine(form.Get("control")),
		Expires: d.AddDate(0, 0, 1)}
	for _, name := range strings.FieldsFunc(form.Get("account"), func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
		if name = strings.TrimSpace(name); name != "" {
			x.Accounts = append(x.Accounts, name)
		}
	}
	x, err = s.AddException(ctx, x, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/exceptions", "row", x.ID), Said: "It is asked for. Another person has to approve it.", Body: x}, nil
}

// oneLine is a text of a form without its line ends, which no kept text has.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (s *Store) approveException(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	x, err := s.Approve(ctx, form.Get("id"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/exceptions", "row", x.ID), Said: "It is in force until " + day(x.Expires.Add(-time.Microsecond)) + ".", Body: x}, nil
}

func (s *Store) endException(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	x, err := s.End(ctx, form.Get("id"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/exceptions", "row", x.ID), Said: "It is ended, and silences nothing.", Body: x}, nil
}

func (s *Store) attest(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if _, err := lastDay(form.Get("until")); err != nil {
		return screen.Done{}, err
	}
	k, err := s.KeepStatement(ctx, "", vouch.Statement{Kind: vouch.Attestation, Requirement: form.Get("requirement"), Who: form.Get("who"),
		What: oneLine(form.Get("what")), Since: a.Now.UTC().Format(time.DateOnly), Until: form.Get("until"),
		Reason: oneLine(form.Get("reason"))}, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/exceptions", "row", k.ID), Said: "It is kept, and counts from the next judgement on.", Body: k}, nil
}

func (s *Store) withdraw(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if a.Viewer.Customers != nil { // another tenant's is none
		list, err := s.Statements(ctx)
		if err != nil {
			return screen.Done{}, err
		}
		if i := slices.IndexFunc(list, func(k KeptStatement) bool { return k.ID == form.Get("id") }); i >= 0 && list[i].Tenant != "" &&
			!a.Viewer.Sees(list[i].Tenant) {
			return screen.Done{}, problem.New(problem.NotFound, "there is no such attestation")
		}
	}
	if err := s.DropStatement(ctx, form.Get("id"), a.Viewer.Actor); err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: "/exceptions", Said: "It is taken back, and counts no more."}, nil
}

// exceptionsList is how they are listed.
func exceptionsList(sc *screen.Screen) *screen.List[Left] {
	only := func(name, about string, text func(*Left) string) screen.Column[Left] {
		return screen.Column[Left]{Name: name, Head: name, About: about, Only: true, Plain: true, Fixed: true, Text: text}
	}
	return &screen.List[Left]{
		Noun: "entry", Search: "requirement, account, owner, reason", Default: "standing", Lead: 1,
		Key: func(l *Left) string { return l.ID },
		Columns: []screen.Column[Left]{
			{Name: "standing", Head: "State", Cell: func(l *Left) screen.Cell {
				word, tone, _ := standing(l.Standing)
				return screen.Cell{Said: &page.Said{Tone: tone, Word: word}}
			}, Order: func(a, b *Left) int { return leftOrder(*a, *b) }},
			{Name: "requirement", Head: "Requirement", Cell: func(l *Left) screen.Cell {
				return screen.Named(l.Title, l.Reason, screen.With("/exceptions", "row", l.ID))
			}},
			{Name: "accounts", Head: "Leaves out", Cell: func(l *Left) screen.Cell { return screen.Cell{Text: l.who(2), Sub: l.Kind} },
				Text: func(l *Left) string { return strings.Join(l.Accounts, "; ") }},
			{Name: "owner", Head: "Owner", Cell: func(l *Left) screen.Cell { return screen.Named(l.Owner, l.Control, "") }},
			{Name: "until", Head: "Until", Cell: untilCell, Order: func(a, b *Left) int { return a.Ends.Compare(b.Ends) }, Plain: true},
			{Name: "approved", Head: "Approved by", Cell: approvedCell, Plain: true,
				Order: func(a, b *Left) int { return strings.Compare(a.ApprovedBy, b.ApprovedBy) }},
			only("id", "its id", func(l *Left) string { return l.ID }),
			only("kind", "exception or attestation", func(l *Left) string { return l.Kind }),
			only("requirementId", "the requirement's id", func(l *Left) string { return l.Requirement }),
			only("compensatingControl", "what stands in its place", func(l *Left) string { return l.Control }),
			only("askedBy", "who asked for it, or attested it", func(l *Left) string { return l.AskedBy }),
			only("refused", "why it does not count", func(l *Left) string { return l.Refused }),
		},
		Filters: []screen.Filter[Left]{
			{Name: "standing", Head: "State", Enum: standingValues(), Word: func(v string) string { w, _, _ := standing(v); return w },
				Of: func(l *Left) []string { return []string{l.Standing} }},
			{Name: "kind", Head: "Kind", Enum: []string{kindException, kindAttestation}, Of: func(l *Left) []string { return []string{l.Kind} }},
			{Name: "soon", Head: "Ends", Enum: []string{"yes"}, Word: func(string) string { return "ends within 14 days" }, Of: func(l *Left) []string {
				if l.open() && l.Standing != "refused" && l.Ends.Sub(l.now) <= soon {
					return []string{"yes"}
				}
				return nil
			}},
			{Name: "requirement", Head: "Requirement", Quiet: true, Of: func(l *Left) []string { return []string{l.Requirement} }},
		},
		Detail: func(l *Left) []screen.Block { return l.detail(sc) },
	}
}
