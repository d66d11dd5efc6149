package report

import (
	"slices"

	"partnerguard/internal/pack"
	"partnerguard/internal/problem"
)

// Files are the entries of a pack that this package makes, in their order. Equal inputs give
// equal bytes. Kind problem.BadInput where the input has no report, no period or an unknown
// reader.
func Files(in Input) ([]pack.File, error) {
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
	s := shaped(&in)
	out := []pack.File{
		{Path: "README.txt", Kind: "readme", Write: s.readmeTXT},
		{Path: "report.html", Kind: "report", Write: s.reportHTML},
		{Path: "report.json", Kind: "report", Write: s.reportJSON},
		{Path: "oscal/assessment-results.json", Kind: "oscal", Write: s.oscalJSON},
		{Path: "ocsf/compliance-findings.jsonl", Kind: "ocsf", Write: s.ocsfJSONL},
		{Path: BookEntry, Kind: "rules", Write: s.bookJSON},
		{Path: "practices.json", Kind: "practices", Write: s.practicesJSON},
		{Path: "exceptions.json", Kind: "exceptions", Write: s.exceptionsJSON},
		{Path: StatementsEntry, Kind: "attestations", Write: s.attestationsJSON},
		{Path: GapsEntry, Kind: "gaps", Write: s.gapsJSON},
	}
	if in.Build != nil {
		out = append(out, pack.File{Path: "sbom.cdx.json", Kind: "sbom", Write: s.sbomJSON})
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
func Shown(in Input) Input { return *shaped(&in) }
