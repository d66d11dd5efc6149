package pack

import (
	"partnerguard/internal/archive/segment"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/pack/form"
)

// chosen is which entries of the archive go into a pack.
type chosen struct {
	m      *Manifest
	runs   map[string]bool     // readings that are in it whole
	ends   map[string]bool     // readings of which the end is in it
	places map[view.Place]bool // single pages of logs
	lists  map[string]bool     // segments with such pages
}

// choose says which: all that the view is made of, or what the report cites: a list
// whole, of a log the pages.
func (k *making) choose(j *Judged) *chosen {
	c := &chosen{m: k.m, runs: k.view.Runs, ends: map[string]bool{}, places: map[view.Place]bool{}, lists: map[string]bool{}}
	if k.m.Evidence == form.All {
		return c
	}
	c.runs, c.ends = map[string]bool{}, k.view.Runs
	for _, cited := range j.Cited {
		if at, ok := k.view.Where(cited.File, cited.Line); ok {
			c.places[at], c.lists[at.Segment] = true, true
			continue
		}
		for _, r := range k.view.RunsOf(cited.File) {
			c.runs[r] = true
		}
	}
	return c
}

// part says that something of a run is wanted.
func (c *chosen) part(segment string, p *segment.Part) bool {
	return c.runs[p.Run] || p.End != nil && c.ends[p.Run] || c.lists[segment] && c.ends[p.Run]
}

// has says that an entry is wanted.
func (c *chosen) has(name string, e *segment.Entry) bool {
	if e.Run != nil {
		return (c.runs[e.Run.ID] || c.ends[e.Run.ID]) && !e.Run.Ended.After(c.m.AsOf)
	}
	if e.Page.At.After(c.m.AsOf) {
		return false
	}
	return c.runs[e.Page.Run] || c.places[view.Place{Segment: name, Entry: e.Index}]
}
