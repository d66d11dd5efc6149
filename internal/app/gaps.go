//go:build !judge

package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// gapInputs are the gaps of a tenant as inputs whose lists are not whole. As of the
// newest of the archive it is what was missing when the last round ended: that time
// went by since is said by the age of the evidence.
func (i *Installation) gapInputs(ctx context.Context, tenant string, a Archived) ([]evidence.Input, error) {
	t, err := i.Collect.Tenant(ctx, tenant)
	if errors.Is(err, problem.NotFound) {
		return nil, nil // its pages were restored from elsewhere
	}
	if err != nil {
		return nil, err
	}
	at := a.AsOf
	if at.IsZero() {
		at = t.Last
	}
	gaps, err := i.Collect.Gaps(ctx, t.ID, at)
	if err != nil {
		return nil, err
	}
	return gapsAsInputs(gaps, a.Since), nil
}

// gapsAsInputs brings gaps to the form of inputs, one a resource.
func gapsAsInputs(gaps []evidence.Gap, since time.Time) (out []evidence.Input) {
	for i := range gaps {
		g := &gaps[i]
		if !decides(g, since) {
			continue
		}
		path := "archive:gaps/" + g.Resource
		n := slices.IndexFunc(out, func(in evidence.Input) bool { return in.Path == path })
		if n < 0 {
			n = len(out)
			out = append(out, evidence.Input{Path: path, Format: "gap ledger", Status: evidence.Read})
		}
		out[n].Shorten(g.Cut())
	}
	return out
}

// decides reports a gap that the list of its kind is not whole by. An interval counts
// where it is looked at. What another resource of the kind says more, such as which
// apps signed in by themselves, is no part of the list that is judged by.
func decides(g *evidence.Gap, since time.Time) bool {
	if g.Interval() && !g.To.After(since) {
		return false
	}
	if g.Kind == evidence.SignIn {
		return strings.HasSuffix(g.Resource, ".interactiveUser") || strings.HasSuffix(g.Resource, ".nonInteractiveUser")
	}
	first := slices.IndexFunc(evidence.Resources(), func(r evidence.Resource) bool { return r.Kind == g.Kind })
	return first < 0 || evidence.Resources()[first].Name == g.Resource
}
