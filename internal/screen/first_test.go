package screen

import (
	"cmp"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFirst: the pages of an order, one after the other, are the order that an export
// has, however many rows are equal.
func TestFirst(t *testing.T) {
	t.Parallel()
	type row struct{ key, word, n int }
	l := &List[row]{
		Key: func(r *row) string { return strconv.Itoa(1000 + r.key) },
		Columns: []Column[row]{
			{Name: "n",
				Order: func(a, b *row) int { return a.n - b.n }, Blank: func(r *row) bool { return r.n == 3 },
				Cell: func(r *row) Cell { return Count(int64(r.n), "") }},
			{Name: "word", Cell: func(r *row) Cell { return Words(strings.Repeat("Ab", r.word)) }},
		},
		Filters: []Filter[row]{
			{Name: "n", Enum: []string{"0", "1", "2"}, Of: func(r *row) []string { return []string{strconv.Itoa(r.n)} }},
			{Name: "quiet", Quiet: true, Of: func(r *row) []string { return []string{strconv.Itoa(r.word)} }},
		},
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := make([]row, 777)
	for i := range rows {
		rows[i] = row{key: i, word: rnd.IntN(5), n: rnd.IntN(4)}
	}
	rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, sort := range []string{"", "n", "-n", "word", "-word"} {
		var pages, all []row
		for page := 1; page < 80; page++ {
			q, err := Parse(l, url.Values{"sort": {sort}, "page": {strconv.Itoa(page)}, "size": {"10"}})
			if err != nil {
				t.Fatal(err)
			}
			s := l.Of(rows).Select(&Viewer{}, q)
			for _, x := range s.Items {
				pages = append(pages, *x.(*row)) //nolint:forcetypeassert // the list's rows
			}
			if page < 78 {
				continue
			}
			if page > s.Pages { // past the end is the last
				pages = pages[:len(rows)]
			}
			all = all[:0]
			s.All(func(_ func() []string, x any) bool { all = append(all, *x.(*row)); return true }) //nolint:forcetypeassert // the list's rows
		}
		if !slices.Equal(pages, all) || len(all) != len(rows) {
			t.Errorf("sort %q: %d rows on pages, %d in the export, and they differ", sort, len(pages), len(all))
		}
		if sort == "-n" && !slices.IsSortedFunc(all, func(a, b row) int {
			return cmp.Or(cmp.Compare(b.n%3, a.n%3)*boolInt(a.n != 3 && b.n != 3), boolInt(a.n == 3)-boolInt(b.n == 3))
		}) {
			t.Error("blank rows are not the last ones")
		}
	}
	s := l.Of(rows).Select(&Viewer{}, Query{Filters: map[string][]string{"quiet": {"2"}, "n": {"1"}}})
	two, both, of := 0, 0, map[string]int{}
	for i := range rows {
		if rows[i].word == 2 {
			two++
			of[strconv.Itoa(rows[i].n)]++
			both += boolInt(rows[i].n == 1)
		}
	}
	if s.Matched != both || len(s.Chips) != 2 {
		t.Fatalf("%d match, not %d; chips %+v", s.Matched, both, s.Chips)
	}
	for _, c := range s.Chips[0].List {
		if c.Count != of[c.Value] {
			t.Errorf("the chip %s counts %d, not %d", c.Value, c.Count, of[c.Value])
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
