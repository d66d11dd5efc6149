//go:build !judge

package app

import (
	"bytes"
	"encoding/json"
	"slices"

	"partnerguard/internal/assess"
	"partnerguard/internal/pack"
	"partnerguard/internal/problem"
)

// toldVerdict is a verdict as a file of a pack tells it to programs.
type toldVerdict struct {
	ID       string `json:"id"`
	Verdict  string `json:"verdict"`
	Affected int    `json:"affected"`
	Total    int    `json:"total"`
}

// toldAlike holds what a pack's report and findings say to its signed verdicts, which are judged
// again: whoever makes a pack may sign a report that says something else. Kind problem.Unmet.
func toldAlike(of packEntries, m *pack.Manifest) error {
	for _, x := range []struct {
		name string
		read func([]byte) ([]toldVerdict, error)
		all  bool // it tells what does not apply too
	}{{"report.json", toldByReport, true}, {"ocsf/compliance-findings.jsonl", toldByFindings, false}} {
		raw, err := of.Entry(x.name)
		var list []toldVerdict
		if err == nil {
			list, err = x.read(raw)
		}
		if err != nil {
			return problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", x.name)
		}
		said := map[string]bool{}
		for _, t := range list {
			n := slices.IndexFunc(m.Verdicts, func(v pack.Verdict) bool { return v.Requirement == t.ID })
			if n < 0 || said[t.ID] || m.Verdicts[n].Verdict != t.Verdict || m.Verdicts[n].Affected != t.Affected || m.Verdicts[n].Total != t.Total {
				return problem.New(problem.Unmet, "%s says of %.60q %.40q, and that is not the verdict that was signed", x.name, t.ID, t.Verdict)
			}
			said[t.ID] = true
		}
		for k := range m.Verdicts {
			if v := &m.Verdicts[k]; !said[v.Requirement] && (x.all || v.Verdict != string(assess.NotApplicable)) {
				return problem.New(problem.Unmet, "%s does not tell the verdict of %.60q", x.name, v.Requirement)
			}
		}
	}
	return nil
}

func toldByReport(raw []byte) ([]toldVerdict, error) {
	var r struct {
		Assessment struct {
			Requirements []toldVerdict `json:"requirements"`
		} `json:"assessment"`
	}
	err := json.Unmarshal(raw, &r)
	return r.Assessment.Requirements, err
}

func toldByFindings(raw []byte) (out []toldVerdict, err error) {
	for line := range bytes.Lines(raw) {
		var f struct {
			Compliance struct {
				Control  string `json:"control"`
				StatusID int    `json:"status_id"`
			} `json:"compliance"`
			Unmapped toldVerdict `json:"unmapped"`
		}
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, err
		}
		v := f.Unmapped
		if v.ID = f.Compliance.Control; f.Compliance.StatusID == 1 && v.Verdict != string(assess.Met) {
			v.Verdict = string(assess.Met) // what a reader of OCSF takes it for
		}
		out = append(out, v)
	}
	return out, nil
}
