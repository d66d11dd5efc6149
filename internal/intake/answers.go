package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/intake/text"
)

// The answers of query services, Log Analytics and Elasticsearch, and what
// shippers wrap around single events.

// tables reads the answer of the Log Analytics query API: columns once, rows
// as lists. Each row is handed on as an object.
func (f *file) tables(s *text.Scanner, p place) error {
	return s.Array(func(c byte) error {
		if c != '{' {
			return s.Value()
		}
		var names [][]byte
		return s.Object(func(key string, c byte) (bool, error) {
			switch low := strings.ToLower(key); {
			case low == "columns" && c == '[':
				return true, s.Array(func(c byte) error {
					name, err := columnName(s, c)
					if err == nil && name != nil && len(names) < text.MaxColumns {
						names = append(names, name)
					}
					return err
				})
			case low == "rows" && c == '[':
				return true, f.tableRows(s, names, p)
			}
			return false, nil
		})
	})
}

// columnName reads one column of a table: its name, as a JSON text, or nil
// when the column was too large to read.
func columnName(s *text.Scanner, c byte) ([]byte, error) {
	raw, err := s.Raw()
	if err == text.ErrTooLarge {
		return nil, s.Value()
	}
	if err != nil {
		return nil, err
	}
	if c == '"' {
		return bytes.Clone(raw), nil
	}
	for _, name := range []string{"name", "columnname"} {
		if v := text.Member(raw, name); len(v) > 0 && v[0] == '"' {
			return bytes.Clone(v), nil
		}
	}
	return []byte(`""`), nil
}

func (f *file) tableRows(s *text.Scanner, names [][]byte, p place) error {
	var row []byte
	n := 0
	err := s.Array(func(c byte) error {
		n++
		q := p
		q.index, q.level = n, flat
		if names == nil || c != '[' {
			f.fault(f.at(q), s.Offset(), "expected rows as lists behind a list of columns")
			return s.Value()
		}
		raw, err := s.Whole()
		if err != nil {
			return f.passed(s, err, "this row", q)
		}
		var found int
		if row, found = cells(row[:0], names, raw); found != len(names) {
			f.fault(f.at(q), 0, fmt.Sprintf("expected %d cells, found %s", len(names), cellCount(found, len(names))))
		}
		return f.one(row, q)
	})
	if err == nil && n == 0 {
		blank := []byte{'{'}
		for i, name := range names {
			if i > 0 {
				blank = append(blank, ',')
			}
			blank = append(append(blank, name...), `:""`...)
		}
		kind, _ := f.recognise(append(blank, '}'), nil)
		f.emptyList(kind, "an empty table")
	}
	return err
}

func cellCount(n, most int) string {
	if n > most {
		return "more"
	}
	return strconv.Itoa(n)
}

// cells writes the list raw as an object under names. Values without a name
// are left out; found is how many values there were, most one more than names.
func cells(dst []byte, names [][]byte, raw []byte) (row []byte, found int) {
	dst = append(dst, '{')
	text.Elements(raw, func(v []byte) {
		if found < len(names) {
			if found > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, names[found]...), ':'), v...)
		}
		found = min(found+1, len(names)+1)
	})
	return append(dst, '}'), found
}

// hits reads the hits of an Elasticsearch answer: the documents, and how many
// there are in all. A search gives 10 unless it is asked for more, and never
// more than 10,000.
func (f *file) hits(s *text.Scanner, p place) error {
	total, more, docs := int64(-1), false, 0
	err := s.Object(func(key string, c byte) (bool, error) {
		switch low := strings.ToLower(key); {
		case low == "hits" && c == '[':
			q := p
			q.level = min(q.level, flat-2) // _source is one envelope, event.original in it another
			err := s.Array(func(c byte) error {
				docs++
				q.index = docs
				return f.element(s, c, q)
			})
			if err == nil && docs == 0 {
				f.emptyList("", emptyListOfWhat)
			}
			return true, err
		case low == "total":
			raw, err := s.Raw()
			if err == nil {
				total, more = hitsTotal(raw)
			}
			return true, err
		}
		return false, nil
	})
	if err == nil && total >= 0 && (int64(docs) < total || more) {
		f.fault(f.at(p), 0, fmt.Sprintf("the search found %s, and %d stand here: export all of them", hitsFound(total, more), docs))
	}
	return err
}

func hitsFound(n int64, more bool) string {
	if more {
		return fmt.Sprintf("more than %d documents", n)
	}
	return fmt.Sprintf("%d documents", n)
}

// hitsTotal reads the total of an answer: a number, or {value, relation}, whose
// relation gte says that there are more.
func hitsTotal(raw []byte) (total int64, more bool) {
	value := raw
	if raw[0] == '{' {
		value, more = text.Member(raw, "value"), string(text.Member(raw, "relation")) == `"gte"`
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return -1, false
	}
	return n, more
}

// isTextInText reports a text that begins like JSON written into a JSON text,
// which shippers make of one event.
func isTextInText(head []byte) bool {
	if len(head) < 2 || head[0] != '"' {
		return false
	}
	i := text.SkipSpace(head, 1)
	if i < len(head) && head[i] == '[' {
		i = text.SkipSpace(head, i+1)
	}
	return bytes.HasPrefix(head[min(i, len(head)):], []byte(`{\"`))
}

// textInText reads a top-level text that holds an object, or a list of them.
func (f *file) textInText(s *text.Scanner, p place) error {
	f.format("json in a json text")
	raw, err := s.Raw()
	if err != nil {
		return f.passed(s, err, "this record", p)
	}
	p.level++
	if inner := text.ObjectInText(raw); inner != nil {
		return f.one(inner, p)
	}
	if inner := []byte(strings.TrimSpace(text.Unquote(raw))); len(inner) > 0 && inner[0] == '[' && json.Valid(inner) {
		return f.list(text.InMemory(inner), p)
	}
	f.fault(f.at(p), 0, "this text begins like JSON and is none")
	return nil
}
