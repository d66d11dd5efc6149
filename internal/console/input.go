package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
)

// Limits of what is shown about inputs; the rest is in the JSON.
const (
	textInputs = 20 // inputs that were not fully read
	textNotes  = 3  // notes of one input
	pageInputs = 100
	pageNotes  = 5
)

// Inputs writes what was read, and what was not and why.
func (p *Screen) Inputs(list []evidence.Input) {
	var odd []*evidence.Input
	records := 0
	for i := range list {
		if list[i].Status != evidence.Read || list[i].NextLink || list[i].NoteCount > 0 {
			odd = append(odd, &list[i])
		}
		for _, n := range list[i].Kinds {
			records += n
		}
	}
	p.Section("Inputs", fmt.Sprintf("%s, %s", Plural(int64(len(list)), "inputs"), Plural(int64(records), "records")))
	if len(odd) == 0 && len(list) > 0 {
		p.Para("  ", "All were read to their end.", Green)
		return
	}
	shown := min(len(odd), textInputs)
	for _, in := range odd[:shown] {
		st := Yellow
		if in.Status == evidence.NotRecognised || in.Status == evidence.Read {
			st = Dim
		}
		p.Para("  ", Clean(in.Path, MaxName)+": "+statusWord(in.Status), st)
		for _, n := range inputNotes(in, textNotes) {
			p.Para("    - ", n, Plain)
		}
	}
	if more := len(odd) - shown; more > 0 {
		p.Para("  ", fmt.Sprintf("and %s more in the JSON", Number(int64(more))), Dim)
	}
}

// completeWords says of what is complete why it is. An input that was not read
// to its end may be one that the answer does not rest on.
func completeWords(what string, cut bool) string {
	if cut {
		return "The " + what + " is complete: every list that it rests on was read to its end."
	}
	return "The " + what + " is complete: every input was read to its end."
}

// CutReasons say of each input that was not read to its end that it was not.
func CutReasons(inputs []evidence.Input) (out []string) {
	for i := range inputs {
		switch in := &inputs[i]; {
		case in.Status == evidence.Unreadable:
			out = append(out, in.Path+" could not be read")
		case in.Status == evidence.Partial:
			out = append(out, in.Path+" could only be read in part")
		case in.NextLink:
			out = append(out, in.Path+" ends with a link to a further page that is not here")
		}
	}
	return out
}

// anyCut reports an input that was not read to its end.
func anyCut(inputs []evidence.Input) bool {
	return len(CutReasons(inputs)) > 0
}

func statusWord(s evidence.Status) string {
	switch s {
	case evidence.Read:
		return "read"
	case evidence.Partial:
		return "only partly read"
	case evidence.Unreadable:
		return "could not be read"
	case evidence.NotRecognised:
		return "nothing Partnerguard judges"
	}
	return Clean(string(s), MaxName)
}

// inputNotes says why an input was not fully read, at most limit sentences.
func inputNotes(in *evidence.Input, limit int) []string {
	var out []string
	if in.NextLink {
		out = append(out, "its last page points to a next page that is not among the inputs")
	}
	shown := min(len(in.Notes), limit)
	for i := range shown {
		n := &in.Notes[i]
		s := Clean(n.Message, MaxSaying)
		if place := place(n.Source); place != "" && !strings.HasPrefix(s, place+",") && !strings.HasPrefix(s, place+":") {
			s = place + ": " + s
		}
		out = append(out, s)
	}
	if more := max(in.NoteCount, len(in.Notes)) - shown; more > 0 && len(in.Notes) > 0 {
		out = append(out, fmt.Sprintf("and %s more", Plural(int64(more), "notes")))
	}
	return out
}

// place is where in an input something stood, without the path.
func place(s evidence.Source) string {
	at := ""
	switch {
	case s.Line > 0:
		at = fmt.Sprintf("line %d", s.Line)
	case s.Index > 0:
		at = fmt.Sprintf("record %d", s.Index)
	}
	if part := Clean(s.Part, MaxName); part != "" {
		if at != "" {
			at += " "
		}
		at += "in " + part
	}
	return at
}

// kinds lists what an input held, in the order of the words.
func kinds(m map[evidence.Kind]int) string {
	out := ""
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if out != "" {
			out += ", "
		}
		out += Clean(string(k), 60) + ": " + Number(int64(m[k]))
	}
	return out
}

// InputsView is the inputs as a page shows them; the template is "inputs".
type InputsView struct {
	Odd        []InputView // not fully read, or not recognised
	OddMore    int
	Whole      []InputView // read to their end, folded
	WholeMore  int
	WholeCount string
	Summary    string
	Cut        bool // one was not read to its end
}

// InputView is one input on a page.
type InputView struct {
	Path, Status, Class, Mark, Kinds, Shape string
	Notes                                   []string
}

// ViewInputs prepares the inputs for a page.
func ViewInputs(list []evidence.Input) (v InputsView) {
	records, odd := 0, 0
	for i := range list {
		in := &list[i]
		for _, n := range in.Kinds {
			records += n
		}
		if in.Status == evidence.Read && !in.NextLink {
			if len(v.Whole) < pageInputs {
				v.Whole = append(v.Whole, viewInput(in))
			} else {
				v.WholeMore++
			}
			continue
		}
		if in.Status != evidence.NotRecognised {
			odd++
		}
		if len(v.Odd) < pageInputs {
			v.Odd = append(v.Odd, viewInput(in))
		} else {
			v.OddMore++
		}
	}
	v.WholeCount = Plural(int64(len(v.Whole)+v.WholeMore), "inputs")
	v.Cut = anyCut(list)
	v.Summary = Plural(int64(len(list)), "inputs") + ", " + Plural(int64(records), "records")
	if odd > 0 {
		v.Summary += ", " + Number(int64(odd)) + " not fully read"
	}
	return v
}

func viewInput(in *evidence.Input) InputView {
	v := InputView{Path: Clean(in.Path, MaxSaying), Status: statusWord(in.Status), Class: "unknown", Mark: "!", Kinds: kinds(in.Kinds), Notes: inputNotes(in, pageNotes)}
	switch {
	case in.Status == evidence.Read && !in.NextLink:
		v.Class, v.Mark = "met", "✓"
	case in.Status == evidence.NotRecognised:
		v.Class, v.Mark = "na", "–"
	case in.Status == evidence.Unreadable:
		v.Class, v.Mark = "notmet", "✗"
	}
	for _, s := range []string{in.Format, in.Encoding, in.Compression} {
		if s = Clean(s, 40); s != "" {
			if v.Shape != "" {
				v.Shape += ", "
			}
			v.Shape += s
		}
	}
	return v
}
