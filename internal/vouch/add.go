package vouch

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"partnerguard/internal/problem"
)

const preamble = "# What people vouch for, beside the exports that cannot show it. Each statement ends on its day.\n# partnerguard attest adds to this file.\n"

// Add puts a statement at the end of its list in a file and gives the file's new
// text; what stands there stays as it is, remarks too. old may be empty. It refuses
// what [Parse] would, and a statement that is there already.
func Add(old []byte, s Statement) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	var before []Statement
	if len(bytes.TrimSpace(old)) > 0 {
		var err error
		if before, err = Parse("", old); err != nil {
			return nil, err
		}
	} else {
		old = []byte(preamble)
	}
	for i := range before {
		if before[i].Same(&s) {
			return nil, problem.New(problem.Conflict, "the file says so already, on line %d", before[i].Source.Line)
		}
	}
	item, err := yaml.MarshalWithOptions([]Statement{s}, yaml.IndentSequence(false))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the statement cannot be written as YAML")
	}
	out := insert(string(old), string(s.Kind)+"s", string(item))
	after, err := Parse("", []byte(out))
	if err != nil {
		return nil, err
	}
	if !grown(before, after, &s) {
		return nil, problem.New(problem.BadInput, "the file is written in a way that nothing can be added to").
			WithHint("write its lists with one statement under the other, each beginning with a dash")
	}
	return []byte(out), nil
}

// grown reports that after is before and the one statement more.
func grown(before, after []Statement, s *Statement) bool {
	if len(after) != len(before)+1 {
		return false
	}
	left := append(before[:len(before):len(before)], *s)
	for i := range after {
		found := false
		for j := range left {
			if found = left[j].Same(&after[i]); found {
				left = append(left[:j:j], left[j+1:]...)
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// insert puts an item, whose lines are not indented, at the end of a list.
func insert(text, list, item string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	lines := strings.SplitAfter(text, "\n")
	begin := -1
	for i, l := range lines {
		if key, rest, ok := strings.Cut(l, ":"); ok && strings.TrimRight(key, " \t") == list {
			begin = i
			if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") { // the empty list, written out
				lines[i] = list + ":\n"
			}
		}
	}
	if begin < 0 {
		return text + list + ":\n" + indented(item, "  ")
	}
	indent, end := "  ", begin+1
	for i := begin + 1; i < len(lines); i++ {
		bare := strings.TrimLeft(lines[i], " ")
		switch {
		case strings.HasPrefix(bare, "-"):
			if end == begin+1 {
				indent = lines[i][:len(lines[i])-len(bare)]
			}
		case strings.TrimSpace(bare) == "", strings.HasPrefix(bare, "#"): // it may belong to what follows
			continue
		case lines[i] == bare: // the next key
			return strings.Join(lines[:end], "") + indented(item, indent) + strings.Join(lines[end:], "")
		}
		end = i + 1
	}
	return strings.Join(lines[:end], "") + indented(item, indent) + strings.Join(lines[end:], "")
}

func indented(item, by string) string {
	var b strings.Builder
	for l := range strings.Lines(item) {
		if strings.TrimSpace(l) != "" {
			fmt.Fprintf(&b, "%s%s", by, l)
		} else {
			b.WriteString(l)
		}
	}
	return b.String()
}
