package export

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// Out is a plan in another tool's words.
type Out struct {
	Files []File
	// Left is what the tool cannot say, a sentence each without a full stop: it is
	// done otherwise, and stands as a comment in the files too.
	Left []string
}

// File is one file. Its text holds no secret.
type File struct {
	Name string
	Text []byte
}

// Forms are the tools that [As] knows.
func Forms() []string { return []string{"terraform", "graph", "powershell", "bicep"} }

// As writes a plan for a tool, as it is at a stage: [remedy.ReportOnly] or [remedy.All].
// Groups of a stage between and who is in them are the run's own: Partnerguard does
// those stages itself.
func As(p *remedy.Plan, form string, stage remedy.Stage) (*Out, error) {
	switch form {
	case "terraform":
		return Terraform(p, stage)
	case "graph":
		return Graph(p, stage)
	case "powershell":
		return PowerShell(p, stage)
	case "bicep":
		return Bicep(p, stage)
	}
	return nil, problem.New(problem.Usage, "%.40q is nothing that a plan is exported to", form).WithHint("one of %s", strings.Join(Forms(), ", "))
}

// call is one request with what people want to know of it.
type call struct {
	step    *remedy.Step
	request object.Request
}

// staged is a plan at a stage. skipped says why steps are not done in it.
type staged struct {
	plan    *remedy.Plan
	stage   remedy.Stage
	steps   []remedy.Step
	skipped []string
}

func at(p *remedy.Plan, stage remedy.Stage) (*staged, error) {
	if stage != remedy.ReportOnly && stage != remedy.All {
		return nil, problem.New(problem.Usage, "a plan is exported as it is in report-only, or for all").
			WithHint("the stages between have groups and members of their own, which `partnerguard remedy apply` keeps")
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := object.Check(p); err != nil {
		return nil, err
	}
	out := &staged{plan: p, stage: stage}
	for i := range p.Steps {
		s := p.Steps[i]
		if stage == remedy.ReportOnly {
			why, err := reportOnly(&s)
			if err != nil {
				return nil, err
			}
			if why != "" {
				out.skipped = append(out.skipped, fmt.Sprintf("step %d (%s) is not done in report-only: %s", s.N, line(s.Text), why))
				continue
			}
		}
		out.steps = append(out.steps, s)
	}
	return out, nil
}

// reportOnly brings a step into the form of report-only; why says that it waits.
func reportOnly(s *remedy.Step) (why string, err error) {
	switch {
	case s.First:
		return "", nil
	case !s.Staged:
		return "it comes when policies are on", nil
	case s.Kind != remedy.Policy:
		return "", nil
	}
	var was, want map[string]json.RawMessage
	if json.Unmarshal(s.After, &want) != nil || len(s.Before) > 0 && json.Unmarshal(s.Before, &was) != nil {
		return "", problem.New(problem.BadInput, "step %d holds no policy", s.N)
	}
	if string(was["state"]) == `"enabled"` {
		return "the policy is in force today, and report-only would switch it off", nil
	}
	if string(want["state"]) == `"enabled"` {
		want["state"] = json.RawMessage(`"enabledForReportingButNotEnforced"`)
		if s.After, err = json.Marshal(want); err != nil {
			return "", err
		}
	}
	return "", nil
}

// calls are the requests of the steps, in order; keys of the plan stand as {KEY}.
func (s *staged) calls() (out []call, left []string, err error) {
	ids := map[string]string{}
	for i := range s.steps {
		step := &s.steps[i]
		if step.Key != "" {
			ids[step.Key] = "{" + step.Key + "}"
		}
		if step.Kind == remedy.Person {
			left = append(left, fmt.Sprintf("step %d is a person's: %s", step.N, line(step.Text)))
			out = append(out, call{step: step})
			continue
		}
		r, err := request(step, ids)
		if err != nil {
			return nil, nil, problem.Wrap(err, problem.BadInput, "step %d: %s", step.N, err.Error()).WithHint("%s", problem.HintOf(err))
		}
		if !r.None() {
			out = append(out, call{step, r.In(s.plan.Tenant.Cloud)})
		}
	}
	return out, append(s.skipped, left...), nil
}

// request is a step's request with its keys left in. Ids of two parts are of members,
// whose group may be made by the plan.
func request(step *remedy.Step, ids map[string]string) (object.Request, error) {
	if step.Do == remedy.Create || !strings.Contains(step.ID, "{") {
		return object.ToRequest(step, ids)
	}
	group, member, _ := strings.Cut(step.ID, "/")
	return object.Request{Method: "DELETE", Path: "/v1.0/groups/" + group + "/members/" + member + "/$ref"}, nil
}

// line is a text of a plan as one line of a comment.
func line(s string) string { return print.Clean(s, 300) }

// keys are the keys that a text mentions, of those that a plan makes.
func (s *staged) keys(text string) (out []string) {
	for i := range s.steps {
		if k := s.steps[i].Key; k != "" && strings.Contains(text, "{"+k+"}") && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// head are the comment lines on top of every file.
func (s *staged) head(more ...string) []string {
	out := []string{
		fmt.Sprintf("Plan %s of %s: %s", s.plan.ID, s.plan.Made.UTC().Format("2006-01-02 15:04 UTC"), line(s.plan.Goal)),
		fmt.Sprintf("Tenant %s, stage %s. Written by %s", s.plan.Tenant.ID, s.stage, line(s.plan.Program)),
		"Nothing here looks whether somebody changed an object since the plan was made, waits for a stage's evidence, or can be taken back by one command:",
		"`partnerguard remedy apply` does.",
	}
	return append(out, more...)
}

func comment(sign string, lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(sign+" "+line(l), " ") + "\n")
	}
	return b.String()
}

// about are the comment lines of one step.
func about(s *remedy.Step) []string {
	out := []string{fmt.Sprintf("%d. %s", s.N, line(s.Text))}
	if len(s.Permissions) > 0 {
		out = append(out, "   needs "+strings.Join(s.Permissions, ", "))
	}
	for _, t := range s.Traps {
		out = append(out, "   "+line(t))
	}
	if s.Task != nil {
		for _, do := range s.Task.Do {
			out = append(out, "   - "+line(do))
		}
		if s.Task.Check != "" {
			out = append(out, "   it is done when: "+line(s.Task.Check))
		}
	}
	return out
}

// pretty is a body for people, its members in the order they have.
func pretty(body json.RawMessage) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // what was decoded
	return strings.TrimSuffix(b.String(), "\n")
}
