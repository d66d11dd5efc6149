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
	patterns := in.History.Patterns()
	r := &Result{Schema: SchemaID, Proposal: in.Proposal, Patterns: len(patterns), Groups: []Group{}, Policies: in.Policies, Notes: []string{}}
	if r.Policies == nil {
		r.Policies = []Proposed{}
	}
	proven := map[string]bool{} // accounts that passed MFA in the log
	for _, p := range patterns {
		if p.Proven > 0 {
			proven[p.Account] = true
		}
	}
	type place struct {
		effect               Effect
		account, app, client string
	}
	groups := map[place]*building{}
	rows := map[Effect]int64{}
	accounts := map[Effect]map[string]bool{}
	strangers := map[string]bool{}
	// The order of a map does not matter: everything below adds up or takes the
	// newest row.
	for _, p := range patterns {
		r.Rows += p.Rows
		acc, known := in.Accounts[p.Account]
		if !known {
			acc, known = in.Accounts[strings.ToLower(p.UPN)]
		}
		if !known {
			strangers[p.Account] = true
		}
		if !p.Last.IsZero() {
			r.see(p.Last)
		}
		for _, part := range in.decide(p, acc, proven[p.Account]) {
			if part.rows == 0 {
				continue
			}
			rows[part.effect] += part.rows
			if accounts[part.effect] == nil {
				accounts[part.effect] = map[string]bool{}
			}
			accounts[part.effect][p.Account] = true
			if part.effect == Unchanged {
				continue
			}
			at := place{part.effect, p.Account, p.App, p.Client}
			g := groups[at]
			if g == nil {
				g = &building{class: acc.Class}
				groups[at] = g
			}
			g.rows += part.rows
			if g.newest == nil || newer(p.Last, p.LastID, g.newest.Last, g.newest.LastID) {
				g.newest, g.part = p, part
			}
		}
	}
	for _, e := range Effects() {
		r.Totals = append(r.Totals, Total{Effect: e, Rows: rows[e], Accounts: len(accounts[e])})
	}
	for _, g := range groups {
		r.Groups = append(r.Groups, in.group(g))
	}
	order := map[Effect]int{}
	for i, e := range Effects() {
		order[e] = i
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(order[a.Effect], order[b.Effect]), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.App, b.App), cmp.Compare(a.Client, b.Client))
	})
	r.Before, r.After = in.proofs(in.Today), in.proofs(in.Then)
	if n := len(strangers); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d accounts of the log are in no exported list of users; they were replayed as further members whose "+
			"groups and roles are not known", n))
	}
	r.Notes = append(r.Notes, "a log shows who signed in, not who will: accounts without a recorded sign-in are in the proof, not in the replay")
	return r
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
func (in *Input) group(b *building) Group {
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
		g.Policies = append(g.Policies, in.deciding(p)...)
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
// not newly challenged by a policy that asks for it.
func (in *Input) decide(p *Pattern, acc Account, passed bool) []part {
	now, then := in.outcome(in.Today, 0, p), in.outcome(in.Then, 1, p)
	rest := p.Rows - p.Proven
	same := func(n int64) part { return part{effect: Unchanged, rows: n} }
	switch then {
	case access.Blocked:
		return []part{in.blocked(p, acc, p.Rows, "would be blocked")}
	case access.MFARequired:
		if p.Legacy || p.ROPC {
			return []part{same(p.Proven), in.blocked(p, acc, rest, "cannot carry the MFA that would be asked for")}
		}
		was, is := in.besides(in.Today, 0, p), in.besides(in.Then, 1, p)
		switch {
		case is.Refused && !was.Refused:
			return []part{in.blocked(p, acc, p.Rows, "would be refused: the device or app that is asked for besides MFA is not there")}
		case is.MayBeRefused && !was.Refused && !was.MayBeRefused:
			return []part{{effect: UndecidedThen, rows: p.Rows,
				reason: "a device or app is asked for besides MFA, and the log does not say whether it is there"}}
		case is.Strength && !was.Strength && acc.OnlyExternal && Unattended(acc.Class) == "":
			return []part{{effect: ChallengedUnable, rows: p.Rows, ways: directory.WaysOut(directory.Needs{Class: acc.Class, Unregistered: true, Covered: true}),
				reason: "has External MFA alone, which satisfies \"require MFA\" and no authentication strength"}}
		case is.Resistant && !was.Resistant && acc.Registered == KnownYes && acc.Resistant != KnownYes && Unattended(acc.Class) == "":
			return []part{{effect: ChallengedUnknown, rows: p.Rows, reason: noneResistant(acc)}}
		}
		return []part{same(p.Proven), in.challenged(p, acc, passed && !is.Resistant, rest)}
	case access.MFANotRequired:
		if now == access.MFARequired || now == access.Blocked {
			return []part{{effect: Opened, rows: p.Rows, reason: "today's settings " + was(now) + ", the proposed ones do not",
				ways: []directory.WayOut{directory.WayReviewPolicy}}}
		}
		return []part{same(p.Rows)}
	}
	if now == access.Undecided {
		return []part{same(p.Proven), {effect: UndecidedThen, rows: rest, reason: "what is not in the export decides it, today as then"}}
	}
	return []part{same(p.Proven), {effect: UndecidedThen, rows: rest, reason: "what is not in the export decides it"}}
}

// noneResistant says why it is not known whether a phishing-resistant method can be
// given.
func noneResistant(acc Account) string {
	if acc.Resistant == KnownNo {
		return "has registered no phishing-resistant method, and whether a certificate answers is not in the export"
	}
	return "whether a phishing-resistant method is registered is not in the export"
}

func (in *Input) besides(e *access.Engine, which int, p *Pattern) access.Besides {
	point := p.Points[which]
	point.User = p.Subject(e)
	return e.Besides(point)
}

func was(o access.Outcome) string {
	if o == access.Blocked {
		return "block it"
	}
	return "ask for MFA"
}

// outcome decides a pattern by one engine.
func (in *Input) outcome(e *access.Engine, which int, p *Pattern) access.Outcome {
	point := p.Points[which]
	point.User = p.Subject(e)
	return e.Outcome(point)
}

// Subject finds the account among an engine's, or the stand-in for one that was
// not exported.
func (p *Pattern) Subject(e *access.Engine) int {
	for _, name := range []string{p.Account, p.UPN} {
		if i, ok := e.Find(name); ok && name != "" {
			return i
		}
	}
	return e.Stranger()
}

func (in *Input) blocked(p *Pattern, acc Account, rows int64, reason string) part {
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

func (in *Input) challenged(p *Pattern, acc Account, passed bool, rows int64) part {
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
func (in *Input) deciding(p *Pattern) []string {
	point := p.Points[1]
	point.User = p.Subject(in.Then)
	names := in.Then.Protecting(point)
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
