package print

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
)

// Inputs writes what was read, and what was not and why.
func (p *Screen) Inputs(list []evidence.Input) {
	var odd []*evidence.Input
	records := 0
	for i := range list {
		if list[i].Status != evidence.Read || list[i].NextLink || list[i].NoteCount > 0 {
			odd = append(odd, &list[i])
		}
		records += list[i].Records()
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
		p.Para("  ", Clean(in.Path, MaxName)+": "+StatusWord(in.Status), st)
		for _, n := range InputNotes(in, textNotes) {
			p.Para("    - ", n, Plain)
		}
	}
	p.More("  ", len(odd)-shown, " in the JSON")
}

// CompleteWords says of what is complete why it is. An input that was not read
// to its end may be one that the answer does not rest on.
func CompleteWords(what string, cut bool) string {
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

// AnyCut reports an input that was not read to its end.
func AnyCut(inputs []evidence.Input) bool {
	return len(CutReasons(inputs)) > 0
}

// StatusWord says how far an input was read.
func StatusWord(s evidence.Status) string {
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

// InputNotes says why an input was not fully read, at most limit sentences.
func InputNotes(in *evidence.Input, limit int) []string {
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

// Kinds lists what an input held, in the order of the words.
func Kinds(m map[evidence.Kind]int) string {
	out := ""
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if out != "" {
			out += ", "
		}
		out += Clean(string(k), 60) + ": " + Number(int64(m[k]))
	}
	return out
}
