package screen

// Bit is a part of an open row or of a card: a small heading and what is below it.
type Bit struct {
	Head string
	Body []Block
}

// Build writes it.
func (x Bit) Build(b *Builder) {
	b.Open("div")
	b.Elem("h3", x.Head)
	for _, y := range x.Body {
		y.Build(b)
	}
	b.End("div")
}

// Row puts small blocks beside each other: buttons, tags.
type Row []Block

// Build writes it.
func (r Row) Build(b *Builder) {
	b.Class("div", "row mt0")
	for _, x := range r {
		x.Build(b)
	}
	b.End("div")
}
