package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// CheckSchema names the JSON form of Check.
const CheckSchema = "partnerguard.export-check/1"

// Check is whether an export is enough.
type Check struct {
	Schema      string    `json:"schema"`
	AsOf        time.Time `json:"asOf"`
	PartnerKind string    `json:"partnerKind"`
	Cloud       string    `json:"cloud"`
	Licence     string    `json:"licence"`     // free, p1, p2; "" not known
	LicenceFrom string    `json:"licenceFrom"` // "flag", "export", "" not known: nothing is left out
	Sample      bool      `json:"sample"`

	Complete bool   `json:"complete"` // everything needed is there and whole
	Answer   string `json:"answer"`   // one sentence
	Whole    int    `json:"whole"`    // of Needed
	Needed   int    `json:"needed"`   // files that a rule needs
	// Run are the requests that settle what is missing, one line each, in the
	// order in which they are best made.
	Run   []string         `json:"run"`
	Files []CheckFile      `json:"files"`
	Left  []LeftOut        `json:"leftOut"` // this partner cannot make them
	Rules []CheckRule      `json:"rules"`
	Input []evidence.Input `json:"inputs"`
}

// CheckFile is one kind of evidence.
type CheckFile struct {
	Kind    evidence.Kind   `json:"kind"`
	File    string          `json:"file"` // the name to save it under
	Need    string          `json:"need"` // needed, helps, or not_known: the lists that would name it are not whole
	Extent  evidence.Extent `json:"extent"`
	Records int             `json:"records"`
	Instead string          `json:"instead"` // the kind that was read in its place
	Says    string          `json:"says"`    // of a log, the period it covers
	Why     []evidence.Cut  `json:"why"`     // of a partial list
	Run     string          `json:"run"`     // "" when nothing has to be done
	// PowerShell is the line of the plan for it.
	PowerShell string   `json:"powershell"`
	Portal     []string `json:"portal"`
	NeededBy   []string `json:"neededBy"`
	Helps      []string `json:"helps"`
}

// lacking reports a file that has to be made.
//
// Half of a list that only helps is lacking too: what was handed in is weighed,
// and its other half may speak against.
func (c *CheckFile) lacking() bool {
	return c.Need == needed && c.Extent != evidence.Entire || c.Need == helps && c.Extent == evidence.Partly
}

// The words of CheckFile.Need.
const (
	needed   = "needed"
	helps    = "helps"
	notKnown = "not_known"
)

// CheckRule is one rule.
type CheckRule struct {
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Level   string          `json:"level"`
	Binding string          `json:"binding"`
	Ready   bool            `json:"ready"` // all that it needs is there and whole
	There   []evidence.Kind `json:"there"`
	Partial []evidence.Kind `json:"partial"`
	Absent  []evidence.Kind `json:"absent"`
	Left    []evidence.Kind `json:"leftOut"` // needed, and not to be had
	Open    []string        `json:"open"`    // what no request settles
	Run     string          `json:"run"`     // the one thing to run first; "" when ready
}

// MakeCheck holds what was read against what the rules need.
func MakeCheck(f *facts.Facts, o Options) *Check {
	o.fill()
	c := &Check{
		Schema: CheckSchema, AsOf: o.AsOf, PartnerKind: string(o.Kind), Cloud: string(o.Cloud), LicenceFrom: "flag",
		Run: []string{}, Files: []CheckFile{}, Left: []LeftOut{}, Rules: []CheckRule{}, Input: append([]evidence.Input{}, f.Inputs...),
	}
	if o.Licence == "" {
		c.LicenceFrom = ""
		if o.Licence = licenceOf(f); o.Licence != "" {
			c.LicenceFrom = "export"
		}
	}
	c.Licence = string(o.Licence)
	n := named(f)
	still := stillOpen(f, &n)
	rules := o.rules()
	files := map[evidence.Kind]*CheckFile{}
	left := map[evidence.Kind]bool{}
	for _, r := range evidence.Requests() {
		one := look(f, &r, &n, &o, rules)
		if one == nil {
			continue
		}
		demote(one, still, &r, &o)
		if r.Kind == evidence.UnifiedAuditSignIn && one.Extent == evidence.Absent && o.Licence != evidence.Free {
			continue // weak evidence beside a log that says more
		}
		if why := o.out(&r); why != "" && one.Extent == evidence.Absent {
			if len(one.NeededBy) > 0 {
				// The licences of the export itself say that there is nobody; a flag is a word.
				left[r.Kind] = !r.Nobody || c.LicenceFrom != "export"
				c.Left = append(c.Left, LeftOut{r.Kind, r.File, why, r.Without, one.NeededBy})
			}
			continue
		}
		c.Files = append(c.Files, *one)
		files[r.Kind] = one
		if one.Need == needed {
			c.Needed++
		}
		if one.lacking() {
			c.Run = append(c.Run, one.Run)
		} else if one.Need == needed {
			c.Whole++
		}
	}
	for i := range rules {
		w := weigh(&rules[i], &n, files, left)
		for _, s := range still[w.ID] {
			if s.kind == "" {
				w.Open, w.Ready = append(w.Open, s.cut.Why), false
			}
		}
		c.Rules = append(c.Rules, w)
	}
	c.Complete = c.Whole == c.Needed && len(c.Run) == 0
	c.Answer = answer(c)
	return c
}

// look finds how much of a kind is there; nil when no rule asks for it.
func look(f *facts.Facts, r *evidence.Request, n *names, o *Options, rules []ruling) *CheckFile {
	needs, may, help := users(rules, r.Kind)
	out := &CheckFile{
		Kind: r.Kind, File: r.File, Need: needed, NeededBy: list(needs), Helps: list(help), Portal: list(r.Portal), Records: f.Seen[r.Kind],
	}
	open := false
	for _, rule := range may {
		asked, known := n.asks(r.Kind, rule)
		open = open || !known
		if asked {
			out.NeededBy = append(out.NeededBy, rule)
		}
	}
	if open && len(out.NeededBy) == 0 {
		out.Need = notKnown
	}
	if len(out.NeededBy) == 0 && out.Need == needed {
		if len(help) == 0 {
			return nil
		}
		out.Need = helps
	}
	out.Extent, out.Why = extent(f, r.Kind)
	if out.Extent == evidence.Absent {
		for _, k := range r.Instead {
			if x, why := extent(f, k); x > out.Extent {
				out.Extent, out.Why, out.Instead, out.Records = x, why, string(k), f.Seen[k]
			}
		}
	}
	if out.Extent != evidence.Absent && out.Instead == "" {
		if more := within(f, r.Kind, n); len(more) > 0 {
			out.Extent, out.Why = evidence.Partly, append(out.Why, more...)
		}
	}
	if r.Kind == evidence.SignIn && f.SignIns != nil && !f.SignIns.First.IsZero() {
		out.Says = fmt.Sprintf("%s to %s", f.SignIns.First.UTC().Format(time.DateOnly), f.SignIns.Last.UTC().Format(time.DateOnly))
	}
	out.Why = append([]evidence.Cut{}, out.Why...)
	if out.Need != helps && out.Extent != evidence.Entire || out.Extent == evidence.Partly {
		out.Run, out.PowerShell = r.String(), line(r, o)
		if len(out.Why) > 0 {
			out.Run = cmp.Or(out.Why[0].Request, out.Run)
		}
	}
	return out
}

// weigh says of a rule what of its needs is there.
func weigh(r *ruling, n *names, files map[evidence.Kind]*CheckFile, left map[evidence.Kind]bool) CheckRule {
	out := CheckRule{
		ID: r.ID, Title: r.Title, Level: string(r.Level), Binding: string(r.standing),
		There: []evidence.Kind{}, Partial: []evidence.Kind{}, Absent: []evidence.Kind{}, Left: []evidence.Kind{}, Open: []string{},
	}
	kinds := slices.Clone(r.Needs)
	for _, k := range r.May {
		if asked, _ := n.asks(k, r.ID); asked {
			kinds = append(kinds, k)
		}
	}
	for _, k := range r.Helps { // half of it decides as much as the whole
		if one := files[k]; one != nil && one.Extent == evidence.Partly {
			kinds = append(kinds, k)
		}
	}
	for _, req := range evidence.Requests() { // the order of the requests: the first is run first
		if !slices.Contains(kinds, req.Kind) {
			continue
		}
		one := files[req.Kind]
		lost, known := left[req.Kind]
		switch {
		case lost:
			out.Left = append(out.Left, req.Kind)
			continue
		case known: // left out, and nothing is lost
			continue
		case one == nil || one.Extent == evidence.Absent:
			out.Absent = append(out.Absent, req.Kind)
		case one.Extent == evidence.Partly:
			out.Partial = append(out.Partial, req.Kind)
		default:
			out.There = append(out.There, req.Kind)
			continue
		}
		if out.Run == "" && one != nil {
			out.Run = one.Run
		}
	}
	out.Ready = len(out.Absent)+len(out.Partial)+len(out.Left) == 0
	return out
}

// answer is the check in a sentence.
func answer(c *Check) string {
	var b strings.Builder
	switch {
	case c.Needed == 0:
		b.WriteString("no rule needs a file")
	case c.Complete && c.Needed == 1:
		b.WriteString("the one file that the rules need is there and whole")
	case c.Complete:
		fmt.Fprintf(&b, "all %d files that the rules need are there and whole", c.Needed)
	default:
		fmt.Fprintf(&b, "%d of %d files that the rules need %s there and whole; run ", c.Whole, c.Needed,
			map[bool]string{true: "is", false: "are"}[c.Whole == 1])
		if len(c.Run) == 1 {
			b.WriteString("this one request")
		} else {
			fmt.Fprintf(&b, "these %d requests", len(c.Run))
		}
	}
	if k := len(c.Left); k > 0 {
		fmt.Fprintf(&b, "; %d more cannot be had by this partner", k)
	}
	return b.String()
}
