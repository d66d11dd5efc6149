package msapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// loop reports a resource that is read item by item.
func (k *walk) loop() bool { return k.r.Each != nil || strings.Contains(k.r.Path+k.r.Query, "{id}") }

// idOf names an item that may stand in a path.
var idOf = pattern.Later(`^[A-Za-z0-9][A-Za-z0-9._:@-]*$`)

// idsOf are the ids of the items of a page. One that cannot stand in a path is
// told as lost.
func (k *walk) idsOf(items []json.RawMessage) (out []string) {
	name := "id"
	if k.r.Each != nil && k.r.Each.ID != "" {
		name = k.r.Each.ID
	}
	for _, raw := range items {
		var in map[string]json.RawMessage
		var id string
		if json.Unmarshal(raw, &in) == nil && json.Unmarshal(in[name], &id) == nil && id != "" {
			out = append(out, id)
		}
	}
	return out
}

// parts reads what consists of parts: the items of a list, the slices of a span,
// or for each slice all items.
func (k *walk) parts() error {
	items, err := k.itemsOf()
	if err != nil || k.over {
		return err
	}
	if k.r.Way != evidence.Sliced {
		return k.round(items, slice{}, k.at)
	}
	return k.slices(items)
}

// itemsOf are the ids to go over, in order. The pages of the list they come from
// are answers, unless the walk goes on from behind them.
func (k *walk) itemsOf() ([]string, error) {
	if !k.loop() {
		return []string{""}, nil
	}
	list := k.list()
	told := k.at.Items || k.r.Each == nil
	ids := slices.Clone(k.items)
	if k.items != nil && told || list == "" {
		return ordered(ids), nil
	}
	if !told && k.at.Next != "" { // the pages before were given already
		if _, err := k.listed(page{where: k.at.Next, token: k.at.Token}, list, true); err != nil || k.over {
			return nil, err
		}
		if told = true; k.items != nil {
			return ordered(ids), nil
		}
	}
	found, err := k.listed(page{where: list}, list, !told)
	if k.items == nil {
		ids = found
	}
	if len(ids) > maxCollect {
		return nil, problem.New(problem.Limit, "%s has more than %d items", k.r.Name, maxCollect)
	}
	return ordered(ids), err
}

// listed reads the list of items, from a page on, and gives its pages where they
// are to be told.
func (k *walk) listed(from page, list string, tell bool) (found []string, err error) {
	at := func(p *page) place { return place{Next: p.next, Token: p.nextToken, Items: p.next == ""} }
	k.seen = map[uint64]bool{} // the rest of the list was read before, by a walk that goes on
	for anew := 0; ; anew++ {
		err := k.pages(from, steps{at: at, each: func(p *page) bool {
			found = append(found, p.ids...)
			if !tell && p.status == http.StatusOK {
				return true
			}
			a := k.answer(p)
			a.Position, a.Covered = at(p).text(), k.span.From
			none := k.items == nil && len(found) == 0 || k.items != nil && len(k.items) == 0
			if a.Last = none && p.next == "" && p.status == http.StatusOK && from.where == list; a.Last {
				a.Covered = k.span.To
			}
			return k.give(a)
		}})
		if !errors.Is(err, errLinkGone) || anew == 2 {
			return found, err
		}
		from, found, k.anew, k.seen = page{where: list}, nil, tell, map[uint64]bool{}
	}
}

// list is where the items of a loop are listed. A request that is made for each
// of certain groups goes over all groups where nobody says which.
func (k *walk) list() string {
	if k.r.Each != nil {
		return escaped(k.r.Address())
	}
	if k.items == nil && k.r.Service == evidence.Graph {
		return "/v1.0/groups?$select=id&$top=999"
	}
	return ""
}

func ordered(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// where is the address of an item's list.
func (k *walk) where(id string, s slice) string {
	path := k.r.Address()
	if k.r.Each != nil {
		path = k.r.Each.Path + k.r.Each.Query
		if k.r.Service == evidence.Graph {
			path = "/" + k.r.Version + path
		}
	}
	if id != "" {
		path = strings.ReplaceAll(path, "{id}", url.PathEscape(id))
	}
	return escaped(s.asked(k, path))
}

// batchSize is how many requests Graph takes together (contracts.md 3.0).
const batchSize = 20

// round reads the list of every item once, within a slice where there is one.
// at says where to begin.
func (k *walk) round(items []string, s slice, at place) error {
	if at.Item != "" {
		n, found := slices.BinarySearch(items, at.Item)
		if found && at.Next == "" {
			n++
		}
		items = items[n:]
	}
	for len(items) > 0 && !k.over {
		n := 1
		if k.r.Service == evidence.Graph && k.loop() && at.Next == "" {
			n = min(batchSize, len(items))
		}
		firsts, err := k.firsts(items[:n], s)
		if err != nil {
			return err
		}
		for i, id := range items[:n] {
			from := page{where: k.where(id, s)}
			if at.Next != "" && id == at.Item {
				from = page{where: at.Next, token: at.Token}
			}
			at = place{}
			if err := k.item(id, from, firsts[id], s, i == len(items)-1); err != nil || k.over {
				return err
			}
		}
		items = items[n:]
	}
	return nil
}

// item reads the list of one item. first is its first page where that is there.
func (k *walk) item(id string, from page, first *page, s slice, final bool) error {
	if id != "" && (len(id) > maxID || !idOf.MatchString(id)) {
		k.lose(&Poisoned{Of: clip(id), Why: "its id cannot stand in an address", Position: k.behind(id, s, final).text(), Span: s.span()})
		return nil
	}
	begin := k.where(id, s)
	at := func(p *page) place {
		if p.next == "" {
			return k.behind(id, s, final)
		}
		return place{Items: k.loop(), Item: id, Next: p.next, Token: p.nextToken, From: s.sec(), Wide: s.wide(), Grid: seconds(k.width)}
	}
	give := func(p *page) bool {
		a := k.answer(p)
		a.Of, a.From, a.To, a.Covered, a.Position = id, s.from, s.to, s.from, at(p).text()
		if p.next == "" && final {
			a.Covered = s.to
			a.Last = s.to.IsZero() || !s.to.Before(k.span.To)
		}
		return k.give(a)
	}
	do := steps{each: give, at: at, of: id, span: s.span()}
	k.inItem = k.loop()
	defer func() { k.inItem = false }()
	for anew := 0; ; anew++ {
		k.seen = map[uint64]bool{}
		var err error
		if first != nil {
			if !give(first) {
				return nil
			}
			if first.status != http.StatusOK {
				err = refusal(&k.r, readAPIError(k.service, first.sent))
			} else if first.next != "" {
				err = k.pages(page{where: first.next, token: first.nextToken}, do)
			}
		} else {
			err = k.pages(from, do)
		}
		if errors.Is(err, errLinkGone) && anew < 2 && (first != nil || from.where != begin || anew == 0) {
			from, first = page{where: begin}, nil
			continue
		}
		return k.excused(id, err, s, final)
	}
}

// excused lets a loop go on past an item that is lost, or not there.
func (k *walk) excused(id string, err error, s slice, final bool) error {
	if lost, ok := errors.AsType[*Poisoned](err); ok && (k.loop() || k.r.Way == evidence.Sliced) {
		lost.Of, lost.Span, lost.Position = id, s.span(), k.behind(id, s, final).text()
		k.lose(lost)
		return nil
	}
	no, ok := errors.AsType[*Refused](err)
	if !ok || !k.loop() || id == "" {
		return err
	}
	if no.Reason == ReasonAbsent || no.Reason == ReasonGone || k.r.Service != evidence.Graph && no.Reason != ReasonMFA && no.Reason != ReasonConsent {
		return nil // of this one item: its answer says so
	}
	return err
}

// behind is the position after an item's list, which may end a slice.
func (k *walk) behind(id string, s slice, final bool) place {
	switch {
	case !final:
		return place{Items: k.loop(), Item: id, From: s.sec(), Wide: s.wide(), Grid: seconds(k.width)}
	case s.to.IsZero() || !s.to.Before(k.span.To):
		return place{End: true}
	}
	return place{Items: k.loop(), From: s.to.Unix(), Grid: seconds(k.wider())}
}

// wider is how wide the slice after one that was not late is.
func (k *walk) wider() time.Duration { return min(2*k.width, k.widest) }

// slice is the part of a span that is asked for at once; the zero one is no part.
type slice struct{ from, to time.Time }

func (s slice) span() Span { return Span{s.from, s.to} }

func (s slice) sec() int64 {
	if s.from.IsZero() {
		return 0
	}
	return s.from.Unix()
}

func (s slice) wide() int64 { return seconds(s.to.Sub(s.from)) }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// asked puts the slice and the resource's filter into an address. Both ends are
// asked for, so that nothing between two slices is left out.
func (s slice) asked(k *walk, address string) string {
	filter := k.r.Filter
	if !s.to.IsZero() {
		a, b := s.from.UTC().Format(time.RFC3339), s.to.UTC().Format(time.RFC3339)
		if first, last, ok := strings.Cut(k.r.Time, " "); ok { // Partner Center: days, both of them included
			return with(address, first+"="+s.from.UTC().Format(time.DateOnly)+"&"+last+"="+s.to.Add(-time.Second).UTC().Format(time.DateOnly))
		}
		if k.r.Service == evidence.ARM {
			a, b = "'"+a+"'", "'"+b+"'"
		}
		between := k.r.Time + " ge " + a + " and " + k.r.Time + " le " + b
		if filter != "" {
			between += " and " + filter
		}
		filter = between
	}
	if filter == "" {
		return address
	}
	return with(address, "$filter="+filter)
}

// with adds to the query of an address.
func with(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}

// narrowest is the least width of a slice: what is late even so is told.
const narrowest = time.Minute

// slices reads the span slice by slice. One that is late is halved, and after
// one that was not the next is wider again.
func (k *walk) slices(items []string) error {
	unit := time.Second
	if strings.Contains(k.r.Time, " ") {
		unit = day
	}
	first := k.span.From.UTC().Truncate(unit)
	end := k.span.To.UTC().Add(unit - 1).Truncate(unit)
	k.span.To = end
	row := max(k.r.Slice, unit)
	k.widest = max(row, k.wide)
	k.width = k.widest
	at := k.at
	if at.From != 0 {
		if from := time.Unix(at.From, 0).UTC(); !from.Before(first) && from.Before(end) {
			first = from
		} else {
			at = place{}
		}
		if at.Grid == 0 {
			at.Grid = at.Wide // as it was kept before there was a grid
		}
		if w := time.Duration(at.Grid) * time.Second; w >= unit && w < k.width {
			k.width = w
		}
	} else if at.Next != "" || !at.Items {
		at = place{}
	}
	for first.Before(end) && !k.over {
		s := slice{first, first.Truncate(k.width).Add(k.width)} // the same ones, whenever it is read
		if k.width > row {
			s.to = first.Add(k.width) // as much as there is in one go
		}
		if w := time.Duration(at.Wide) * time.Second; w >= unit && (at.Next != "" || at.Item != "") {
			s.to = first.Add(w) // what the page to go on with was asked for
		}
		if s.to.After(end) {
			s.to = end
		}
		err := k.round(items, s, at)
		at = place{}
		if e, ok := errors.AsType[*APIError](err); ok && e.late() && k.width/2 >= max(narrowest, unit) {
			k.width = (min(k.width, s.to.Sub(s.from)) / 2).Truncate(unit)
			if k.width > row {
				k.width, k.widest = row, row // more is in it than the caller thought
			}
			if k.width >= max(narrowest, unit) {
				continue
			}
		}
		if err != nil {
			return err
		}
		first = s.to
		k.width = k.wider()
	}
	return nil
}

const day = 24 * time.Hour
