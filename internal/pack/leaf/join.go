package leaf

import (
	"strconv"
	"strings"

	"partnerguard/internal/problem"
)

// Join gives a page back as JSON, from what is around its list and its elements, with
// pseudonyms for what was left out. A record that is withheld is left away; an element
// is, and a page without what is around its list is refused.
func Join(around *Record, elements []*Record) ([]byte, error) {
	if around.Leaves == nil {
		return nil, problem.New(problem.BadInput, "the page is withheld")
	}
	at := -1
	for i := range around.Leaves { // as Cut chose it
		l := &around.Leaves[i]
		if string(l.Raw) == "[]" && (l.Path == "/value" || l.Path == "" || l.Path == "/items" && at < 0) {
			at = i
		}
	}
	if at < 0 && len(elements) > 0 {
		return nil, problem.New(problem.BadInput, "it has elements and no list")
	}
	var list []byte
	if len(elements) > 0 {
		list = append(list, '[')
		n := 0
		for _, e := range elements {
			if e.Leaves == nil {
				continue
			}
			if n++; n > 1 {
				list = append(list, ",\n"...)
			}
			var err error
			if list, err = join(list, e.Leaves, -1, nil); err != nil {
				return nil, err
			}
		}
		list = append(list, ']')
	}
	if list == nil {
		at = -1
	}
	return join(nil, around.Leaves, at, list)
}

// JoinOne gives one record back as JSON.
func JoinOne(r *Record) ([]byte, error) {
	if r.Leaves == nil {
		return nil, problem.New(problem.BadInput, "it is withheld")
	}
	return join(nil, r.Leaves, -1, nil)
}

// frame is an object or a list that is being written.
type frame struct {
	step string // that led into it, as in the path
	list bool
	n    int
}

// join writes leaves in their order; leaf number at is written as instead.
func join(out []byte, leaves []Leaf, at int, instead []byte) ([]byte, error) {
	w := writer{out: out}
	for i := range leaves {
		raw := leaves[i].Raw
		if i == at {
			raw = instead
		}
		if err := w.leaf(leaves[i].Path, raw, i); err != nil {
			return nil, err
		}
	}
	w.close(0)
	return w.out, nil
}

var errPaths = problem.New(problem.BadInput, "its paths are not those of one value")

// writer writes leaves as they come.
type writer struct {
	out  []byte
	open []frame
}

func (w *writer) leaf(path string, raw []byte, i int) error {
	steps, ok := steps(path)
	switch {
	case !ok || i > 0 && (len(steps) == 0 || len(w.open) == 0):
		return errPaths // a value alone has no sibling
	case i == 0:
		w.begin("", steps)
	}
	// The frames that the path goes through stay open.
	same := 0
	for same+1 < len(w.open) && same+1 < len(steps) && w.open[same+1].step == steps[same] {
		same++
	}
	if i > 0 {
		w.close(same + 1)
	}
	for depth := len(w.open) - 1; depth >= 0 && depth < len(steps); depth++ {
		step := steps[depth]
		f := &w.open[depth]
		if f.list != (step[0] == '#') || f.list && step != "#"+strconv.Itoa(f.n) {
			return errPaths
		}
		if f.n++; f.n > 1 {
			w.out = append(w.out, ',')
		}
		if !f.list {
			w.out = append(appendText(w.out, unescape(step[1:])), ':')
		}
		if depth+1 < len(steps) {
			w.begin(step, steps[depth+1:])
		}
	}
	w.out = append(w.out, raw...)
	return nil
}

// begin opens what the first of steps goes into; nothing where there is none.
func (w *writer) begin(step string, steps []string) {
	if len(steps) == 0 {
		return
	}
	list := steps[0][0] == '#'
	w.open = append(w.open, frame{step: step, list: list})
	if list {
		w.out = append(w.out, '[')
	} else {
		w.out = append(w.out, '{')
	}
}

func (w *writer) close(depth int) {
	for len(w.open) > depth {
		end := byte('}')
		if w.open[len(w.open)-1].list {
			end = ']'
		}
		w.out, w.open = append(w.out, end), w.open[:len(w.open)-1]
	}
}

// steps takes a path apart.
func steps(path string) (out []string, ok bool) {
	for len(path) > 0 {
		if path[0] != '/' && path[0] != '#' || len(out) > MaxDepth {
			return nil, false
		}
		end := strings.IndexAny(path[1:], "/#")
		if end < 0 {
			return append(out, path), true
		}
		out, path = append(out, path[:end+1]), path[end+1:]
	}
	return out, true
}

func unescape(s string) string {
	if !strings.Contains(s, "~") {
		return s
	}
	return strings.NewReplacer("~0", "~", "~1", "/", "~2", "#").Replace(s)
}
