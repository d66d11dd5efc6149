package access

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// ProofVerdict is the answer to a question over all sign-ins.
type ProofVerdict string

// The verdicts. Unknown is never proved.
const (
	Proved       ProofVerdict = "proved"
	GapFound     ProofVerdict = "gap"
	UnknownProof ProofVerdict = "unknown"
)

// Proof answers a question. Gaps are ranked: the widest first, then those of
// most accounts; gaps of break-glass accounts alone come last.
type Proof struct {
	Question string       `json:"question"`
	Title    string       `json:"title"`
	Verdict  ProofVerdict `json:"verdict"`
	Reason   string       `json:"reason"`
	Accounts int          `json:"accounts"` // asked about, stand-ins included
	Open     int          `json:"open"`     // with a gap
	Gaps     []Gap        `json:"gaps"`
	More     int          `json:"more"` // gaps beyond those listed
	// Possible gaps hang on what is not known; they make a verdict unknown.
	Possible []Gap       `json:"possible"`
	Policies []PolicyUse `json:"policies"`
	Missing  []string    `json:"missing"` // what to export so that unknown becomes an answer
	Facts    []string    `json:"facts"`   // what else a reader should know
	// Conditions are settings that no export shows and on which a proof hangs.
	Conditions []string `json:"conditions,omitempty"`
	// TooComplex says that the bound on work was met; the gaps listed are real,
	// others may exist.
	TooComplex bool `json:"tooComplex"`

	open *findings
}

// GapOf is the gap of one of [Tenant.Users] that is fixed first, or nil. It is
// safe for concurrent use.
func (p *Proof) GapOf(user int) *Gap {
	if p.open == nil {
		return nil
	}
	return p.open.gapOf(user)
}

// Gap is a set of sign-ins that nothing protects.
type Gap struct {
	Who     Who      `json:"who"`
	What    []Narrow `json:"what"` // dimensions on which the gap is not "any"
	Text    string   `json:"text"` // the gap in one line
	Why     []Why    `json:"why"`  // the clauses that open it, nearest policies first
	Witness Witness  `json:"witness"`
}

// Who lists the accounts of a gap.
type Who struct {
	Count      int      `json:"count"`
	Names      []string `json:"names"`      // at most 10
	BreakGlass bool     `json:"breakGlass"` // all of them are break-glass accounts
}

// Narrow is one dimension of a gap.
type Narrow struct {
	Dimension string   `json:"dimension"`
	Values    []string `json:"values"`
}

// Why is one policy and the clause by which it lets the gap through.
type Why struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	Clause string `json:"clause"`
}

// Witness is one concrete sign-in of a gap, confirmed by Decide.
type Witness struct {
	Account   string  `json:"account"`
	SignIn    SignIn  `json:"signIn"`
	Outcome   Outcome `json:"outcome"`
	Confirmed bool    `json:"confirmed"`
}

// PolicyUse says how a policy counts towards an answer.
type PolicyUse struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	State  State  `json:"state"`
	Counts bool   `json:"counts"`
	Why    string `json:"why"`
}

// maxGaps bounds the gaps listed.
const maxGaps = 50

// Prove answers a question over all sign-ins it is about. The error is about
// the question. Prove is safe for concurrent use.
func (e *Engine) Prove(q Question) (*Proof, error) { return e.prove(q, false) }

// prove is Prove; apart tells everybody apart: see [Engine.cohorts].
func (e *Engine) prove(q Question, apart bool) (*Proof, error) {
	c, err := e.compile(q)
	if err != nil {
		return nil, err
	}
	q = c.Question
	p := &Proof{Question: q.Name, Title: q.Title, Gaps: []Gap{}, Possible: []Gap{}, Policies: e.policyUses(c), Missing: []string{}, Facts: e.facts(c)}
	var always mask
	if !apart {
		always = e.always(c)
	}
	cohorts, asked := e.cohorts(c, always)
	p.Accounts = asked
	certain := newDiagram(e, c, false) // possible matches protect: what is open here is open for certain
	open := e.search(c, certain, cohorts)
	p.TooComplex = certain.over
	stranger := e.strangers(c)
	switch {
	case open.accounts > 0 && len(e.tenant.PoliciesLack) > 0:
		// A further policy may close it.
		p.Verdict, p.Possible = UnknownProof, nil
		p.Possible, _ = open.list()
		p.Missing = append(append(p.Missing, e.tenant.PoliciesLack...), e.missing(c)...)
		thing, _ := evidence.SplitAsk(e.tenant.PoliciesLack[0])
		p.Reason = "no policy that is in the export closes it, and there may be others; missing: " + thing
	case open.accounts > 0:
		p.open, p.Open = open, open.accounts
		p.Gaps, p.More = open.list()
		p.Verdict = GapFound
		p.Reason = e.gapReason(c, p, cohorts)
		if p.TooComplex {
			p.Reason += "; the policies are too entangled to look at every sign-in within bounds, so there may be more"
		}
	case c.nothing != "":
		p.Verdict, p.Reason = UnknownProof, "the question asks about no sign-in: "+c.nothing
	case len(stranger) > 0:
		p.Verdict, p.Reason = UnknownProof, "not in the export: "+join(stranger)
		p.Missing = append(p.Missing, stranger...)
	case asked == 0 && len(q.Roles) > 0 && (len(cohorts) > 0 || e.rolesOpen()):
		p.Verdict, p.Reason = UnknownProof, "who holds a directory role is not in the export, or not all of it"
		p.Missing = append(p.Missing, e.missing(c)...)
	case asked == 0:
		p.Verdict, p.Reason = UnknownProof, "no account in the export is asked about"
	case p.TooComplex:
		p.Verdict, p.Reason = UnknownProof, tooComplex
	default:
		e.pessimist(c, p, cohorts)
	}
	if open.cut && p.Verdict == GapFound {
		p.Facts = append(p.Facts, "the gaps are many and intricate; the list shows the first of each kind")
	}
	return p, nil
}

// pessimist asks whether what is not known could leave something open, and
// fills in the verdict.
func (e *Engine) pessimist(c *compiledQuestion, p *Proof, cohorts []cohort) {
	d := newDiagram(e, c, true)
	possible := e.search(c, d, cohorts)
	p.TooComplex = d.over
	switch {
	case p.TooComplex:
		p.Verdict, p.Reason = UnknownProof, tooComplex
	case possible.accounts > 0:
		p.Verdict = UnknownProof
		p.Possible, _ = possible.list()
		p.Missing = e.missing(c)
		p.Reason = Hangs
		if things := thingsOf(p.Missing); len(things) > 0 {
			p.Reason += ": " + strings.Join(things[:min(2, len(things))], "; ")
			if n := len(things) - 2; n > 0 {
				p.Reason += fmt.Sprintf("; and %d more", n)
			}
		}
	default:
		p.Verdict, p.Reason = Proved, e.provedReason(cohorts)
		if e.hangsOnBaselineScopes(c, cohorts) {
			p.Conditions = append(p.Conditions, baselineCondition)
			p.Reason += ", " + baselineCondition
		}
	}
}

// thingsOf are what is missing without the requests, and only the first of what
// one request settles: a reason names things.
func thingsOf(missing []string) (things []string) {
	asked := map[string]bool{}
	for _, m := range missing {
		thing, request := evidence.SplitAsk(m)
		if request == "" || !asked[request] {
			things = append(things, thing)
		}
		asked[request] = true
	}
	return things
}

// Hangs is the reason of an unknown that the export could settle; after a colon
// it names the things that are missing, if they are known.
const Hangs = "what is not in the export decides it"

const tooComplex = "the policies are too entangled to be proved within bounds; no gap was found so far"

// joinEAS joins a gap of Exchange ActiveSync, which reaches Exchange alone,
// with the gap of other clients that is the same but for that.
func (e *Engine) joinEAS(c *compiledQuestion, boxes []box) []box {
	onlyEAS := func(b box) bool {
		set := b[dimClient]
		return set != nil && set[0] == 1<<clientEAS
	}
	var out, eas []box
	for _, b := range boxes {
		if onlyEAS(b) {
			eas = append(eas, b)
		} else {
			out = append(out, b)
		}
	}
next:
	for _, b := range eas {
		for _, o := range out {
			same := o[dimClient] != nil && hasClass(o[dimResource], e.apps[entra.AppExchange])
			for l := range b {
				if dimID(l) != dimClient && dimID(l) != dimResource && !slices.Equal(b[l], o[l]) {
					same = false
				}
			}
			if same {
				o[dimClient] = slices.Clone(o[dimClient])
				o[dimClient][0] |= 1 << clientEAS
				continue next
			}
		}
		out = append(out, b)
	}
	return out
}

func covers(set []uint64, classes []int) bool {
	for _, k := range classes {
		if !hasClass(set, k) {
			return false
		}
	}
	return true
}

func (e *Engine) who(subjects []int32) Who {
	w := Who{BreakGlass: true, Names: []string{}}
	seen := make(map[int]bool, len(subjects))
	for _, i := range subjects {
		if a := e.account(int(i)); seen[a] {
			continue
		} else {
			seen[a] = true
		}
		w.Count++
		s := e.subject(int(i))
		w.BreakGlass = w.BreakGlass && s.BreakGlass
		if len(w.Names) < 10 {
			w.Names = append(w.Names, s.label())
		}
	}
	sort.Strings(w.Names)
	return w
}

// lead puts the account of the witness first, so that a reader meets one person.
func (w *Who) lead(account string) {
	i := slices.Index(w.Names, account)
	if i < 0 && len(w.Names) > 0 {
		i = len(w.Names) - 1 // those named are some of all
		w.Names[i] = account
	}
	if i > 0 {
		copy(w.Names[1:i+1], w.Names[:i])
		w.Names[0] = account
	}
}

// rank orders gaps the way a person would fix them.
func rank(gaps []Gap) []Gap {
	slices.SortStableFunc(gaps, func(a, b Gap) int {
		return cmp.Or(
			compareBools(a.Who.BreakGlass, b.Who.BreakGlass),
			cmp.Compare(len(a.What), len(b.What)),
			cmp.Compare(b.Who.Count, a.Who.Count),
			cmp.Compare(a.Text, b.Text))
	})
	return gaps
}
