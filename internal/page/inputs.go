package page

import (
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// Limits of what a page shows about inputs; the rest is in the JSON.
const (
	pageInputs = 100
	pageNotes  = 5
)

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
	Path, Status, Kinds, Shape, Hash string
	Tone                             print.Tone
	Notes                            []string
}

// ViewInputs prepares the inputs for a page.
func ViewInputs(list []evidence.Input) (v InputsView) {
	records, odd := 0, 0
	for i := range list {
		in := &list[i]
		records += in.Records()
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
	v.WholeCount = print.Plural(int64(len(v.Whole)+v.WholeMore), "inputs")
	v.Cut = print.AnyCut(list)
	v.Summary = print.Plural(int64(len(list)), "inputs") + ", " + print.Plural(int64(records), "records")
	if odd > 0 {
		v.Summary += ", " + print.Number(int64(odd)) + " not fully read"
	}
	return v
}

func viewInput(in *evidence.Input) InputView {
	v := InputView{Path: print.Clean(in.Path, print.MaxSaying), Status: print.StatusWord(in.Status), Tone: print.Cautious, Kinds: print.Kinds(in.Kinds),
		Notes: print.InputNotes(in, pageNotes),
		Hash:  print.Clean(in.SHA256, 64)}
	switch {
	case in.Status == evidence.Read && !in.NextLink:
		v.Tone = print.Good
	case in.Status == evidence.NotRecognised:
		v.Tone = print.Muted
	case in.Status == evidence.Unreadable:
		v.Tone = print.Bad
	}
	for _, s := range []string{in.Format, in.Encoding, in.Compression} {
		if s = print.Clean(s, 40); s != "" {
			if v.Shape != "" {
				v.Shape += ", "
			}
			v.Shape += s
		}
	}
	return v
}
