package screen

// Table is a small table without tools: no search, no order, no pages. What may grow is a
// [List].
type Table struct {
	Heads []Head
	Rows  [][]Cell
	Empty string // said where there are no rows
	Label string // what it is, for a screen reader
	Tight bool
}

// Head is the head of a column.
type Head struct {
	Text  string
	Right bool // numbers
	Drop  bool // left out where there is no room
}

// Build writes it.
func (t Table) Build(b *Builder) {
	if len(t.Rows) == 0 {
		b.Elem("p", t.Empty, A("class", "note pad"))
		return
	}
	class := "t stk"
	if t.Tight {
		class += " tight"
	}
	b.Open("table", A("class", class), If(t.Label != "", A("aria-label", t.Label)))
	b.Open("thead")
	b.Open("tr")
	for _, h := range t.Heads {
		class := ""
		if h.Right {
			class = "r"
		}
		b.Elem("th", h.Text, A("scope", "col"), If(class != "", A("class", class)))
	}
	b.End("tr")
	b.End("thead")
	b.Open("tbody")
	for _, row := range t.Rows {
		b.Open("tr")
		for i := range row {
			t.cell(b, &row[i], i)
		}
		b.End("tr")
	}
	b.End("tbody")
	b.End("table")
}

func (t *Table) cell(b *Builder, c *Cell, i int) {
	if i == 0 {
		b.Open("th", A("scope", "row"))
		c.Build(b)
		b.End("th")
		return
	}
	var h Head
	if i < len(t.Heads) {
		h = t.Heads[i]
	}
	class := ""
	if h.Right {
		class = "r"
	}
	if h.Drop {
		class += " drop"
	}
	b.Open("td", A("data-l", h.Text), If(class != "", A("class", class)))
	b.Open("span")
	c.Build(b)
	b.End("span")
	b.End("td")
}
