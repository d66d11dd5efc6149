package print

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
)

func TestInputNotes(t *testing.T) {
	in := evidence.Input{Path: "a.json", Notes: []evidence.Note{
		{Message: "line 133, byte 9: the text ends here", Source: evidence.Source{Path: "a.json", Line: 133}},
		{Message: "no id", Source: evidence.Source{Path: "a.json", Index: 2}},
	}, NoteCount: 2}
	if got, want := InputNotes(&in, 5), []string{"line 133, byte 9: the text ends here", "record 2: no id"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is complete for an answer is not said of inputs that were cut.
func TestCompleteWords(t *testing.T) {
	whole := []evidence.Input{{Path: "a.json", Status: evidence.Read}}
	for _, cut := range []evidence.Input{{Path: "b.json", Status: evidence.Partial}, {Path: "b.json", Status: evidence.Unreadable},
		{Path: "b.json", Status: evidence.Read, NextLink: true}} {
		list := append(slices.Clone(whole), cut)
		if why := CutReasons(list); len(why) != 1 || !strings.HasPrefix(why[0], "b.json ") {
			t.Errorf("%v: %q", cut, why)
		}
		var b strings.Builder
		p := NewScreen(&b, Options{})
		p.Incomplete(true, "answer", nil, list)
		if err := p.Flush(); err != nil || strings.Contains(b.String(), "every input") {
			t.Errorf("%v: %q %v", cut, b.String(), err)
		}
	}
	if why := CutReasons(whole); why != nil {
		t.Errorf("%q", why)
	}
}
