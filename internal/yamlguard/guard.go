package yamlguard

import "github.com/goccy/go-yaml/ast"

// TooDeep is the first line with more than so many open brackets or so wide an
// indentation, by which a recursive parser would be led too far; 0 when there is
// none. Brackets inside texts are counted too.
func TooDeep(raw []byte, brackets, indentation int) int {
	depth, line, indent, counting := 0, 1, 0, true
	for _, c := range raw {
		switch {
		case c == '\n':
			line, indent, counting = line+1, 0, true
		case counting && (c == ' ' || c == '-' || c == '?' || c == '\t'):
			indent++
		default:
			counting = false
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
		if depth > brackets || indent > indentation {
			return line
		}
	}
	return 0
}

// First is the first line that holds one of some kinds of nodes, and which; 0 when
// there is none.
func First(f *ast.File, kinds ...ast.NodeType) (line int, kind ast.NodeType) {
	w := &finder{wanted: kinds}
	for _, d := range f.Docs {
		if d.Body != nil {
			ast.Walk(w, d.Body)
		}
	}
	return w.line, w.kind
}

// Expanding are the nodes that make a short file long, or another thing of a value
// than it says: anchors, aliases, merge keys and tags.
func Expanding() []ast.NodeType {
	return []ast.NodeType{ast.AliasType, ast.AnchorType, ast.MergeKeyType, ast.TagType}
}

type finder struct {
	wanted []ast.NodeType
	line   int
	kind   ast.NodeType
}

// Visit implements [ast.Visitor].
func (w *finder) Visit(n ast.Node) ast.Visitor {
	if w.line > 0 {
		return nil
	}
	for _, k := range w.wanted {
		if t := n.GetToken(); n.Type() == k && t != nil && t.Position != nil {
			w.line, w.kind = t.Position.Line, k
			return nil
		}
	}
	return w
}
