//go:build !judge

package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

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

// Entries that tell verdicts to other programs.
const (
	oscalEntry = "oscal/assessment-results.json"
	ocsfEntry  = "ocsf/compliance-findings.jsonl"
)

// toldAlike holds what a pack's report, its practices, its findings and its OSCAL results say
// to its signed verdicts, which are judged again: whoever makes a pack may sign a report that
// says something else. Kind problem.Unmet.
func toldAlike(of packEntries, m *pack.Manifest) error {
	report, practices, err := toldBy(of, "report.json", toldByReport)
	if err != nil {
		return err
	}
	_, again, err := toldBy(of, "practices.json", toldByPractices)
	if err != nil {
		return err
	}
	findings, _, err := toldBy(of, ocsfEntry, toldByFindings)
	if err != nil {
		return err
	}
	results, _, err := toldBy(of, oscalEntry, toldByOSCAL)
	if err != nil {
		return err
	}
	applies := func(v *pack.Verdict) bool { return v.Verdict != string(assess.NotApplicable) }
	is := func(v *pack.Verdict) bool { // a practice
		return slices.ContainsFunc(practices, func(t toldVerdict) bool { return t.ID == v.Requirement })
	}
	for _, x := range []struct {
		name  string
		list  []toldVerdict
		wants func(*pack.Verdict) bool
	}{
		{"report.json", slices.Concat(report, practices), func(*pack.Verdict) bool { return true }},
		{"practices.json", again, is},
		{ocsfEntry, findings, func(v *pack.Verdict) bool { return !is(v) && applies(v) }},
		{oscalEntry, results, func(v *pack.Verdict) bool { return !is(v) && applies(v) }},
	} {
		said := map[string]bool{}
		for _, t := range x.list {
			n := slices.IndexFunc(m.Verdicts, func(v pack.Verdict) bool { return v.Requirement == t.ID })
			if n < 0 || said[t.ID] || m.Verdicts[n].Verdict != t.Verdict || m.Verdicts[n].Affected != t.Affected || m.Verdicts[n].Total != t.Total {
				return problem.New(problem.Unmet, "%s says of %.60q %.40q, and that is not the verdict that was signed", x.name, t.ID, t.Verdict)
			}
			said[t.ID] = true
		}
		for k := range m.Verdicts {
			if v := &m.Verdicts[k]; !said[v.Requirement] && x.wants(v) {
				return problem.New(problem.Unmet, "%s does not tell the verdict of %.60q", x.name, v.Requirement)
			}
		}
	}
	return nil
}

// toldBy reads what an entry tells of requirements, and of practices.
func toldBy(of packEntries, name string, read func([]byte) (requirements, practices []toldVerdict, err error)) (a, b []toldVerdict, err error) {
	raw, err := of.Entry(name)
	if err == nil {
		a, b, err = read(raw)
	}
	if err != nil {
		return nil, nil, problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", name)
	}
	return a, b, nil
}

// toldPractices is the report of the practices in what tells it.
type toldPractices struct {
	Practices struct {
		Practices []toldVerdict `json:"practices"`
	} `json:"practices"`
}

func toldByReport(raw []byte) (a, b []toldVerdict, err error) {
	var r struct {
		Assessment struct {
			Requirements []toldVerdict `json:"requirements"`
		} `json:"assessment"`
		toldPractices
	}
	err = json.Unmarshal(raw, &r)
	return r.Assessment.Requirements, r.Practices.Practices, err
}

func toldByPractices(raw []byte) (_, b []toldVerdict, err error) {
	var r toldPractices
	err = json.Unmarshal(raw, &r)
	return nil, r.Practices.Practices, err
}

func toldByFindings(raw []byte) (out, _ []toldVerdict, err error) {
	for line := range bytes.Lines(raw) {
		var f struct {
			Compliance struct {
				Control  string `json:"control"`
				StatusID int    `json:"status_id"`
			} `json:"compliance"`
			Unmapped toldVerdict `json:"unmapped"`
		}
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, nil, err
		}
		v := f.Unmapped
		if v.ID = f.Compliance.Control; f.Compliance.StatusID == 1 && v.Verdict != string(assess.Met) {
			v.Verdict = string(assess.Met) // what a reader of OCSF takes it for
		}
		out = append(out, v)
	}
	return out, nil, nil
}

// toldByOSCAL reads the findings of OSCAL assessment results: of one result, each of one
// requirement. What a reader of OSCAL takes for satisfied has to be a verdict that is.
func toldByOSCAL(raw []byte) (out, _ []toldVerdict, err error) {
	type props []struct {
		Name, NS, Value string
	}
	var d struct {
		Of struct {
			Results []struct {
				Findings []struct {
					Props  props
					Target struct {
						ID     string `json:"target-id"`
						Status struct{ State, Reason string }
					}
				}
			}
		} `json:"assessment-results"`
	}
	if err := json.Unmarshal(raw, &d); err != nil || len(d.Of.Results) != 1 {
		return nil, nil, problem.Wrap(err, problem.Unmet, "it has no result, or several")
	}
	for _, f := range d.Of.Results[0].Findings {
		v := toldVerdict{ID: f.Target.ID}
		for _, p := range f.Props {
			switch n, err := strconv.Atoi(p.Value); p.Name {
			case "verdict":
				v.Verdict = p.Value
			case "affected", "total":
				if err != nil {
					return nil, nil, err
				}
				if p.Name == "total" {
					v.Total = n
				} else {
					v.Affected = n
				}
			}
		}
		satisfied := v.Verdict == string(assess.Met) || v.Verdict == string(assess.Attested)
		if (f.Target.Status.State == "satisfied") != satisfied || f.Target.Status.State != "not-satisfied" && !satisfied {
			v.Verdict = f.Target.Status.State // what a reader of OSCAL takes it for
		}
		out = append(out, v)
	}
	return out, nil, nil
}
