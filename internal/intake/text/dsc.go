package text

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errDSCEnd  = errors.New("the text ends inside it")
	errDSCForm = errors.New("it is not written as Microsoft365DSC writes it")
)

// DSC reads the resources of a Microsoft365DSC configuration, which is a
// PowerShell script. Only the literals are read that Microsoft365DSC itself
// writes: texts, numbers, $True, $False and lists of them. Nothing is run; what
// refers to something else is computed.
type DSC struct {
	text string
	at   int
	line int
}

// NewDSC makes a scanner of a configuration.
func NewDSC(source []byte) *DSC { return &DSC{text: string(source), line: 1} }

func (s *DSC) step(n int) {
	s.line += strings.Count(s.text[s.at:s.at+n], "\n")
	s.at += n
}

// space passes white space, line ends, semicolons and comments.
func (s *DSC) space() {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '`':
			s.step(1)
		case c == '#':
			i := strings.IndexByte(s.text[s.at:], '\n')
			if i < 0 {
				i = len(s.text) - s.at
			}
			s.step(i)
		case strings.HasPrefix(s.text[s.at:], "<#"):
			i := strings.Index(s.text[s.at:], "#>")
			if i < 0 {
				i = len(s.text) - s.at - 2
			}
			s.step(i + 2)
		default:
			return
		}
	}
}

// word reads a name; it is "" when there is none.
func (s *DSC) word() string {
	from := s.at
	for s.at < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' {
			break
		}
		s.at += n
	}
	return s.text[from:s.at]
}

// Resource goes to the next resource, Name "instance" {, and stands behind its
// brace, which is on the line.
func (s *DSC) Resource() (kind string, line int, ok bool) {
	for {
		s.space()
		if s.at >= len(s.text) {
			return "", 0, false
		}
		w := s.word()
		if w == "" {
			if c := s.text[s.at]; c == '"' || c == '\'' {
				if _, _, err := s.quoteString(); err != nil {
					return "", 0, false
				}
			} else {
				s.step(1)
			}
			continue
		}
		mark, line := s.at, s.line
		s.space()
		if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
			if _, _, err := s.quoteString(); err != nil {
				return "", 0, false
			}
			s.space()
			if s.at < len(s.text) && s.text[s.at] == '{' {
				s.step(1)
				return w, s.line, true
			}
		}
		s.at, s.line = mark, line
	}
}

// Properties reads the properties of the resource that was gone to.
func (s *DSC) Properties() (map[string]any, error) { return s.block(0) }

// properties reads Name = value pairs up to the closing brace.
func (s *DSC) block(depth int) (map[string]any, error) {
	out := map[string]any{}
	if depth > 16 {
		return nil, ErrNested
	}
	for {
		s.space()
		if s.at >= len(s.text) {
			return nil, errDSCEnd
		}
		if s.text[s.at] == '}' {
			s.step(1)
			return out, nil
		}
		name := s.word()
		s.space()
		if name == "" || s.at >= len(s.text) || s.text[s.at] != '=' {
			return nil, errDSCForm
		}
		s.step(1)
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
}

func (s *DSC) value(depth int) (any, error) {
	s.space()
	if s.at >= len(s.text) {
		return nil, errDSCEnd
	}
	from := s.at
	switch c := s.text[s.at]; {
	case c == '"' || c == '\'':
		v, literal, err := s.quoteString()
		if err != nil {
			return nil, err
		}
		if !literal {
			return s.rest(from), nil
		}
		return s.alone(v, from), nil
	case strings.HasPrefix(s.text[s.at:], "@("):
		s.step(2)
		v, err := s.list(depth + 1)
		if err != nil {
			return nil, err
		}
		return s.alone(v, from), nil
	case c >= '0' && c <= '9':
		return s.alone(s.word(), from), nil
	case c == '$':
		s.step(1)
		switch w := strings.ToLower(s.word()); w {
		case "true", "false":
			return s.alone(w == "true", from), nil
		case "null":
			return s.alone(nil, from), nil
		}
		return s.rest(from), nil
	}
	if w := s.word(); w != "" { // an embedded instance: MSFT_Something{ … }
		s.space()
		if s.at < len(s.text) && s.text[s.at] == '{' {
			s.step(1)
			inner, err := s.block(depth + 1)
			return inner, err
		}
		return s.rest(from), nil
	}
	if strings.IndexByte("([-+!%&", s.text[s.at]) >= 0 { // an expression
		return s.rest(from), nil
	}
	return nil, errDSCForm
}

// list reads the elements behind "@(".
func (s *DSC) list(depth int) (any, error) {
	out := []any{}
	if depth > 16 {
		return nil, ErrNested
	}
	for {
		s.space()
		if s.at >= len(s.text) {
			return nil, errDSCEnd
		}
		switch s.text[s.at] {
		case ')':
			s.step(1)
			return out, nil
		case ',':
			s.step(1)
			continue
		}
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

// quoted reads a text. It is no literal when something is put into it.
func (s *DSC) quoteString() (v string, literal bool, err error) {
	q := s.text[s.at]
	s.step(1)
	var b strings.Builder
	literal = true
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == q:
			if s.at+1 < len(s.text) && s.text[s.at+1] == q { // doubled
				b.WriteByte(q)
				s.step(2)
				continue
			}
			s.step(1)
			return b.String(), literal, nil
		case c == '`' && q == '"' && s.at+1 < len(s.text):
			r, n := utf8.DecodeRuneInString(s.text[s.at+1:])
			switch r {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteRune(r)
			}
			s.step(1 + n)
			continue
		case c == '$' && q == '"' && s.at+1 < len(s.text) && (s.text[s.at+1] == '(' || s.text[s.at+1] == '{' || isNameByte(s.text[s.at+1])):
			literal = false
		}
		b.WriteByte(c)
		s.step(1)
	}
	return "", false, errDSCEnd
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// alone gives v when the value ends here, and something computed when an
// operator follows.
func (s *DSC) alone(v any, from int) any {
	i := s.at
	for i < len(s.text) && (s.text[i] == ' ' || s.text[i] == '\t' || s.text[i] == '\r') {
		i++
	}
	if i >= len(s.text) || strings.IndexByte(";\n,)}#", s.text[i]) >= 0 {
		return v
	}
	return s.rest(from)
}

// rest passes what is left of a computed value: to the end of its line, or to
// what ends an element of a list.
func (s *DSC) rest(from int) any {
	depth := 0
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '"' || c == '\'':
			if _, _, err := s.quoteString(); err != nil {
				return Computed(s.text[from:])
			}
			continue
		case c == '(' || c == '{' || c == '[':
			depth++
		case c == ')' || c == '}' || c == ']':
			if depth == 0 {
				return Computed(s.text[from:s.at])
			}
			depth--
		case depth == 0 && (c == ';' || c == '\n' || c == ','):
			return Computed(s.text[from:s.at])
		}
		s.step(1)
	}
	return Computed(s.text[from:])
}
