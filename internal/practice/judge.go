package practice

import (
	"partnerguard/internal/assess"
	"partnerguard/internal/facts"
)

// Judge judges the practices by the facts and by the report that was made of them. It is
// pure: equal facts, report and options give equal reports.
func Judge(f *facts.Facts, report *assess.Report, o Options) *Report {
	return &Report{Schema: SchemaID, AsOf: o.AsOf, Partner: report.Partner}
}

// Remedies are what brings each practice about, by its id.
func Remedies() map[string]Remedy { return map[string]Remedy{} }
