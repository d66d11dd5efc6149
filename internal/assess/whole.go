package assess

import (
	"fmt"
	"slices"

	"partnerguard/internal/evidence"
)

// A verdict that rests on an absence needs the whole of what was looked
// through. Judges state what theirs rests on (ruling.relies, ruling.heeds), and
// tempered turns it to unknown where one of these lists is not whole: one rule
// for all, so that no judge can forget it.

// cuts are the reasons to think that there is more of a kind than was read.
func (a *assessor) cuts(kind evidence.Kind) (cuts []evidence.Cut) {
	cuts = slices.Clone(a.Cuts(kind))
	for _, c := range a.fromLog {
		if c.Kind == kind && !slices.Contains(cuts, c) {
			cuts = append(cuts, c)
		}
	}
	if s := a.SignIns; kind == evidence.SignIn && s != nil && s.OtherAccounts.Rows > 0 {
		cuts = append(cuts, evidence.Cut{Kind: kind, Why: fmt.Sprintf("holds more accounts than are kept apart; %d rows are counted together",
			s.OtherAccounts.Rows)})
	}
	return cuts
}

// extent says how much of a kind was read.
func (a *assessor) extent(kind evidence.Kind) evidence.Extent {
	switch {
	case len(a.cuts(kind)) > 0:
		return evidence.Partly
	case a.Whole(kind):
		return evidence.Entire
	case a.Seen[kind] > 0:
		return evidence.Partly
	}
	return evidence.Absent
}

// read are those of the kinds of which anything was read.
func (a *assessor) read(kinds ...evidence.Kind) (out []evidence.Kind) {
	for _, k := range kinds {
		here := a.Seen[k] > 0 || a.Whole(k)
		for i := range a.Inputs {
			_, in := a.Inputs[i].Kinds[k]
			here = here || in
		}
		if here {
			out = append(out, k)
		}
	}
	return out
}

// tempered turns a ruling to unknown when a list that it rests on is not whole.
func (a *assessor) tempered(ru ruling) ruling {
	if ru.verdict == Unknown || ru.verdict == Attested {
		return ru
	}
	for _, k := range ru.relies {
		if a.extent(k) != evidence.Entire {
			return a.lacking(ru, k)
		}
	}
	for _, k := range ru.heeds {
		if len(a.cuts(k)) > 0 {
			return a.lacking(ru, k)
		}
	}
	return ru
}

func (a *assessor) lacking(ru ruling, k evidence.Kind) ruling {
	out := ruling{verdict: Unknown, total: ru.total, evidence: ru.evidence, reason: ru.reason + ", but " + a.lackText(k), action: evidence.ReadingOf(k),
		against: ru.verdict == NotMet}
	if cuts := a.cuts(k); len(cuts) > 0 {
		out.action = cuts[0].Settle()
	}
	if out.action == "" {
		out.action = ru.action
	}
	return out
}

// lackText says of a list why it is not whole.
func (a *assessor) lackText(k evidence.Kind) string {
	cuts := a.cuts(k)
	if len(cuts) == 0 {
		return evidence.ListName(k) + " is not in the export, or not all of it"
	}
	first := cuts[0]
	first.Kind = k
	s := first.Sentence(0)
	if len(cuts) > 1 {
		s += fmt.Sprintf(", and %s more", count(len(cuts)-1, "reason", "reasons"))
	}
	return s
}
