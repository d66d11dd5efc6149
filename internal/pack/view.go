package pack

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/leaf"
)

// Shown is the evidence of a pack that is read, as files, with the pack's own entries.
type Shown struct {
	*view.View
	from *form.Reader
}

// mostEntry bounds an entry that is read whole, in bytes.
const mostEntry = 256 << 20

// Entry reads an entry of the pack that is no page.
func (s *Shown) Entry(name string) ([]byte, error) { return s.from.Read(name, mostEntry) }

// View shows the evidence of a pack as an export as of its moment, as the archive is
// shown: what a judge reads. That the evidence holds is for [form.Reader.Verify]; here
// it is read as it is. The index is held in memory, about 1 KiB a page.
func View(ctx context.Context, r *form.Reader, m *Manifest) (*Shown, error) {
	var names []string
	entries := map[string][]segment.Loose{}
	if m.Evidence != form.None {
		err := r.EachIndex(func(x *form.Index) error {
			e, cut, err := x.Entry()
			if err != nil {
				return err
			}
			if entries[x.Segment] == nil {
				names = append(names, x.Segment)
			}
			l := segment.Loose{Index: x.Index, Page: e.Page, Run: e.Run}
			if e.Page != nil {
				said := e.Said()
				l.Bytes = said.Bytes
				name := form.PageName(x.Segment, x.Index, cut != nil)
				l.Body = func(context.Context) ([]byte, error) { return body(r, name, cut != nil, said) }
			}
			entries[x.Segment] = append(entries[x.Segment], l)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	stored := func(yield func(view.Stored, error) bool) {
		for i, name := range names {
			rd := segment.NewLoose(name, m.Tenant, entries[name])
			open := func(context.Context) (*segment.Reader, error) { return rd, nil }
			if !yield(view.Stored{Name: name, Seq: int64(i + 1), Parts: rd.Parts, Open: open}, nil) {
				return
			}
		}
		// Readings that lack pages are not whole, whatever their end says.
		for i, run := range m.Lacking {
			part := segment.Part{Run: run, Pages: 1, First: m.From, Last: m.From}
			if part.Resource = resourceOf(entries, run); part.Resource == "" {
				continue
			}
			if !yield(view.Stored{Name: "lacking-" + strconv.Itoa(i), Seq: int64(len(names) + i + 1), Parts: []segment.Part{part}, Gone: true}, nil) {
				return
			}
		}
	}
	v, err := view.New(ctx, view.Options{Tenant: m.Tenant, AsOf: m.AsOf, Since: m.Since, Apart: true}, stored)
	return &Shown{v, r}, err
}

func resourceOf(entries map[string][]segment.Loose, run string) string {
	for _, list := range entries {
		for _, e := range list {
			if e.Page != nil && e.Page.Run == run {
				return e.Page.Resource
			}
			if e.Run != nil && e.Run.ID == run {
				return e.Run.Resource
			}
		}
	}
	return ""
}

// body reads a page as it was answered; of a cut one, with pseudonyms.
func body(r *form.Reader, name string, cut bool, said segment.Said) ([]byte, error) {
	raw, err := r.Read(name, form.MaxEntry)
	if err != nil {
		return nil, err
	}
	if !cut {
		if said.Packed > 0 {
			return said.Unpack(raw)
		}
		return raw, nil
	}
	var records []*leaf.Record
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		rec, err := leaf.Parse(line)
		if err != nil {
			return nil, err
		}
		records, raw = append(records, rec), rest
	}
	if len(records) == 0 || records[0].Leaves == nil {
		return nil, nil // withheld: nobody can read it
	}
	return leaf.Join(records[0], records[1:])
}

// Difference is a verdict that does not come out again.
type Difference struct {
	Requirement string `json:"requirement"`
	Was         string `json:"was"`
	Is          string `json:"is"` // "": it does not come out at all
}

// Differences compares verdicts: what was said, and what comes out.
func Differences(said, out []Verdict) (diff []Difference) {
	at := func(list []Verdict, v *Verdict) int {
		return slices.IndexFunc(list, func(o Verdict) bool { return o.Requirement == v.Requirement && o.AsOf.Equal(v.AsOf) })
	}
	for i := range said {
		v := &said[i]
		j := at(out, v)
		switch {
		case j < 0:
			diff = append(diff, Difference{v.Requirement, v.Verdict, ""})
		case out[j].Verdict != v.Verdict || out[j].Affected != v.Affected || out[j].Total != v.Total:
			diff = append(diff, Difference{v.Requirement, v.Count(), out[j].Count()})
		}
	}
	for i := range out {
		if at(said, &out[i]) < 0 {
			diff = append(diff, Difference{out[i].Requirement, "", out[i].Count()})
		}
	}
	return diff
}

// Otherwise are the differences that leaving something out must not make. What is unknown
// before and after is the same verdict, whatever it counts: of these is told what they
// counted before, sorted by requirement.
func Otherwise(said, out []Verdict) (diff []Difference, recounted []form.Recount) {
	said = slices.Clone(said)
	for i := range said {
		v := &said[i]
		for j := range out {
			o := &out[j]
			if o.Requirement != v.Requirement || !o.AsOf.Equal(v.AsOf) || o.Verdict != form.Unknown || v.Verdict != form.Unknown ||
				o.Affected == v.Affected && o.Total == v.Total {
				continue
			}
			recounted = append(recounted, form.Recount{Requirement: v.Requirement, Affected: v.Affected, Total: v.Total})
			v.Affected, v.Total = o.Affected, o.Total
		}
	}
	slices.SortFunc(recounted, func(a, b form.Recount) int { return strings.Compare(a.Requirement, b.Requirement) })
	return Differences(said, out), recounted
}
