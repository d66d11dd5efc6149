//go:build !judge

package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/archive/view"
	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/report"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/practice/render"
	"partnerguard/internal/problem"
)

// packView is the evidence of a pack as it is read: with what people vouched for and what
// was not read.
type packView struct {
	fs.FS
	beside known
	gaps   []evidence.Input
}

// Lacking implements [lacking].
func (p *packView) Lacking() []evidence.Input { return p.gaps }

func (p *packView) known() known { return p.beside }

// packEntries is what evidence has beside its files where it is that of a pack that is read:
// the pack's other entries.
type packEntries interface {
	Entry(name string) ([]byte, error)
}

// judgePack judges evidence by nothing but what a pack says: the moment, the period, who it
// is of, and what stands beside the pages. Equal packs give equal reports, whenever and
// wherever they are judged by one program.
func judgePack(ctx context.Context, ev *pack.Evidence, t *report.Terms, beside *report.Beside) (*Judged, error) {
	m := ev.Manifest
	r := Reading{quick: true, From: []string{FromArchive + m.Tenant}, AsOf: m.AsOf, Since: t.Since, Until: m.AsOf.Add(time.Second),
		Archive: func(context.Context, Archived) (fs.FS, error) {
			return &packView{ev.FS, known{vouched: slices.Clone(beside.Statements)}, slices.Clone(beside.Lacking)}, nil
		}}
	return judge(ctx, r, Question{AsOf: m.AsOf, Now: later(m.AsOf, m.Made), Kind: t.Kind, Cloud: t.Cloud}, nil)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Packer judges packs while they are made, for [pack.Deps]. Where something is redacted, the
// report that goes into the pack is the one that was judged again from the evidence as the
// redaction left it. Safe for concurrent use.
type Packer struct {
	i *Installation

	mu     sync.Mutex // guards making
	making []*packing // the newest last
}

// packing is one pack that is being made.
type packing struct {
	m     *pack.Manifest
	in    *report.Input
	terms *report.Terms
}

// maxPacking bounds how many makings are remembered: one that ended is not told apart from
// one that goes on.
const maxPacking = 8

// Packer judges packs of this installation.
func (i *Installation) Packer() *Packer { return &Packer{i: i} }

// Judge judges what goes into a pack, and makes the files that tell it.
func (p *Packer) Judge(ctx context.Context, ev *pack.Evidence) (*pack.Judged, error) {
	m, i := ev.Manifest, p.i
	in := inputOf(m)
	if err := i.besidePack(ctx, in, m); err != nil {
		return nil, err
	}
	t := &report.Terms{AsOf: m.AsOf, Since: in.Since, Kind: partner.DirectBill, Cloud: partner.Cloud(i.cloudKind())}
	if err := i.boundPack(ctx, in); err != nil {
		return nil, err
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		in.Build = info
	}
	x := &packing{m, in, t}
	rows, err := tellPack(ctx, x, ev, false)
	if err != nil {
		return nil, err
	}
	files, err := report.Files(in)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making = append(p.making, x)
	p.making = p.making[max(len(p.making)-maxPacking, 0):]
	return &pack.Judged{Verdicts: packVerdicts(in), Agreement: in.Agreement.Edition, Book: in.Report.RuleBook, Files: files,
		Cited: citedBy(in.Report, rows), Bind: func(size int64, root string) { in.Checkpoint.Size, in.Checkpoint.Root = size, root }}, nil
}

// tellPack judges for a pack, and makes it what is told.
func tellPack(ctx context.Context, x *packing, ev *pack.Evidence, cut bool) (rows []practice.Row, err error) {
	j, err := judgePack(ctx, ev, x.terms, &report.Beside{Statements: x.in.Statements, Lacking: x.in.Lacking})
	if err != nil {
		return nil, err
	}
	x.in.Report, x.in.Cut, x.in.Where = j.Report, cut, whereIn(ev)
	rows, x.in.Practices, err = packPractices(ev.Manifest, j)
	return rows, err
}

// packPractices judges the best practices by what is in a pack; nil of a pack about a
// customer, whom they do not speak of. What customers' own tenants would say is not in a
// pack, nor what the installation knows of itself: it is unknown there.
func packPractices(m *pack.Manifest, j *Judged) ([]practice.Row, json.RawMessage, error) {
	if m.Customer != "" {
		return nil, nil, nil
	}
	r := j.practices(nil, nil)
	r.Inputs = nil // report.json has them
	var b bytes.Buffer
	if err := render.JSON(&b, r); err != nil {
		return nil, nil, err
	}
	return r.Practices, b.Bytes(), nil
}

// Again judges the evidence of a pack again: of one that is being made, as far as it was
// written; else see [AgainPack].
func (p *Packer) Again(ctx context.Context, ev *pack.Evidence) ([]pack.Verdict, error) {
	p.mu.Lock()
	n := slices.IndexFunc(p.making, func(x *packing) bool {
		return x.m == ev.Manifest || x.m.Name == ev.Manifest.Name // a try with more of it shown
	})
	var x *packing
	if n >= 0 {
		x = p.making[n]
	}
	p.mu.Unlock()
	if x == nil {
		return AgainPack(ctx, ev)
	}
	tried := *x.in
	if _, err := tellPack(ctx, &packing{ev.Manifest, &tried, x.terms}, ev, true); err != nil {
		return nil, err
	}
	out := packVerdicts(&tried)
	// A report that says another verdict than is signed nobody gets: where they differ the one
	// that was judged from the whole evidence stays, which names nobody.
	said := ev.Manifest.Verdicts
	diff, recounted := pack.Otherwise(said, out)
	if x.m == ev.Manifest && (len(said) == 0 || len(diff) == 0) {
		tried.Recounted = recountWords(recounted)
		*x.in = tried
	}
	return out, nil
}

// besidePack gathers what stands beside the pages. Where names are redacted nobody is named
// there: what people vouch for is judged by what it covers.
func (i *Installation) besidePack(ctx context.Context, in *report.Input, m *pack.Manifest) (err error) {
	if in.Statements, err = i.Posture.Vouched(ctx, m.Tenant, m.AsOf); err != nil {
		return err
	}
	for k := range in.Statements {
		in.Statements[k].Source = evidence.Source{} // a pack that is read does not know it either
	}
	days, err := i.Posture.Period(ctx, m.Tenant, m.From, m.To)
	if err != nil {
		return err
	}
	for _, d := range days {
		in.Days = append(in.Days, report.Day(d))
	}
	list, err := i.Posture.Exceptions(ctx)
	if err != nil {
		return err
	}
	for k := range list {
		if x := &list[k]; x.Added.Before(m.To) && x.Expires.After(m.From) {
			in.Exceptions = append(in.Exceptions, report.Exception{ID: x.ID, Requirement: x.Requirement, Accounts: x.Accounts, Owner: x.Owner, Reason: x.Reason,
				Control: x.Control, AddedBy: x.AddedBy, ApprovedBy: x.DecidedBy, Added: x.Added, Expires: x.Expires, Standing: x.Standing})
		}
	}
	if _, err := i.Collect.Tenant(ctx, m.Tenant); err == nil {
		if in.Gaps, err = i.Collect.Gaps(ctx, m.Tenant, m.AsOf); err != nil {
			return err
		}
	} else if !errors.Is(err, problem.NotFound) { // its pages were restored from elsewhere
		return err
	}
	if in.Lacking = gapsAsInputs(in.Gaps, in.Since); slices.Contains(m.Redaction, form.Names) {
		in.HideNames()
	}
	return nil
}

// boundPack says under which state of the trail it is made, until the pack has a checkpoint of
// its own, and by whose key it is signed.
func (i *Installation) boundPack(ctx context.Context, in *report.Input) error {
	origin, err := i.Trail.Origin(ctx)
	if err != nil {
		return err
	}
	head, err := i.Trail.Head(ctx)
	if err != nil {
		return err
	}
	in.Checkpoint = report.Checkpoint{Origin: origin, Size: head.Seq, Root: hex.EncodeToString(head.Hash[:])}
	if i.Vault == nil {
		return nil
	}
	s, err := i.Trail.Signer(ctx, i.Vault)
	if err != nil {
		return err
	}
	in.Sign = s
	return nil
}

// whereIn finds a line of a log in the pack, where pages are in it.
func whereIn(ev *pack.Evidence) func(string, int) (string, bool) {
	v, ok := ev.FS.(interface {
		Where(name string, line int) (view.Place, bool)
	})
	if ev.Manifest.Evidence == form.None {
		return nil
	}
	cut := len(ev.Manifest.Redaction) > 0
	return func(file string, line int) (string, bool) {
		if !ok || line < 1 {
			return "", false
		}
		p, found := v.Where(file, line)
		return form.PageName(p.Segment, p.Entry, cut), found
	}
}

// citedBy are the records that a report and the practices rest on.
func citedBy(r *assess.Report, rows []practice.Row) (out []pack.Cited) {
	seen := map[pack.Cited]bool{}
	cite := func(list []assess.Evidence) {
		for _, e := range list {
			c := pack.Cited{File: report.FileOf(e.Source.Path), Line: e.Source.Line}
			if c.File != "" && !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	for k := range r.Requirements {
		cite(r.Requirements[k].Evidence)
	}
	for k := range rows {
		cite(rows[k].Evidence)
	}
	return out
}

// packVerdicts are the verdicts as a pack's reader is told them. Where something is redacted
// no reason is given: it is judged before the redaction, and may name somebody.
func packVerdicts(in *report.Input) (out []pack.Verdict) {
	s := report.Shown(in)
	if len(in.Redacted) > 0 {
		s.Report.Requirements = slices.Clone(s.Report.Requirements)
		for k := range s.Report.Requirements {
			s.Report.Requirements[k].Reason = ""
		}
	}
	for k := range s.Report.Requirements {
		q := &s.Report.Requirements[k]
		out = append(out, pack.Verdict{Requirement: q.ID, AsOf: s.Report.AsOf, Verdict: string(q.Verdict), Reason: q.Reason, Affected: q.Affected,
			Total: q.Total})
	}
	for _, q := range s.PracticeRows() {
		if len(in.Redacted) > 0 {
			q.Reason = ""
		}
		out = append(out, pack.Verdict{Requirement: q.ID, AsOf: s.Report.AsOf, Verdict: string(q.Verdict), Reason: q.Reason, Affected: q.Affected,
			Total: q.Total})
	}
	return out
}

// AgainPack judges the evidence of a pack that is read, by what is in the pack alone, and
// gives the verdicts as its reader is told them.
func AgainPack(ctx context.Context, ev *pack.Evidence) ([]pack.Verdict, error) {
	_, out, err := againPack(ctx, ev)
	return out, err
}

// againPack gives also what the files of the pack were made of, as far as the evidence and
// what stands beside it say so.
func againPack(ctx context.Context, ev *pack.Evidence) (*report.Input, []pack.Verdict, error) {
	t, beside, err := readBeside(ev)
	if err != nil {
		return nil, nil, err
	}
	m := ev.Manifest
	j, err := judgePack(ctx, ev, t, beside)
	if err != nil {
		return nil, nil, err
	}
	in := inputOf(m)
	in.Report, in.Cut, in.Where = j.Report, len(m.Redaction) > 0, whereIn(ev)
	in.Statements, in.Gaps, in.Lacking = beside.Statements, beside.Gaps, beside.Lacking
	if slices.ContainsFunc(m.Verdicts, func(v pack.Verdict) bool { return isPractice(v.Requirement) }) { // else of a program that did not judge them yet
		if _, in.Practices, err = packPractices(m, j); err != nil {
			return nil, nil, err
		}
	}
	return in, packVerdicts(in), nil
}

// inputOf is what a report says of its pack, from what the pack says of itself.
func inputOf(m *pack.Manifest) *report.Input {
	return &report.Input{Name: m.Name, Tool: m.Tool, Made: m.Made, Reader: report.Reader(m.Reader), Tenant: m.Tenant, Customer: m.Customer,
		From: m.From, To: m.To, Redacted: m.Redaction, Evidence: m.Evidence, Rejudges: m.Unjudged == "" && m.Evidence == form.All,
		Agreement: report.AgreementOn(m.AsOf), Since: m.Since, Recounted: recountWords(m.Recounted)}
}

// recountWords says what verdicts counted before something was left out.
func recountWords(list []form.Recount) (out []string) {
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s %d of %d", x.Requirement, x.Affected, x.Total))
	}
	return out
}

// readBeside reads what a pack says beside its pages. Kind problem.Unmet where it cannot be
// read, or is of another moment than the pack.
func readBeside(ev *pack.Evidence) (*report.Terms, *report.Beside, error) {
	of, ok := ev.FS.(packEntries)
	if !ok {
		return nil, nil, problem.New(problem.Unmet, "the pack's own entries cannot be read, so nothing is judged again")
	}
	read := func(name string, take func(*bytes.Reader) error) error {
		raw, err := of.Entry(name)
		if err == nil {
			err = take(bytes.NewReader(raw))
		}
		if err != nil {
			return problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", name)
		}
		return nil
	}
	var t *report.Terms
	all := &report.Beside{}
	err := read(report.BookEntry, func(r *bytes.Reader) (err error) { t, err = report.ReadTerms(r); return err })
	for _, name := range []string{report.StatementsEntry, report.GapsEntry} {
		if err != nil {
			return nil, nil, err
		}
		err = read(name, func(r *bytes.Reader) error {
			b, err := report.ReadBeside(r)
			if err == nil {
				all.Statements, all.Gaps, all.Lacking = append(all.Statements, b.Statements...), append(all.Gaps, b.Gaps...), append(all.Lacking, b.Lacking...)
			}
			return err
		})
	}
	if err == nil && !(t.AsOf.Equal(ev.Manifest.AsOf) && t.Since.Equal(ev.Manifest.Since)) {
		err = problem.New(problem.Unmet, "the rule book in the pack is as of %s, and the pack as of %s, or their logs begin on other days",
			t.AsOf.Format(time.RFC3339), ev.Manifest.AsOf.Format(time.RFC3339))
	}
	return t, all, err
}

// PackDifference is where a pack says another verdict than its evidence.
type PackDifference struct {
	Requirement string `json:"requirement"`
	Says        string `json:"says"`  // the pack; "" nothing
	Again       string `json:"again"` // what came out; "" nothing
	Why         string `json:"why"`   // in a sentence
}

// RejudgePack judges a pack again and names each difference; none: the verdicts come out
// again. What a verdict counts is compared as well, and its reason where the rule book is
// the same.
func RejudgePack(ctx context.Context, ev *pack.Evidence) ([]PackDifference, error) {
	again, err := AgainPack(ctx, ev)
	if err != nil {
		return nil, err
	}
	diffs := ComparePack(ev.Manifest, again)
	if of, ok := ev.FS.(packEntries); ok && len(diffs) == 0 {
		if err := toldAlike(of, ev.Manifest); err != nil {
			diffs = append(diffs, PackDifference{Requirement: "report", Why: err.Error()})
		}
	}
	return diffs, nil
}

// ComparePack compares what a pack says with what came out again.
func ComparePack(m *pack.Manifest, again []pack.Verdict) (out []PackDifference) {
	said := map[string]*pack.Verdict{}
	for k := range m.Verdicts {
		v := &m.Verdicts[k]
		if _, known := partner.Find(v.Requirement); (known || isPractice(v.Requirement)) && v.AsOf.Equal(m.AsOf) && said[v.Requirement] == nil {
			said[v.Requirement] = v
			continue
		}
		if v.AsOf.Equal(m.AsOf) {
			out = append(out, PackDifference{v.Requirement, wordsOf(v), "", "this program knows no such requirement, or the pack says it twice"})
		}
	}
	sameBook := m.Book == partner.Revised.String()
	for k := range again {
		v := &again[k]
		was := said[v.Requirement]
		delete(said, v.Requirement)
		switch {
		case was == nil:
			out = append(out, PackDifference{v.Requirement, "", wordsOf(v), "the pack says nothing of it"})
		case was.Verdict != v.Verdict:
			why := "the evidence in the pack gives another verdict: " + v.Reason
			if !sameBook {
				why += "; the pack was judged by the rule book of " + m.Book + ", and this program has that of " + partner.Revised.String()
			}
			out = append(out, PackDifference{v.Requirement, wordsOf(was), wordsOf(v), why})
		case was.Affected != v.Affected || was.Total != v.Total:
			out = append(out, PackDifference{v.Requirement, wordsOf(was), wordsOf(v), "the evidence in the pack gives other numbers"})
		case sameBook && was.Reason != "" && was.Reason != v.Reason:
			out = append(out, PackDifference{v.Requirement, was.Reason, v.Reason, "the evidence in the pack gives another reason"})
		}
	}
	for id, v := range said {
		out = append(out, PackDifference{id, wordsOf(v), "", "nothing in the pack gives it"})
	}
	slices.SortStableFunc(out, func(a, b PackDifference) int { return cmp.Compare(a.Requirement, b.Requirement) })
	return out
}

// isPractice reports the id of a security best practice.
func isPractice(id string) bool {
	_, ok := partner.FindPractice(id)
	return ok
}

func wordsOf(v *pack.Verdict) string {
	if v.Total == 0 {
		return v.Verdict
	}
	return fmt.Sprintf("%s, %d of %d", v.Verdict, v.Affected, v.Total)
}
