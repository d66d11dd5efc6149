package screen

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

type fruit struct {
	ID, Name, Tenant string
	Weight           int
}

var fruits = &List[fruit]{
	Noun: "fruit", Default: "-weight", Key: func(f *fruit) string { return f.ID }, Tenant: func(f *fruit) string { return f.Tenant },
	Columns: []Column[fruit]{
		{Name: "name", Head: "Name", Cell: func(f *fruit) Cell { return Named(f.Name, f.ID, "/fruit?row="+f.ID) }},
		{Name: "weight", Head: "Weight", Right: true, Order: func(a, b *fruit) int { return a.Weight - b.Weight },
			Blank: func(f *fruit) bool { return f.Weight == 0 },
			Cell:  func(f *fruit) Cell { return Cell{Of: &Part{N: int64(f.Weight)}} }},
	},
	Filters: []Filter[fruit]{{Name: "first", Of: func(f *fruit) []string { return []string{strings.ToLower(f.Name[:1])} }}},
}

func TestSelect(t *testing.T) {
	t.Parallel()
	rows := fruits.Of([]fruit{{"1", "apple", "a", 3}, {"2", "banana", "a", 0}, {"3", "avocado", "b", 9}, {"4", "blueberry", "a", 1}})
	all := &Viewer{}
	for _, c := range []struct {
		who         *Viewer
		query, want string
		total       int
	}{
		{all, "", "3 1 4 2", 4}, // a row without a value comes last
		{all, "sort=weight", "4 1 3 2", 4},
		{all, "sort=name", "1 3 2 4", 4},
		{all, "first=b", "4 2", 4},
		{all, "q=AN&sort=name", "2", 4},
		{all, "size=2&page=2", "4 2", 4},
		{all, "size=3&page=9", "2", 4}, // past the end is the last
		{&Viewer{Customers: []string{"b"}}, "", "3", 1},
		{&Viewer{Customers: []string{}}, "", "", 0},
	} {
		v, _ := url.ParseQuery(c.query)
		q, err := Parse(fruits, v)
		if err != nil {
			t.Fatalf("%q: %v", c.query, err)
		}
		s := rows.Select(c.who, q)
		var got []string
		for _, l := range s.Lines {
			got = append(got, l.Key)
		}
		if strings.Join(got, " ") != c.want || s.Total != c.total {
			t.Errorf("%q: %v of %d, want %q of %d", c.query, got, s.Total, c.want, c.total)
		}
	}
	v, _ := url.ParseQuery("first=a")
	q, _ := Parse(fruits, v)
	if s := rows.Select(all, q); s.Matched != 2 || len(s.Chips) != 1 || s.Chips[0].List[1].Value != "b" || s.Chips[0].List[1].Count != 2 {
		t.Errorf("a chip counts what it would leave beside the other filters: %+v", s.Chips)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"colour=red", "sort=height", "page=0", "page=x", "size=1001", "q=%00", "q=a&q=b", "q=" + strings.Repeat("a", 257), "q=%ff"} {
		v, _ := url.ParseQuery(bad)
		if _, err := Parse(fruits, v); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestBuilderEscapes(t *testing.T) {
	t.Parallel()
	b := NewBuilder(time.Unix(0, 0))
	b.Open("a", A("href", "javascript:alert(1)"), A("title", `"><script>`))
	b.Text("<img src=x onerror=alert(1)>\u202e")
	b.End("a")
	got := string(b.Bytes())
	if strings.Contains(got, "<img") || strings.Contains(got, "<script") || strings.Contains(got, "javascript") || strings.Contains(got, "\u202e") {
		t.Error(got)
	}
	for _, p := range []string{"//evil.example", "/\\evil.example", "https://evil.example", "data:text/html,x", " /x", "/a\nb"} {
		if Path(p) != "#" {
			t.Errorf("%q is an address: %q", p, Path(p))
		}
	}
}
