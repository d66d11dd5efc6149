package automation

import (
	"fmt"
	"slices"
	"time"
)

// merge is what becomes of a kept item when a log was read: seen is the item as
// that log lists it, or nil. It is pure, and reading the same log again changes
// nothing.
func merge(kept Item, seen *Item, r *Result, now time.Time) Item {
	out := kept
	out.Evidence.Last = later(kept.Evidence.Last, r.lastSeen(&kept))
	if seen != nil {
		first, last := kept.Evidence.First, out.Evidence.Last
		if !seen.Evidence.Last.Before(kept.Evidence.Last) {
			out.Name, out.AppName, out.Client = seen.Name, seen.AppName, seen.Client
			out.Confidence, out.Why, out.Advice, out.Evidence = seen.Confidence, seen.Why, seen.Advice, seen.Evidence
		}
		out.Evidence.First = earlier(first, seen.Evidence.First)
		out.Evidence.Last = later(last, seen.Evidence.Last)
	}
	if kept.State != Moved && kept.State != Gone {
		return out
	}
	if last := out.Evidence.Last; last.After(kept.MovedAt) {
		was := "it was moved"
		if kept.State == Gone {
			was = "it was verified gone"
		}
		out.State, out.MovedAt, out.QuietTo = Found, time.Time{}, time.Time{}
		out.Story = fmt.Sprintf("seen again on %s, after %s", last.UTC().Format("2006-01-02 15:04 UTC"), was)
		out.Updated = now
		return out
	}
	// How far the log shows silence, without a gap from the move on.
	quiet := later(kept.QuietTo, kept.MovedAt)
	spans := slices.Clone(r.Covered)
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range spans {
		if s.To.After(now) {
			s.To = now // a row from the future covers nothing
		}
		if !s.From.After(quiet) && s.To.After(quiet) {
			quiet = s.To
		}
	}
	if quiet.Equal(later(kept.QuietTo, kept.MovedAt)) {
		return out
	}
	out.QuietTo = quiet
	out.Updated = now
	if kept.State == Moved && quiet.Sub(kept.MovedAt) >= QuietDays*24*time.Hour {
		out.State = Gone
		out.Story = fmt.Sprintf("no sign-in from %s to %s", kept.MovedAt.UTC().Format(time.DateOnly), quiet.UTC().Format(time.DateOnly))
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
