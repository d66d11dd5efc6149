package fold

import (
	"fmt"
	"maps"
	"slices"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
)

func sourceKey(src signin.SourceRef) string { return fmt.Sprint(src.Seq, src.Path, src.Part) }

// referenceClocks reads every clock of every source.
func referenceClocks(in []taken, s *signin.Summary) map[string]lenient.Dates {
	orders := map[string]lenient.Dates{}
	for _, x := range in {
		d := orders[sourceKey(x.src)]
		if x.e.Clock != signin.ClockExact {
			d.Learn(x.e.CreatedRaw)
		}
		orders[sourceKey(x.src)] = d
	}
	notes := map[string]*signin.ClockNote{}
	for _, x := range in {
		d := orders[sourceKey(x.src)]
		if o := d.Order(); x.e.Detail || x.e.Clock != signin.ClockAmbiguous || o != lenient.Undecided && o != lenient.Contrary {
			continue
		}
		n := notes[sourceKey(x.src)]
		if n == nil {
			n = &signin.ClockNote{Source: x.src.Source, Contrary: d.Order() == lenient.Contrary}
			notes[sourceKey(x.src)] = n
		}
		n.Rows++
		if x.src.Line < n.Source.Line {
			n.Source.Line = x.src.Line
		}
	}
	for _, k := range slices.Sorted(maps.Keys(notes)) {
		s.Clocks = append(s.Clocks, *notes[k])
	}
	return orders
}
