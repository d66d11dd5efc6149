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

// rejudge judges the evidence anew as what is left out leaves it: the verdicts must come
// out all the same. It is also what the report of the pack is made of then, so it is done
// where the evidence is not in the pack, too.
func (k *making) rejudge(ctx context.Context) error {
	if k.m.Rule() == nil {
		return nil // the pages are those that were judged
	}
	if k.Again == nil {
		return problem.New(problem.Internal, "a pack with something left out is judged again, and there is nobody who does")
	}
	diff, out, err := k.differences(ctx)
	if err != nil {
		return err
	}
	if len(diff) == 0 {
		_, k.m.Recounted = Otherwise(k.m.Verdicts, out)
		k.recount(out)
		return nil
	}
	if k.o.NotRejudged {
		k.m.Unjudged = "with what is left out, these come out otherwise: " + named(diff)
		return nil
	}
	p := problem.New(problem.Unmet, "with %s left out, verdicts come out otherwise: %s", strings.Join(k.m.Redaction, " and "), named(diff))
	if keep := k.which(ctx); len(keep) > 0 {
		return p.WithHint("the judge needs %s: --keep %s shows it; or --not-rejudged says so in the pack", strings.Join(keep, ", "), strings.Join(keep, ","))
	}
	return p.WithHint("%s", "no member alone is the cause, but records that are left out whole: leave out names or addresses alone; "+
		"or --not-rejudged says so in the pack")
}

// recount has what is unknown count as it is read: so it comes out again.
func (k *making) recount(out []Verdict) {
	for _, x := range k.m.Recounted {
		is := func(v Verdict) bool { return v.Requirement == x.Requirement }
		v, o := &k.m.Verdicts[slices.IndexFunc(k.m.Verdicts, is)], out[slices.IndexFunc(out, is)]
		v.Affected, v.Total = o.Affected, o.Total
	}
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

// differences judges the evidence that is in the pack, or would be in one with all of it.
func (k *making) differences(ctx context.Context) ([]Difference, []Verdict, error) {
	if k.m.Evidence != form.All {
		t, done, err := k.attempt()
		if err != nil {
			return nil, nil, err
		}
		defer done()
		if err := t.evidence(ctx, t.choose(nil)); err != nil {
			return nil, nil, err
		}
		k.members = t.members
		return t.compare(ctx, k.m)
	}
	return k.compare(ctx, k.m)
}

// compare judges what was written so far, for the manifest of a pack.
func (k *making) compare(ctx context.Context, of *Manifest) (diff []Difference, out []Verdict, err error) {
	r, err := k.w.Read()
	if err != nil {
		return nil, nil, err
	}
	v, err := View(ctx, r, k.m)
	if err != nil {
		return nil, nil, err
	}
	if out, err = k.Again(ctx, &Evidence{FS: v, Manifest: of}); err != nil {
		return nil, nil, err
	}
	diff, _ = Otherwise(of.Verdicts, out)
	return diff, out, nil
}

// attempt is a pack with all of the evidence that nobody gets.
func (k *making) attempt(keep ...string) (t *making, done func(), err error) {
	f, err := newSpool(k.dir)
	if err != nil {
		return nil, nil, err
	}
	m := *k.m
	m.Evidence, m.Entries, m.Lacking, m.Pages, m.Leaves = form.All, nil, nil, form.Pages{}, &leaf.Counts{}
	m.Kept = append(slices.Clone(m.Kept), keep...)
	o := *k.o
	o.Progress = nil
	return &making{Store: k.Store, o: &o, m: &m, w: form.NewWriter(f.f), dir: k.dir, view: k.view}, f.close, nil
}

// which finds out which members the judge needs: all that were left out are shown, and then
// half of them, a quarter and so on left out again where that does no harm. nil: it is not
// these, but a record that is withheld whole.
func (k *making) which(ctx context.Context) []string {
	need := slices.Sorted(maps.Keys(k.members))
	for {
		ok, more := k.comesOut(ctx, need...)
		if ok {
			break
		}
		// Within a member that is shown there may be others that the rule names.
		all := slices.Compact(slices.Sorted(slices.Values(append(more, need...))))
		if len(all) == len(need) {
			return nil
		}
		need = all
	}
	for size := len(need) / 2; size >= 1 && len(need) > 1; size /= 2 {
		for at := 0; at < len(need) && size < len(need); {
			less := slices.Delete(slices.Clone(need), at, min(at+size, len(need)))
			if ok, _ := k.comesOut(ctx, less...); ok {
				need = less
			} else {
				at += size
			}
		}
	}
	return need
}

// comesOut writes the evidence once more, with some members shown, and judges it. It gives
// also which members were left out all the same.
func (k *making) comesOut(ctx context.Context, keep ...string) (ok bool, left []string) {
	t, done, err := k.attempt(keep...)
	if err != nil {
		return false, nil
	}
	defer done()
	if err := t.evidence(ctx, t.choose(nil)); err != nil {
		return false, nil
	}
	diff, _, err := t.compare(ctx, t.m)
	return err == nil && len(diff) == 0, slices.Collect(maps.Keys(t.members))
}
