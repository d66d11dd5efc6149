package worlds

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Found is what a detector says of a world, whoever it is.
type Found struct {
	Subscription string
	Detected     time.Time // when the newest record was there that it rests on
}

// Score is how well a detector saw some worlds.
type Score struct {
	Worlds, Attacks    int
	Seen               int             // attacks that were found while they ran, or two days after
	False              int             // findings of what is no attack; those of one subscription within a week are one
	Days               int             // subscription-days
	ByActivity, ByUse  []time.Duration // time from the first malicious act to detection; ByUse where no log tells
	Lost, Whole        []float64       // euros until detection, or until the end where it was not seen; and until the end of each attack
	Missed, FalseWorld []string        // which
}

const (
	quiet = 7 * 24 * time.Hour // findings of one subscription within it have one cause
	rated = 48 * time.Hour     // use is rated after it ended
)

// Judge adds what was found in a world.
func (s *Score) Judge(w *World, found []Found) {
	s.Worlds++
	s.Days += w.SubscriptionDays()
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b Found) int { return a.Detected.Compare(b.Detected) })
	seen := map[*Truth]time.Time{}
	last := map[string]time.Time{}
next:
	for _, f := range found {
		for _, t := range w.Truth {
			if f.Subscription == t.Subscription && !f.Detected.Before(t.First) && !f.Detected.After(t.Until.Add(rated)) {
				if _, had := seen[t]; !had {
					seen[t] = f.Detected
				}
				continue next
			}
		}
		if was, ok := last[f.Subscription]; !ok || f.Detected.Sub(was) > quiet {
			s.False++
			s.FalseWorld = append(s.FalseWorld, fmt.Sprintf("%03d %s: %s at %s", w.N, w.Trait, f.Subscription, f.Detected.Format(time.DateTime)))
		}
		last[f.Subscription] = f.Detected
	}
	for _, t := range w.Truth {
		s.Attacks++
		until, ok := seen[t]
		if ok {
			s.Seen++
			took := until.Sub(t.First)
			if t.Logged {
				s.ByActivity = append(s.ByActivity, took)
			} else {
				s.ByUse = append(s.ByUse, took)
			}
		} else {
			until = t.Until
			s.Missed = append(s.Missed, fmt.Sprintf("%03d %s, hidden by %q", w.N, t.Kind, t.Hidden))
		}
		s.Lost = append(s.Lost, t.Lost(w, until))
		s.Whole = append(s.Whole, t.Lost(w, t.Until))
	}
}

// Recall is the part of attacks that was seen.
func (s *Score) Recall() float64 { return float64(s.Seen) / float64(max(1, s.Attacks)) }

// Precision is the part of findings that were attacks: each attack once.
func (s *Score) Precision() float64 { return float64(s.Seen) / float64(max(1, s.Seen+s.False)) }

// FalseRate is false findings in 1,000 subscription-days.
func (s *Score) FalseRate() float64 { return 1000 * float64(s.False) / float64(max(1, s.Days)) }

// Quantile is the duration that a part of all stay within; 0 where there are none.
func Quantile[T time.Duration | float64](of []T, part float64) T {
	if len(of) == 0 {
		return 0
	}
	of = slices.Sorted(slices.Values(of))
	return of[min(len(of)-1, int(part*float64(len(of))))]
}

// Head and Row make the table that is published.
const Head = `| detector | precision | recall | false / 1,000 subscription-days | found by activity: median | 90 % | by use alone: median | 90 % | lost until then, median | lost of all |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`

// Row is a score as a line of that table.
func (s *Score) Row(name string) string {
	var lost, whole float64
	for i := range s.Lost {
		lost, whole = lost+s.Lost[i], whole+s.Whole[i]
	}
	return fmt.Sprintf("| %s | %.2f | %.2f (%d of %d) | %.2f | %s | %s | %s | %s | %.0f € | %.0f %% |\n", name, s.Precision(), s.Recall(), s.Seen, s.Attacks,
		s.FalseRate(), span(s.ByActivity, 0.5), span(s.ByActivity, 0.9), span(s.ByUse, 0.5), span(s.ByUse, 0.9), Quantile(s.Lost, 0.5), 100*lost/max(1, whole))
}

func span(of []time.Duration, part float64) string {
	if len(of) == 0 {
		return "never"
	}
	d := Quantile(of, part)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Hours()), ".0") + " h"
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}
