package pack

import (
	"context"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
)

// rejudge judges what was written of the evidence, where that is not what was judged: with
// something left out, the verdicts must come out all the same.
func (k *making) rejudge(ctx context.Context) error {
	switch {
	case k.m.Evidence != form.All:
		return nil
	case k.m.Rule() == nil:
		return nil // the pages are those that were judged
	case k.Again == nil:
		return problem.New(problem.Internal, "a pack with something left out is judged again, and there is nobody who does")
	}
	diff, err := k.differences(ctx, k, k.m)
	if err != nil || len(diff) == 0 {
		return err
	}
	if k.o.NotRejudged {
		k.m.Unjudged = "with what is left out, these come out otherwise: " + named(diff)
		return nil
	}
	p := problem.New(problem.Unmet, "with %s left out, verdicts come out otherwise: %s", strings.Join(k.m.Redaction, " and "), named(diff))
	if keep := k.which(ctx); len(keep) > 0 {
		return p.WithHint("the judge needs %s: --keep %s shows it; or --not-rejudged says so in the pack", strings.Join(keep, ", "), strings.Join(keep, ","))
	}
	return p.WithHint("leave out less, or --not-rejudged says so in the pack")
}

func named(diff []Difference) string {
	var list []string
	for i, d := range diff {
		if i == 5 {
			list = append(list, "…")
			break
		}
		list = append(list, d.Requirement+" was "+d.Was+" and is "+or(d.Is, "not judged"))
	}
	return strings.Join(list, "; ")
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// differences judges the evidence that was written so far, by what is beside it in the
// pack that is made.
func (k *making) differences(ctx context.Context, of *making, m *Manifest) ([]Difference, error) {
	r, err := k.w.Read()
	if err != nil {
		return nil, err
	}
	v, err := View(ctx, r, m)
	if err != nil {
		return nil, err
	}
	if v.from, err = of.w.Read(); err != nil {
		return nil, err
	}
	out, err := k.Again(ctx, &Evidence{FS: v, Manifest: m})
	if err != nil {
		return nil, err
	}
	return Differences(m.Verdicts, out), nil
}

// mostTries bounds how many members are tried.
const mostTries = 16

// which finds out which members the judge needs: those without which a verdict comes out
// otherwise, each tried alone, the most frequent first; then the first few together. nil:
// it is not these.
func (k *making) which(ctx context.Context) []string {
	names := slices.SortedFunc(maps.Keys(k.members), func(a, b string) int {
		if k.members[a] != k.members[b] {
			return int(min(max(k.members[b]-k.members[a], -1), 1))
		}
		return strings.Compare(a, b)
	})
	names = names[:min(len(names), mostTries)]
	for _, n := range names {
		if k.comesOut(ctx, n) {
			return []string{n}
		}
	}
	if len(names) > 1 && k.comesOut(ctx, names...) {
		need := slices.Clone(names)
		for _, n := range names { // each that is not needed goes again
			if less := slices.DeleteFunc(slices.Clone(need), func(s string) bool { return s == n }); len(less) > 0 && k.comesOut(ctx, less...) {
				need = less
			}
		}
		return need
	}
	return nil
}

// comesOut writes the evidence once more, with some members shown, and judges it.
func (k *making) comesOut(ctx context.Context, keep ...string) bool {
	f, err := newSpool(k.dir)
	if err != nil {
		return false
	}
	defer f.close()
	m := *k.m
	m.Entries, m.Lacking, m.Pages, m.Leaves = nil, nil, form.Pages{}, &leaf.Counts{}
	m.Kept = append(slices.Clone(m.Kept), keep...)
	o := *k.o
	o.Progress = nil
	try := &making{Store: k.Store, o: &o, m: &m, w: form.NewWriter(f.f), dir: k.dir, view: k.view}
	if err := try.evidence(ctx, try.choose(&Judged{})); err != nil {
		return false
	}
	diff, err := try.differences(ctx, k, &m)
	return err == nil && len(diff) == 0
}
