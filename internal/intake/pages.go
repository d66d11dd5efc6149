package intake

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/evidence"
)

// paging follows the pages of collections over all inputs of one reading: a
// page that points to a next one is not the end when the end is here too, be it
// in the same file or in another one of the same folder.
//
// A page does not say which page it is. Pages of one collection are those with
// the same @odata.context in one folder; they share no record. When exactly one
// of them has no next link, they are taken for the whole chain: a page that is
// missing from its middle cannot be told from one that never was, unless the
// links count records ($skip) or the collection does (@odata.count). Two copies
// of a page count once. Whatever else the pages look like, the list is open.
type paging struct {
	seed maphash.Seed
	sets map[string][]*page
	keys []string // of sets, in the order they were met

	inputs int         // that were given a number
	where  map[int]int // the place of a numbered input among the accounts
}

// input numbers one more input.
func (g *paging) input() int {
	g.inputs++
	return g.inputs
}

// page is one page of a collection.
type page struct {
	input int // number of its input, in settle its place among the accounts
	next  string
	more  bool
	n     int   // elements
	count int64 // @odata.count, or -1
	kind  evidence.Kind
	ids   []uint64 // hashes of the records' ids, sorted
	at    evidence.Source
}

func newPaging() *paging {
	return &paging{seed: maphash.MakeSeed(), sets: map[string][]*page{}, where: map[int]int{}}
}

// add takes a page that was read to its end.
func (g *paging) add(key string, p *page) {
	slices.Sort(p.ids)
	if g.sets[key] == nil {
		g.keys = append(g.keys, key)
	}
	g.sets[key] = append(g.sets[key], p)
}

// key names the collection that pages with the context belong to; without a
// context a page belongs to its input alone.
func (g *paging) key(context string, in *evidence.Input, p place) string {
	_, set, ok := strings.Cut(context, "#")
	set = strings.ToLower(set)
	switch {
	case !ok || set == "":
		return fmt.Sprint("alone|", in.Path, "|", p.part, "|", p.answer)
	case strings.HasPrefix(set, "directoryobjects") || strings.HasPrefix(set, "collection("):
		// Members of one thing look like those of another.
		return fmt.Sprint("of|", in.Path, "|", set, "|", p.answer)
	}
	return path.Dir(strings.ReplaceAll(in.Path, "\\", "/")) + "|" + set
}

// settle says of every input whether a page is missing behind one of its own,
// and which lists are shorter than they say.
func (g *paging) settle(inputs []evidence.Input) {
	for _, key := range g.keys {
		pages := g.sets[key]
		byInput := map[int][]*page{}
		for _, p := range pages {
			p.input = g.where[p.input] // every input is accounted for, also one that broke off
			byInput[p.input] = append(byInput[p.input], p)
		}
		whole := chain(pages)
		for _, p := range pages {
			if p.more && !whole && !chain(byInput[p.input]) {
				inputs[p.input].NextLink = true
			}
		}
		tooShort(pages, inputs)
		if _, set, _ := strings.Cut(key, "|"); relationshipOf(set) != "" {
			_, of, _ := strings.Cut(withoutParens(set), "delegatedadminrelationships/")
			for _, p := range pages {
				inputs[p.input].Ends(relationshipOf(set)+"/"+of, whole)
			}
		}
	}
}

// chain reports that the pages can be one collection from end to end.
func chain(pages []*page) bool {
	pages = distinct(pages)
	ends, links := 0, []*page(nil)
	for _, p := range pages {
		if p.more {
			links = append(links, p)
		} else {
			ends++
		}
	}
	if ends != 1 {
		return false
	}
	var ids []uint64
	for _, p := range pages {
		ids = append(ids, p.ids...)
	}
	slices.Sort(ids)
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			return false // pages of two readings
		}
	}
	return skipsFit(links)
}

// distinct drops the copies of pages.
func distinct(pages []*page) []*page {
	var out []*page
	for _, p := range pages {
		if !slices.ContainsFunc(out, func(o *page) bool {
			return o.next == p.next && len(p.ids) > 0 && slices.Equal(o.ids, p.ids)
		}) {
			out = append(out, p)
		}
	}
	return out
}

// skipsFit reports that links which count records count without a hole.
func skipsFit(links []*page) bool {
	var skips []int
	for _, p := range links {
		u, err := url.Parse(p.next)
		if err != nil {
			return true
		}
		n, err := strconv.Atoi(u.Query().Get("$skip"))
		if err != nil {
			return true
		}
		skips = append(skips, n)
	}
	slices.Sort(skips)
	for i, n := range skips {
		if n != skips[0]*(i+1) {
			return false
		}
	}
	return true
}

// tooShort shortens a list of which fewer records were read than its own count
// says.
func tooShort(pages []*page, inputs []evidence.Input) {
	pages = distinct(pages)
	if len(pages) == 0 {
		return
	}
	longest := slices.MaxFunc(pages, func(a, b *page) int { return cmp.Compare(a.count, b.count) })
	n := 0
	for _, p := range pages {
		n += p.n
	}
	if longest.count > int64(n) && longest.kind != "" {
		inputs[longest.input].Shorten(evidence.Cut{
			Kind: longest.kind, Source: longest.at,
			Why: fmt.Sprintf("says that it has %d records (@odata.count), and %d are here", longest.count, n),
		})
	}
}

// fullPage are the lengths at which a list without any sign of paging looks
// like a first page: what the cmdlets of the Graph PowerShell SDK and of the
// AzureAD module read without -All, and the largest page of /users.
var fullPage = map[int]string{
	100: "is exactly 100 records long, as the first page of a cmdlet without -All is",
	999: "is exactly 999 records long, as one page of /users is",
}

// pagedKinds are the kinds that tools read page by page.
var pagedKinds = []evidence.Kind{
	evidence.User, evidence.Group, evidence.ServicePrincipal, evidence.Application, evidence.RegistrationDetails,
	evidence.RoleAssignment, evidence.RoleEligibility, evidence.Relationship,
}

// soleKinds are kinds of which one record alone in a file is not the list, and
// nobody can tell that all such files are here.
var soleKinds = []struct {
	kind evidence.Kind
	why  string
}{
	{evidence.User, "is one user, not the list of all users"},
	{evidence.RoleAssignment, "is one role assignment, not the list of all"},
	{evidence.RoleEligibility, "is one eligible assignment, not the list of all"},
	{evidence.DirectoryRole, "is one role, not the list of all activated roles"},
	{evidence.GroupEligibility, "is one eligible membership, not the list of all"},
	{evidence.SubscribedSku, "is one licence, not the list of all"},
}

// looksCut shortens the lists of an input that show no paging and are as long
// as a page is.
func (f *file) looksCut() {
	for _, k := range pagedKinds {
		why := fullPage[f.in.Kinds[k]]
		if n := f.in.Kinds[k]; f.msol && k == evidence.User && n == 500 {
			why = "is exactly 500 records long, as that of Get-MsolUser without -All is"
		}
		if why != "" && !f.paged[k] {
			f.in.Shorten(evidence.Cut{Kind: k, Why: why, Source: f.at(place{})})
			f.remark("this list "+why+": if there are more, read them all", place{})
		}
	}
	for _, k := range soleKinds {
		if f.objects == 1 && f.in.Kinds[k.kind] == 1 && f.lone[k.kind] {
			f.in.Shorten(evidence.Cut{Kind: k.kind, Why: k.why, Source: f.at(place{})})
		}
	}
}

// ofPage notes a record for the page it stands in.
func (f *file) ofPage(kind evidence.Kind, o *facts, p place) {
	if p.whole && p.level == 0 && p.index == 0 {
		if f.lone == nil {
			f.lone = map[evidence.Kind]bool{}
		}
		f.lone[kind] = true
	}
	if kind == evidence.User {
		f.ofUsers(o, p)
	}
	if p.set != "" && !f.paged[kind] {
		if f.paged == nil {
			f.paged = map[evidence.Kind]bool{}
		}
		f.paged[kind] = true
	}
	if f.page == nil || f.pages == nil {
		return
	}
	if f.page.kind == "" {
		f.page.kind = kind
	}
	if id := o.get(theTable.keys["id"]); kind != evidence.SignIn && len(id) > 2 {
		f.page.ids = append(f.page.ids, maphash.Bytes(f.pages.seed, id))
	}
}

// ofUsers looks at a record of a user for signs that it does not stand in the
// list of all users.
func (f *file) ofUsers(o *facts, p place) {
	t := theTable
	f.msol = f.msol || o.known.has(t.keys["blockcredential"])
	context := strings.ToLower(o.text(t.context))
	why := ""
	switch {
	case strings.HasSuffix(context, "/$entity"):
		why = "holds single users (GET /users/{id}), not all users"
	case strings.HasPrefix(p.set, "directoryobjects"), strings.Contains(p.set, "/members"), strings.Contains(p.set, "/owners"), strings.HasPrefix(p.set,
		"collection("):
		why = "holds users as members or owners of something, not all users"
	case p.set == "" && o.text(t.odataType) != "" && !o.known.has(t.keys["accountenabled"]):
		// Graph names the type of each only where others may stand beside it.
		why = "holds users among the members of something, as it seems, not all users"
	}
	if why != "" {
		f.in.Shorten(evidence.Cut{Kind: evidence.User, Why: why, Source: f.at(p)})
	}
}
