package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// Options says what the terminal can do.
type Options = print.Options

// PlanText writes a plan for a terminal: how many files, then each with its
// request, its rights, and the line that makes it.
func PlanText(w io.Writer, p *doctor.Plan, o Options) error {
	s := print.NewScreen(w, o)
	need := 0
	for i := range p.Files {
		if p.Files[i].Needed {
			need++
		}
	}
	s.Para("", fmt.Sprintf("%s to export, %d of them needed, for %s in the %s cloud%s, on %s", print.Plural(int64(len(p.Files)), "files"), need,
		partnerWord(p.PartnerKind), p.Cloud, withLicence(p.Licence), p.AsOf.Format(time.DateOnly)), print.Bold)
	s.Para("", "Paste the first block once, then the lines of the files you want, in a folder of their own. --output powershell gives all of it as a script. "+
		"Then: partnerguard export check FOLDER", print.Plain)
	for _, pre := range p.Prepare {
		s.Section("Once, for "+serviceWord(pre.Service), "")
		command(s, 0, pre.PowerShell)
	}
	for when, title := range []string{"Needed", "Needed when another list names what they hold", "Useful"} {
		first := true
		for i := range p.Files {
			if whenNeeded(&p.Files[i]) != when {
				continue
			}
			if first {
				s.Section(title, "")
			} else {
				s.Blank()
			}
			first = false
			planFile(s, &p.Files[i])
		}
	}
	if len(p.Left) > 0 {
		s.Section("Not to be had", "")
		for i := range p.Left {
			leftOut(s, &p.Left[i])
		}
	}
	return s.Flush()
}

// whenNeeded sorts a file: 0 always, 1 when named, 2 it helps.
func whenNeeded(f *doctor.PlanFile) int {
	switch {
	case len(f.NeededBy) > 0:
		return 0
	case f.Needed:
		return 1
	}
	return 2
}

func planFile(s *print.Screen, f *doctor.PlanFile) {
	s.Para("", f.File, print.Bold)
	if f.When != "" && f.Needed {
		s.Para("  when        ", f.When, print.Plain)
	}
	for i, r := range f.Requests {
		lead := "  request     "
		if i > 0 {
			lead = "  then        "
		}
		if f.Paged && i == len(f.Requests)-1 {
			r += ", every page"
		}
		s.Command(0, lead+r) // an address is copied as it stands
	}
	if len(f.Permissions) > 0 {
		s.Para("  permission  ", strings.Join(f.Permissions, ", "), print.Plain)
	}
	s.Para("  who may     ", strings.Join(f.Roles, " or "), print.Plain)
	if f.Licence != evidence.Free {
		s.Para("  licence     ", "Entra ID "+strings.ToUpper(string(f.Licence))+"; without it: "+f.Without, print.Plain)
	}
	if len(f.Portal) > 0 {
		s.Para("  or click    ", strings.Join(f.Portal, " > "), print.Plain)
	}
	s.Para("  note        ", f.Note, print.Dim)
	for _, use := range []struct {
		lead  string
		rules []string
	}{{"  needed by   ", f.NeededBy}, {"  perhaps by  ", f.MayNeededBy}, {"  helps       ", f.Helps}} {
		s.Para(use.lead, strings.Join(use.rules, ", "), print.Dim)
	}
	command(s, 2, f.PowerShell)
}

// command writes lines that are pasted as they stand.
func command(s *print.Screen, indent int, text string) {
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		s.Command(indent, l)
	}
}

func leftOut(s *print.Screen, l *doctor.LeftOut) {
	text := l.File + ": " + l.Why
	if l.Without != "" {
		text += "; " + l.Without
	}
	s.Para("  - ", text, print.Plain)
}

func withLicence(l string) string {
	switch l {
	case "":
		return ""
	case string(evidence.Free):
		return " without Entra ID P1"
	}
	return " with Entra ID " + strings.ToUpper(l)
}

// partnerWord is "a direct-bill partner" or "an advisor partner".
func partnerWord(kind string) string {
	if kind != "" && strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind + " partner"
	}
	return "a " + kind + " partner"
}

func serviceWord(s evidence.Service) string {
	switch s {
	case evidence.PartnerCenter:
		return "Partner Center"
	case evidence.ExchangeOnline:
		return "Exchange Online"
	}
	return "Microsoft Graph"
}

// PlanScript writes the plan as a PowerShell script. A file that cannot be made
// is warned of and does not keep the others from being made.
func PlanScript(w io.Writer, p *doctor.Plan) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# What %s in the %s cloud exports%s, on %s.\n# Run it in a folder of its own; then: partnerguard export check FOLDER\n",
		partnerWord(p.PartnerKind), p.Cloud, withLicence(p.Licence), p.AsOf.Format(time.DateOnly))
	for _, pre := range p.Prepare {
		fmt.Fprintf(b, "\n# %s\n%s", serviceWord(pre.Service), pre.PowerShell)
	}
	for i := range p.Files {
		f := &p.Files[i]
		fmt.Fprintf(b, "\n# %s: %s\ntry {\n%s\n} catch { Write-Warning \"%s: $_\" }\n", f.File, strings.Join(f.Requests, ", then "), f.PowerShell, f.File)
	}
	return b.Flush()
}

// PlanCSV writes one row a file.
func PlanCSV(w io.Writer, p *doctor.Plan) error {
	out := print.NewSheet(w, "file", "kind", "needed", "when", "requests", "paged", "permissions", "roles", "licence", "without", "portal", "powershell",
		"note",
		"needed_by", "may_be_needed_by", "helps", "source")
	for i := range p.Files {
		f := &p.Files[i]
		out.Row(f.File, string(f.Kind), yes(f.Needed), f.When, strings.Join(f.Requests, " | "), yes(f.Paged),
			strings.Join(f.Permissions, " "), strings.Join(f.Roles, " | "), string(f.Licence), f.Without, strings.Join(f.Portal, " > "), f.PowerShell, f.Note,
			strings.Join(f.NeededBy, " "), strings.Join(f.MayNeededBy, " "),
			strings.Join(f.Helps, " "), f.Source)
	}
	for i := range p.Left {
		l := &p.Left[i]
		out.Row(l.File, string(l.Kind), "left out: "+l.Why, "", "", "", "", "", "", l.Without, "", "", "", strings.Join(l.NeededBy, " "), "", "", "")
	}
	return out.Close()
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// JSON writes a plan or a check, indented, as docs/exports.md describes it.
func JSON(w io.Writer, v any) error { return print.JSON(w, v) }
