package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Look decides whether a stage of a plan may be begun: what it proves, whom it breaks, whom
// it locks out, what Microsoft would refuse, and what cannot be said. A gate passes when no
// finding refuses. An error is about the plan, of kind BadInput; what is wrong with the
// settings is a finding. It is safe for concurrent use, and equal input gives equal gates.
func Look(in Input) (*remedy.Gate, error) {
	if in.Plan == nil || in.Tenant == nil {
		return nil, problem.New(problem.Internal, "a gate needs a plan and the settings")
	}
	in.Tenant = known(in)
	moves, err := Expand(in.Plan, in.From, in.Stage, in.Tenant)
	if err != nil {
		return nil, err
	}
	l := &look{Input: in, moves: moves, seen: map[string]bool{}, gate: &remedy.Gate{At: in.Now.UTC(), Stage: in.Stage,
		Answers: []remedy.Answer{}, Findings: []remedy.Finding{}, Ways: []remedy.Way{}}}
	for i := range moves {
		l.affects = l.affects || moves[i].Affects()
	}
	l.conflicts()
	l.outside()
	if err := l.lockOut(); err != nil {
		return l.unmade(err)
	}
	if err := l.prove(); err != nil {
		return l.unmade(err)
	}
	if err := l.persons(); err != nil {
		return l.unmade(err)
	}
	l.rehearse()
	l.licences()
	l.lasting()
	return l.finish(), nil
}

// known lays the groups of the stage that was reached over settings that were read before
// they were made: who is in them the plan says.
func known(in Input) *access.Tenant {
	if !on(in.From) {
		return in.Tenant
	}
	moves, err := Expand(in.Plan, "", in.From, in.Tenant)
	if err != nil {
		return in.Tenant // told when the moves of this stage are made
	}
	w := newWorld(in.Tenant, moves, in.IDs)
	made := map[string]bool{}
	for i := range moves {
		m := &moves[i]
		switch {
		case m.Kind == remedy.Group && m.Of == 0 && in.IDs[m.Key] != "" && !in.Tenant.KnownGroups[strings.ToLower(in.IDs[m.Key])]:
			made[m.Key] = true
		case m.Kind == remedy.Member && m.Of == 0 && made[strings.Trim(keyIn.FindString(string(m.After)), "{}")]:
		default:
			continue
		}
		if w.apply(m) != nil {
			return in.Tenant
		}
	}
	return w.tenant()
}

// look is one gate that is being made.
type look struct {
	Input
	moves   []Move
	affects bool // something of it may change who gets in
	gate    *remedy.Gate
	seen    map[string]bool // ids of findings

	first *access.Engine // the settings as they are
	last  *access.Engine // as they would be at the end
	open  map[string]bool
}

// unmade ends a gate whose settings could not be thought through.
func (l *look) unmade(err error) (*remedy.Gate, error) {
	if !errors.Is(err, problem.Conflict) {
		return nil, err
	}
	l.add(remedy.Finding{Kind: remedy.Conflicts, Text: err.Error(), WaysOut: []string{"make the plan anew from the settings as they are now"}}, "gone")
	return l.finish(), nil
}

// add adds a finding under its id: kind, subject and what, and nothing that counts or
// changes. One that is there already is not added twice.
func (l *look) add(f remedy.Finding, what string) {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Kind), strings.ToLower(f.SubjectID), what}, "\x00")))
	f.ID = hex.EncodeToString(sum[:4])
	switch f.Kind {
	case remedy.Opens, remedy.Misses, remedy.Breaks, remedy.Unknown, remedy.Lasts:
		f.Acceptable = true
	}
	if l.seen[f.ID] {
		return
	}
	l.seen[f.ID] = true
	l.gate.Findings = append(l.gate.Findings, f)
}

// gravity is the place of a kind among the others.
var gravity = map[remedy.FindingKind]int{remedy.LocksOut: 0, remedy.Opens: 1, remedy.Conflicts: 2, remedy.Misses: 3, remedy.Breaks: 4, remedy.Licence: 5,
	remedy.Unknown: 6, remedy.Lasts: 7, remedy.Tells: 8}

// finish accepts what was accepted, and orders: what refuses first, then what a person took
// upon themselves, then what is told.
func (l *look) finish() *remedy.Gate {
	g := l.gate
	g.Passed = true
	for i := range g.Findings {
		f := &g.Findings[i]
		for k := range l.Plan.Accepted {
			if a := &l.Plan.Accepted[k]; f.Acceptable && a.Finding == f.ID && a.By != "" && a.Why != "" && a.Holds(l.Now) {
				kept := *a
				f.Accepted = &kept
			}
		}
		g.Passed = g.Passed && !f.Refuses()
	}
	order := func(f *remedy.Finding) int {
		switch {
		case f.Refuses():
			return 0
		case f.Accepted != nil:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(g.Findings, func(a, b remedy.Finding) int {
		return cmp.Or(cmp.Compare(order(&a), order(&b)), cmp.Compare(gravity[a.Kind], gravity[b.Kind]), cmp.Compare(b.SignIns, a.SignIns),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.ID, b.ID))
	})
	return g
}

// upTo gives the settings once all moves up to a phase are made; less than zero: all.
func (l *look) upTo(last phase) (*access.Tenant, error) {
	n := 0
	for n < len(l.moves) && l.moves[n].phase <= last {
		n++
	}
	return Over(l.Tenant, l.moves, n, l.IDs)
}

// in reports a phase with a move that may change who gets in.
func (l *look) in(p phase) bool {
	return slices.ContainsFunc(l.moves, func(m Move) bool { return m.phase == p && m.Affects() })
}
