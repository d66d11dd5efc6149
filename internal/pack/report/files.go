package report

import (
	"io"
	"slices"

	"partnerguard/internal/assess"
	"partnerguard/internal/pack"
	"partnerguard/internal/problem"
)

// Files are the entries of a pack that this package makes, in their order. Each is made of
// the input as it is when it is written, so that a report judged from redacted evidence may
// take the first one's place until then. Equal inputs give equal bytes. Kind
// problem.BadInput where the input has no report, no period or an unknown reader. The
// entries are for one goroutine.
func Files(in *Input) ([]pack.File, error) {
	switch {
	case in.Report == nil:
		return nil, problem.New(problem.BadInput, "there is no report to make a pack of")
	case !slices.Contains(Readers(), in.Reader):
		return nil, problem.New(problem.BadInput, "no reader is called %.40q", string(in.Reader)).WithHint("auditor, insurer, microsoft or customer")
	case in.From.IsZero() || !in.From.Before(in.To):
		return nil, problem.New(problem.BadInput, "a pack is of a period, and this one ends before it begins")
	case in.Name == "":
		return nil, problem.New(problem.BadInput, "a pack has a name")
	}
	var told *Input
	var of *assess.Report
	file := func(path, kind string, write func(*Input, io.Writer) error) pack.File {
		return pack.File{Path: path, Kind: kind, Write: func(w io.Writer) error {
			if told == nil || of != in.Report {
				told, of = shaped(in), in.Report
			}
			return write(told, w)
		}}
	}
	out := []pack.File{
		file("README.txt", "readme", (*Input).readmeTXT),
		file("report.html", "report", (*Input).reportHTML),
		file("report.json", "report", (*Input).reportJSON),
		file("oscal/assessment-results.json", "oscal", (*Input).oscalJSON),
		file("ocsf/compliance-findings.jsonl", "ocsf", (*Input).ocsfJSONL),
		file(BookEntry, "rules", (*Input).bookJSON),
		file("practices.json", "practices", (*Input).practicesJSON),
		file("exceptions.json", "exceptions", (*Input).exceptionsJSON),
		file(StatementsEntry, "attestations", (*Input).attestationsJSON),
		file(GapsEntry, "gaps", (*Input).gapsJSON),
	}
	if in.Build != nil {
		out = append(out, file("sbom.cdx.json", "sbom", (*Input).sbomJSON))
	}
	return out, nil
}

// Entries that are read again when a pack is judged again.
const (
	BookEntry       = "rules/book.json"
	StatementsEntry = "attestations.json"
	GapsEntry       = "gaps.json"
)

// Shown is a report as a reader is told it: its verdicts are those that a pack for the
// reader has.
func Shown(in *Input) *Input { return shaped(in) }
