package fold

import "time"

// newest is, by source, the newest clock of a row that needed no second look.
// The zero clock says that there was none.
type newest []clock

func (n *newest) see(source uint32, at clock) {
	for int(source) >= len(*n) {
		*n = append(*n, clock{})
	}
	if old := &(*n)[source]; *old == (clock{}) || at.compare(*old) > 0 {
		*old = at
	}
}

func (n *newest) join(other newest) {
	for id, at := range other {
		if at != (clock{}) {
			n.see(uint32(id), at)
		}
	}
}

// byPath gives it by the path of the inputs.
func (n newest) byPath(st *store) map[string]time.Time {
	out := make(map[string]time.Time, len(n))
	for id, at := range n {
		if at == (clock{}) {
			continue
		}
		path := st.sources[id].Path
		if t := at.time(); t.After(out[path]) {
			out[path] = t
		}
	}
	return out
}
