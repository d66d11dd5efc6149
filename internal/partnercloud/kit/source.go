package kit

// Sure is how sure we are of what an operation does.
type Sure uint8

// How sure.
const (
	Known Sure = iota // from general knowledge, not checked
	Read              // read on a page of Microsoft, or in the contracts
	Ours              // chosen by us
)

// String is the word for it.
func (s Sure) String() string {
	switch s {
	case Read:
		return "read"
	case Ours:
		return "ours"
	}
	return "known"
}

// Source says where an operation is described, and how sure we are.
type Source struct {
	Text string
	Sure Sure
}

// Operation is one operation of an API, as its table says: a row of the generated
// list of routes.
type Operation struct {
	Method, Path string
	Permission   string   // what the caller needs
	Licence      string   // what the tenant needs; "" nothing
	Options      []string // query options that are taken
	Versions     string   // "v1.0", "beta" or "": both, or there are none
	LeftOut      string   // the name by which it answers 501; "" when it is served
	Source
}
