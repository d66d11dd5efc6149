package rehearse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
)

// Account is what Rehearse must know of an account besides its settings.
type Account struct {
	Class directory.Class
	// Registered says whether a method that can answer is registered, Resistant
	// whether a phishing-resistant one is.
	Registered, Resistant Known
	// OnlyExternal says that what is registered is External MFA and nothing else.
	OnlyExternal bool
}

// Known is a fact that may not be known.
type Known uint8

// The values of Known.
const (
	NotKnown Known = iota
	KnownNo
	KnownYes
)

// Input is one rehearsal: the same history under two sets of settings. Both
// engines must have been given to the history, today's first.
type Input struct {
	Proposal string
	Today    *access.Engine
	Then     *access.Engine
	History  *History
	Accounts map[string]Account // by lower-case user id and by lower-case UPN
	Policies []Proposed
	Bare     bool // leave out what the settings prove before and after
}

// Rehearse decides every pattern by both engines. The caller fills in
// Result.Inputs, Complete and Sample.
func Rehearse(in Input) *Result {
	all := in.History.join()
	r := &Result{Schema: SchemaID, Proposal: in.Proposal, Patterns: len(all.list), Groups: []Group{}, Policies: in.Policies, Notes: []string{}}
	if r.Policies == nil {
		r.Policies = []Proposed{}
	}
	x := newReplay(&in, all)
	// The order of patterns does not matter: everything below adds up or takes the
	// newest row.
	for _, p := range all.list {
		r.Rows += p.Rows
		if !p.Last.IsZero() {
			r.see(p.Last)
		}
		x.pattern(p)
	}
	for i, e := range Effects() {
		r.Totals = append(r.Totals, Total{Effect: e, Rows: x.rows[i], Accounts: x.accounts[i]})
	}
	for _, g := range x.groups {
		r.Groups = append(r.Groups, x.group(g))
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(rank(a.Effect), rank(b.Effect)), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.App, b.App), cmp.Compare(a.Client, b.Client))
	})
	r.Before, r.After = in.proofs(in.Today), in.proofs(in.Then)
	if n := x.strangers(); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d accounts of the log are in no exported list of users; they were replayed as further members whose "+
			"groups and roles are not known", n))
	}
	r.Notes = append(r.Notes, "a log shows who signed in, not who will: accounts without a recorded sign-in are in the proof, not in the replay")
	return r
}

// rank is an effect's place in reports.
func rank(e Effect) int { return slices.Index(effects[:], e) }

// replay is a rehearsal that goes on. Whatever is looked up of an account is looked up once.
type replay struct {
	*Input
	all    *joined
	who    []someone // by Pattern.who
	proven []bool    // by account: it passed MFA in the log
	had    []uint8   // by account: which effects concern it
	parts  []part    // of one pattern, for reuse

	rows     [len(effects)]int64
	accounts [len(effects)]int
	groups   map[place]*building
}

// someone is what is known of an account under one of its names.
type someone struct {
	Account
	known   bool
	subject [2]int // among the accounts of today's engine, and of the other
}

// place is what happens to an account with an app and a client.
type place struct {
	effect, account int
	app, client     string
}

func newReplay(in *Input, all *joined) *replay {
	x := &replay{Input: in, all: all, who: make([]someone, len(all.names)), proven: make([]bool, all.whole), had: make([]uint8, all.whole),
		groups: map[place]*building{}}
	for i := range all.names {
		n, w := &all.names[i], &x.who[i]
		if w.Account, w.known = in.Accounts[n.id]; !w.known {
			w.Account, w.known = in.Accounts[strings.ToLower(n.upn)]
		}
		w.subject[0] = subject(in.Today, n.id, n.upn)
		if w.subject[1] = w.subject[0]; in.Then != in.Today {
			w.subject[1] = subject(in.Then, n.id, n.upn)
		}
	}
	for _, p := range all.list {
		if p.Proven > 0 {
			x.proven[all.names[p.who].account] = true
		}
	}
	return x
}

// strangers counts the accounts that are in no list of users.
func (x *replay) strangers() (n int) {
	not := make([]bool, x.all.whole)
	for i := range x.who {
		if at := x.all.names[i].account; !x.who[i].known && !not[at] {
			not[at] = true
			n++
		}
	}
	return n
}

// pattern adds what happens to a pattern.
func (x *replay) pattern(p *Pattern) {
	acc := &x.who[p.who]
	account := x.all.names[p.who].account
	x.parts = x.decide(x.parts[:0], p, acc, x.proven[account])
	for i := range x.parts {
		part := &x.parts[i]
		if part.rows == 0 {
			continue
		}
		k := rank(part.effect)
		x.rows[k] += part.rows
		if x.had[account]&(1<<k) == 0 {
			x.had[account] |= 1 << k
			x.accounts[k]++
		}
		if part.effect == Unchanged {
			continue
		}
		at := place{k, account, p.App, p.Client}
		g := x.groups[at]
		if g == nil {
			g = &building{class: acc.Class}
			x.groups[at] = g
		}
		g.rows += part.rows
		if g.newest == nil || newer(p.Last, p.LastID, g.newest.Last, g.newest.LastID) {
			g.newest, g.part = p, *part
		}
	}
}

// building is a group that is still being added up. Its words are those of the
// newest pattern.
type building struct {
	part
	class  directory.Class
	newest *Pattern
	rows   int64
}

// group finishes one.
func (x *replay) group(b *building) Group {
	p := b.newest
	g := Group{
		Effect: b.effect, Account: nonEmpty(p.UPN, p.Account), ID: p.Account, Class: b.class, App: p.App, Client: p.Client,
		Rows: b.rows, Reason: b.reason, Policies: []string{}, WaysOut: b.ways, RecordID: p.LastID, Source: p.LastSource,
	}
	if g.Class == "" {
		g.Class = directory.ClassUnknown
	}
	if !p.Last.IsZero() {
		last := p.Last.UTC()
		g.Last = &last
	}
	if b.effect != Opened {
		g.Policies = append(g.Policies, x.deciding(p)...)
	}
	if g.WaysOut == nil {
		g.WaysOut = []directory.WayOut{}
	}
	return g
}

func (r *Result) see(at time.Time) {
	at = at.UTC()
	if r.First == nil || at.Before(*r.First) {
		r.First = &at
	}
	if r.Last == nil || at.After(*r.Last) {
		r.Last = &at
	}
}

// part is the effect on some rows of a pattern.
type part struct {
	effect Effect
	rows   int64
	reason string
	ways   []directory.WayOut
}

// decide splits a pattern by what its rows proved: rows that carried MFA are
// not newly challenged by a policy that asks for it. It appends to out.
func (x *replay) decide(out []part, p *Pattern, acc *someone, passed bool) []part {
	rest := p.Rows - p.Proven
	same := func(n int64) part { return part{effect: Unchanged, rows: n} }
	switch x.outcome(1, p) {
	case access.Blocked:
		return append(out, x.blocked(p, acc, p.Rows, "would be blocked"))
	case access.MFARequired:
		if p.Legacy || p.ROPC {
			return append(out, same(p.Proven), x.blocked(p, acc, rest, "cannot carry the MFA that would be asked for"))
		}
		is := x.besides(1, p)
		var was access.Besides
		if is != (access.Besides{}) { // else nothing is asked for besides, and what was does not matter
			was = x.besides(0, p)
		}
		switch {
		case is.Refused && !was.Refused:
			return append(out, x.blocked(p, acc, p.Rows, "would be refused: the device or app that is asked for besides MFA is not there"))
		case is.MayBeRefused && !was.Refused && !was.MayBeRefused:
			return append(out, part{effect: UndecidedThen, rows: p.Rows,
				reason: "a device or app is asked for besides MFA, and the log does not say whether it is there"})
		case is.Strength && !was.Strength && acc.OnlyExternal && Unattended(acc.Class) == "":
			return append(out, part{effect: ChallengedUnable, rows: p.Rows,
				reason: "has External MFA alone, which satisfies \"require MFA\" and no authentication strength",
				ways:   directory.WaysOut(directory.Needs{Class: acc.Class, Unregistered: true, Covered: true})})
		case is.Resistant && !was.Resistant && acc.Registered == KnownYes && acc.Resistant != KnownYes && Unattended(acc.Class) == "":
			return append(out, part{effect: ChallengedUnknown, rows: p.Rows, reason: noneResistant(acc.Account)})
		}
		out = append(out, same(p.Proven))
		if rest == 0 {
			return out
		}
		return append(out, x.challenged(p, acc, passed && !is.Resistant, rest))
	case access.MFANotRequired:
		if now := x.outcome(0, p); now == access.MFARequired || now == access.Blocked {
			return append(out, part{effect: Opened, rows: p.Rows, reason: "today's settings " + was(now) + ", the proposed ones do not",
				ways: []directory.WayOut{directory.WayReviewPolicy}})
		}
		return append(out, same(p.Rows))
	}
	if x.outcome(0, p) == access.Undecided {
		return append(out, same(p.Proven), part{effect: UndecidedThen, rows: rest, reason: "what is not in the export decides it, today as then"})
	}
	return append(out, same(p.Proven), part{effect: UndecidedThen, rows: rest, reason: "what is not in the export decides it"})
}

// noneResistant says why it is not known whether a phishing-resistant method can be
// given.
func noneResistant(acc Account) string {
	if acc.Resistant == KnownNo {
		return "has registered no phishing-resistant method, and whether a certificate answers is not in the export"
	}
	return "whether a phishing-resistant method is registered is not in the export"
}

// at is where a pattern stands for today's engine, or for the other.
func (x *replay) at(which int, p *Pattern) (*access.Engine, access.Point) {
	point := p.Points[which]
	point.User = x.who[p.who].subject[which]
	if which == 0 {
		return x.Today, point
	}
	return x.Then, point
}

func (x *replay) besides(which int, p *Pattern) access.Besides {
	e, point := x.at(which, p)
	return e.Besides(point)
}

func was(o access.Outcome) string {
	if o == access.Blocked {
		return "block it"
	}
	return "ask for MFA"
}

// outcome decides a pattern by one engine.
func (x *replay) outcome(which int, p *Pattern) access.Outcome {
	e, point := x.at(which, p)
	return e.Outcome(point)
}

// Subject finds the account among an engine's, or the stand-in for one that was
// not exported.
func (p *Pattern) Subject(e *access.Engine) int { return subject(e, p.Account, p.UPN) }

func subject(e *access.Engine, id, upn string) int {
	for _, name := range [...]string{id, upn} {
		if name == "" {
			continue
		}
		if i, ok := e.Find(name); ok {
			return i
		}
	}
	return e.Stranger()
}

func (x *replay) blocked(p *Pattern, acc *someone, rows int64, reason string) part {
	out := part{effect: BlockedThen, rows: rows}
	needs := directory.Needs{Class: acc.Class, Password: p.ROPC, Covered: true}
	switch {
	case p.ROPC:
		out.reason = "the password grant (ROPC) " + reason
	case p.Legacy:
		out.reason = p.Client + " " + reason
		if directory.OldMailClient(p.Client) {
			needs.OldMail = true
		} else {
			needs.Device = true
		}
	case p.DeviceCode:
		out.reason = "the device code flow " + reason
	default:
		out.reason = "this sign-in " + reason
	}
	out.ways = directory.WaysOut(needs)
	if p.DeviceCode {
		out.ways = append(out.ways, directory.WayOtherFlow)
	}
	return out
}

func (x *replay) challenged(p *Pattern, acc *someone, passed bool, rows int64) part {
	out := part{rows: rows}
	needs := directory.Needs{Class: acc.Class, Unregistered: acc.Registered == KnownNo, Password: p.ROPC, Covered: true}
	switch {
	case Unattended(acc.Class) != "":
		out.effect, out.reason = ChallengedUnable, Unattended(acc.Class)
		out.ways = directory.WaysOut(needs)
	case acc.Registered == KnownYes:
		out.effect, out.reason = ChallengedAble, "has a registered method to answer with"
	case passed:
		out.effect, out.reason = ChallengedAble, "passed MFA elsewhere in the log"
	case acc.Registered == KnownNo:
		out.effect, out.reason = ChallengedUnable, "has no registered method to answer with"
		out.ways = directory.WaysOut(needs)
	default:
		out.effect, out.reason = ChallengedUnknown, "whether a method is registered is not in the export"
	}
	return out
}

// Unattended says why nobody can answer for an account of the class; "" somebody
// may.
func Unattended(c directory.Class) string {
	switch c {
	case directory.ClassResource:
		return "a room or equipment: nobody is there to answer"
	case directory.ClassAgent:
		return "an agent: nobody is there to answer"
	case directory.ClassDirectorySync:
		return "directory synchronisation: nobody is there to answer"
	case directory.ClassService:
		return "a service account: nobody is there to answer"
	}
	return ""
}

// deciding names the proposed policies that decide a pattern.
func (x *replay) deciding(p *Pattern) []string {
	e, point := x.at(1, p)
	names := e.Protecting(point)
	slices.Sort(names)
	return slices.Compact(names)
}

// asked are the questions shown before and after.
var asked = []string{"mfa-every-sign-in", "mfa-every-user", "mfa-admin-roles", "legacy-blocked"}

func (in *Input) proofs(e *access.Engine) (out []Proof) {
	if in.Bare {
		return nil
	}
	for _, name := range asked {
		q, _ := access.FindQuestion(name)
		p, err := e.Prove(q)
		if err != nil {
			continue
		}
		out = append(out, Proof{Question: name, Title: q.Title, Verdict: p.Verdict, Reason: p.Reason})
	}
	return out
}

func sortedKeys(m map[string]*Pattern) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
