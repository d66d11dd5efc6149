package kql

import (
	"strings"
)

// Error is why a query is refused, and where: 1 is the first.
type Error struct {
	Line, Column int
	Token        string // what stands there
	Text         string
}

func (e *Error) Error() string { return e.Text }

// Bounds of a query.
const (
	maxQuery = 32 << 10
	maxDepth = 50
	maxSteps = 50
	maxWidth = 100      // columns or aggregations of an operator
	maxText  = 64 << 10 // of an object as text: lists of texts of lists double with each step
)

type kind uint8

const (
	end kind = iota
	word
	text
	number
	sign
)

type token struct {
	kind kind
	text string // of a string: what it says
	at   int
}

// lex cuts a query into tokens.
func lex(q string) ([]token, *Error) {
	if len(q) > maxQuery {
		return nil, &Error{1, 1, "", "the query is too long"}
	}
	var out []token
	for i := 0; i < len(q); {
		c := q[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case strings.HasPrefix(q[i:], "//"):
			for i < len(q) && q[i] != '\n' {
				i++
			}
		case c == '\'' || c == '"' || c == '@' && i+1 < len(q) && (q[i+1] == '\'' || q[i+1] == '"'):
			t, next, ok := quoted(q, i)
			if !ok {
				return nil, place(q, i, "a text that does not end")
			}
			out, i = append(out, token{text, t, i}), next
		case letter(c):
			j := i
			// A dash belongs to the names of operators alone: project-away.
			for j < len(q) && (letter(q[j]) || digit(q[j]) || q[j] == '-' && strings.EqualFold(q[i:j], "project")) {
				j++
			}
			out, i = append(out, token{word, q[i:j], i}), j
		case digit(c):
			j := i
			for j < len(q) && (digit(q[j]) || q[j] == '.') {
				j++
			}
			out, i = append(out, token{number, q[i:j], i}), j
		default:
			s := signAt(q[i:])
			if s == "" {
				return nil, place(q, i, "a character that is not expected")
			}
			if s == "!" { // a word denied: !contains, !in, !has
				j := i + 1
				for j < len(q) && letter(q[j]) {
					j++
				}
				s = q[i:j]
			}
			out, i = append(out, token{sign, s, i}), i+len(s)
		}
	}
	return append(out, token{end, "", len(q)}), nil
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func signAt(q string) string {
	for _, s := range []string{"==", "=~", "!=", "!~", "<=", ">=", "|", "(", ")", "[", "]", ",", ".", "=", "<", ">", "!", "-", "~"} {
		if strings.HasPrefix(q, s) {
			return s
		}
	}
	return ""
}

// quoted reads a string literal; one with @ knows no escapes.
func quoted(q string, i int) (string, int, bool) {
	raw := q[i] == '@'
	if raw {
		i++
	}
	mark := q[i]
	var b strings.Builder
	for i++; i < len(q); i++ {
		switch {
		case q[i] == mark:
			return b.String(), i + 1, true
		case q[i] == '\\' && !raw && i+1 < len(q):
			i++
			switch q[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(q[i])
			}
		default:
			b.WriteByte(q[i])
		}
	}
	return "", 0, false
}

// place makes an error at an offset.
func place(q string, at int, why string) *Error {
	at = min(at, len(q))
	line := 1 + strings.Count(q[:at], "\n")
	column := at - strings.LastIndexByte(q[:at], '\n')
	stop := at
	for stop < len(q) && stop-at < 32 && q[stop] != ' ' && q[stop] != '\n' {
		stop++
	}
	return &Error{line, column, q[at:stop], why}
}
