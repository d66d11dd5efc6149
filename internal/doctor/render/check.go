package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// textWhy is how many reasons of one file the text shows.
const textWhy = 3

// CheckText writes a check for a terminal: the answer, what to run, then the
// files, then the rules.
func CheckText(w io.Writer, c *doctor.Check, o Options) error {
	s := print.NewScreen(w, o)
	tone := print.Good
	if !c.Complete {
		tone = print.Bad
	}
	s.Para(tone.Mark+" ", strings.ToUpper(c.Answer[:1])+c.Answer[1:]+map[bool]string{true: ".", false: ":"}[c.Complete], tone.Style.Strong())
	for i, r := range c.Run {
		s.Para(fmt.Sprintf("%3d  ", i+1), print.Clean(evidence.Brief(r), print.MaxSaying), print.Cyan)
	}
	s.Para("  ", fmt.Sprintf("For %s in the %s cloud%s, on %s. partnerguard export plan prints each request as a line to paste.",
		partnerWord(c.PartnerKind), c.Cloud, licenceFrom(c), c.AsOf.Format("2006-01-02")), print.Dim)
	if c.Sample {
		s.Para("  ", print.SampleWords, print.Cyan)
	}
	s.Section("Files", fmt.Sprintf("%d of %d there and whole", c.Whole, c.Needed))
	for i := range c.Files {
		checkFile(s, &c.Files[i], c.Run)
	}
	for i := range c.Left {
		leftOut(s, &c.Left[i])
	}
	ready := 0
	for i := range c.Rules {
		if c.Rules[i].Ready {
			ready++
		}
	}
	s.Section("Rules", fmt.Sprintf("%d of %d have what they need", ready, len(c.Rules)))
	for i := range c.Rules {
		checkRule(s, c, &c.Rules[i])
	}
	s.Inputs(c.Input)
	return s.Flush()
}

func licenceFrom(c *doctor.Check) string {
	if c.Licence == "" {
		return " (its licence is not known, so nothing is left out)"
	}
	return withLicence(c.Licence)
}

func checkFile(s *print.Screen, f *doctor.CheckFile, run []string) {
	tone, word := print.Good, "whole"
	switch {
	case f.Extent == evidence.Partly:
		tone, word = print.Doubt, "partial"
	case f.Extent == evidence.Absent && f.Need == "needed":
		tone, word = print.Bad, "absent"
	case f.Extent == evidence.Absent:
		tone, word = print.Muted, "absent"
	}
	text := fmt.Sprintf("%s: %s", f.File, word)
	if f.Extent != evidence.Absent {
		text += fmt.Sprintf(", %s", print.Plural(int64(f.Records), "records"))
	}
	if f.Says != "" {
		text += ", " + f.Says
	}
	if f.Instead != "" {
		text += ", by " + f.Instead
	}
	switch f.Need {
	case "helps":
		text += "; not needed, it would show more"
	case "not_known":
		text += "; whether it is needed is not known yet"
	}
	s.Para("  "+tone.Mark+" ", text+toRun(f.Run, run), tone.Style)
	for i := range f.Why[:min(len(f.Why), textWhy)] {
		why := &f.Why[i]
		where := ""
		if why.Source.Path != "" {
			where = " (" + print.Clean(why.Source.String(), print.MaxName) + ")"
		}
		s.Para("      - ", print.Clean(why.Why, print.MaxSaying)+where, print.Plain)
	}
	if more := len(f.Why) - textWhy; more > 0 {
		s.Para("      ", fmt.Sprintf("and %d more reasons in the JSON", more), print.Dim)
	}
}

func checkRule(s *print.Screen, c *doctor.Check, r *doctor.CheckRule) {
	tone := print.Good
	var parts []string
	for _, p := range []struct {
		word  string
		kinds []evidence.Kind
	}{{"absent", r.Absent}, {"partial", r.Partial}, {"not to be had", r.Left}} {
		if len(p.kinds) > 0 {
			parts = append(parts, p.word+": "+files(c, p.kinds))
		}
	}
	for _, o := range r.Open {
		parts = append(parts, "not known: "+print.Clean(o, print.MaxSaying))
	}
	if !r.Ready {
		tone = print.Doubt
	}
	text := fmt.Sprintf("%s (%s)", r.ID, r.Level)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	s.Para("  "+tone.Mark+" ", text+toRun(r.Run, c.Run), tone.Style)
}

// toRun names a request by its number in the list at the top, where it stands
// once.
func toRun(request string, list []string) string {
	if request == "" {
		return ""
	}
	if i := slices.Index(list, request); i >= 0 {
		return fmt.Sprintf(" → run %d", i+1)
	}
	return " → " + print.Clean(evidence.Brief(request), print.MaxSaying)
}

// files are the names under which the kinds stand in the list of files.
func files(c *doctor.Check, list []evidence.Kind) string {
	words := make([]string, len(list))
	for i, k := range list {
		words[i] = string(k)
		if at := slices.IndexFunc(c.Files, func(f doctor.CheckFile) bool { return f.Kind == k }); at >= 0 {
			words[i] = c.Files[at].File
		}
	}
	return strings.Join(words, ", ")
}

func kinds(list []evidence.Kind) string {
	words := make([]string, len(list))
	for i, k := range list {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

// CheckCSV writes one row a file, then one a rule.
func CheckCSV(w io.Writer, c *doctor.Check) error {
	out := print.NewSheet(w, "row", "id", "need", "extent", "records", "says", "why", "run", "there", "partial", "absent", "left_out", "used_by")
	for i := range c.Files {
		f := &c.Files[i]
		why := make([]string, len(f.Why))
		for j := range f.Why {
			why[j] = f.Why[j].Why
		}
		out.Row("file", f.File, f.Need, f.Extent.String(), strconv.Itoa(f.Records), f.Says, strings.Join(why, " | "), f.Run,
			"", "", "", "", strings.Join(slices.Concat(f.NeededBy, f.Helps), " "))
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		ready := map[bool]string{true: "ready", false: "not ready"}[r.Ready]
		out.Row("rule", r.ID, r.Level, ready, "", "", "", r.Run, kinds(r.There), kinds(r.Partial), kinds(r.Absent), kinds(r.Left), "")
	}
	return out.Close()
}
