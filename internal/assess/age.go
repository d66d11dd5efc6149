package assess

import (
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// Age says how old the evidence of a verdict is, and how old it may be.
type Age struct {
	Newest   *time.Time `json:"newest,omitempty"` // of the lists that were weighed, the newest; absent when nothing dates any
	Oldest   *time.Time `json:"oldest,omitempty"`
	NewestOf string     `json:"newestOf"` // the list, in words; "" when nothing is dated
	OldestOf string     `json:"oldestOf"`
	Days     int        `json:"days"` // how old the oldest list is that the verdict rests on, in whole days
	By       string     `json:"by"`   // what dates that list: export, record, folder, file, nothing; "" when none was read
	// AllowedHours and Why are the rule's.
	AllowedHours int    `json:"allowedHours"`
	Why          string `json:"why"`
	Past         bool   `json:"past"` // too old: the verdict is unknown for that
	Text         string `json:"text"` // the above in a clause; "" when nothing was read
}

// EvidenceAge says how old everything that was read is.
type EvidenceAge struct {
	Newest      *time.Time `json:"newest,omitempty"`
	Oldest      *time.Time `json:"oldest,omitempty"`
	NewestInput string     `json:"newestInput"`
	OldestInput string     `json:"oldestInput"`
	Mixed       bool       `json:"mixed"`   // the inputs are of days that lie further apart than one export takes
	Weak        bool       `json:"weak"`    // some of it is dated by nothing but its file's time
	Undated     bool       `json:"undated"` // some of it is dated by nothing
	Banner      []string   `json:"banner"`  // what a reader has to know before anything else, in sentences
}

// evidenceAge dates everything that was read.
func (a *assessor) evidenceAge() EvidenceAge {
	out := EvidenceAge{Banner: a.ages.Banner(a.o.AsOf), Weak: a.ages.Weak != "", Undated: a.ages.Undated != "", Mixed: a.ages.Mixed()}
	if s := a.ages.Span; a.ages.Any {
		out.Oldest, out.Newest, out.OldestInput, out.NewestInput = ref(s.Oldest), ref(s.Newest), s.OldestPath, s.NewestPath
	}
	return out
}

// rests are the lists that were read and that a ruling rests on.
func (a *assessor) rests(rule *partner.Rule, ru *ruling) (kinds []evidence.Kind) {
	for _, k := range slices.Concat(rule.Needs, ru.relies) {
		if _, read := a.ages.Of(k); read && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// past reports that what is dated so is too old for the rule.
func (a *assessor) past(rule *partner.Rule, d evidence.Dated) bool {
	return !d.Bound().IsZero() && rule.MaxAge.Past(a.o.AsOf.Sub(d.Bound()))
}

// ageOf says how old the evidence of a ruling is, and which list is the oldest
// that it rests on.
func (a *assessor) ageOf(rule *partner.Rule, ru *ruling) (Age, evidence.Kind) {
	out := Age{AllowedHours: rule.MaxAge.Hours, Why: rule.MaxAge.Why}
	for _, k := range rule.Evidence() {
		d, read := a.ages.Of(k)
		if !read || d.At.IsZero() {
			continue
		}
		if out.Newest == nil || d.At.After(*out.Newest) {
			out.Newest, out.NewestOf = ref(d.At), evidence.ListName(k)
		}
		if out.Oldest == nil || d.At.Before(*out.Oldest) {
			out.Oldest, out.OldestOf = ref(d.At), evidence.ListName(k)
		}
	}
	var oldest evidence.Kind
	var by evidence.Dated
	for _, k := range a.rests(rule, ru) {
		d, _ := a.ages.Of(k)
		if oldest == "" || !d.Bound().IsZero() && (by.Bound().IsZero() || d.Bound().Before(by.Bound())) {
			oldest, by = k, d
		}
	}
	if oldest == "" {
		return out, ""
	}
	out.By = string(by.By)
	if !by.Bound().IsZero() {
		out.Days = max(int(a.o.AsOf.Sub(by.Bound()).Hours()/24), 0)
	}
	out.Past = a.past(rule, by)
	if ru.verdict == NotMet {
		out.Past = a.allPast(rule, ru, out.Past)
	}
	out.Text = a.ageText(rule, oldest, by)
	return out, oldest
}

// allPast reports that of what decides against a requirement nothing is of late:
// one thing that is suffices. otherwise is for what names no input.
func (a *assessor) allPast(rule *partner.Rule, ru *ruling, otherwise bool) bool {
	paths := map[string]*evidence.Input{}
	for i := range a.Inputs {
		paths[a.Inputs[i].Path] = &a.Inputs[i]
	}
	named := false
	for i := range ru.evidence {
		in := paths[ru.evidence[i].Source.Path]
		if in == nil {
			continue
		}
		if named = true; !a.past(rule, a.ages.OfInput(in)) {
			return false
		}
	}
	return named || otherwise
}

func (a *assessor) ageText(rule *partner.Rule, k evidence.Kind, d evidence.Dated) string {
	age := facts.Days(a.o.AsOf.Sub(d.Bound()))
	limit := fmt.Sprintf(" (%s are allowed)", rule.MaxAge)
	switch d.By {
	case evidence.ByRecord:
		if evidence.IsLive(k) {
			return fmt.Sprintf("the newest record of %s is %s old%s", evidence.ListName(k), age, limit)
		}
		return fmt.Sprintf("the newest record in %s is %s old, and its file is older still%s", evidence.ListName(k), age, limit)
	case evidence.ByFolder:
		return fmt.Sprintf("%s lies in an export whose newest record is %s old%s", evidence.ListName(k), age, limit)
	case evidence.ByFile:
		s := fmt.Sprintf("%s is %s old by its file's time", evidence.ListName(k), age)
		if !d.Newest.IsZero() {
			s += ", its newest record " + facts.Days(a.o.AsOf.Sub(d.Newest))
		}
		return s + limit
	case evidence.ByNothing:
		return "how old " + evidence.ListName(k) + " is cannot be told"
	}
	return fmt.Sprintf("%s was exported %s ago%s", evidence.ListName(k), age, limit)
}

// aged turns a ruling to unknown when what it rests on is too old to say how
// things are on the day of judgement. What was found then stays in the evidence.
func (a *assessor) aged(rule *partner.Rule, ru ruling) (ruling, Age) {
	age, k := a.ageOf(rule, &ru)
	if !age.Past || ru.verdict == Unknown || ru.verdict == Attested {
		return ru, age
	}
	then := map[Verdict]string{Met: "met", NotMet: "not met", NotApplicable: "not applicable"}[ru.verdict]
	out := ruling{verdict: Unknown, total: ru.total, evidence: ru.evidence, action: evidence.ReadingOf(k), against: ru.verdict == NotMet,
		reason: fmt.Sprintf("%s; it was %s then: %s", age.Text, then, ru.reason)}
	if out.action == "" {
		out.action = "export it anew"
	}
	return out, age
}

// agedAccounts takes back what is said of single accounts where the requirement
// that says it rests on what is too old.
func (a *assessor) agedAccounts(r *Report) {
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.ID != "mfa-every-user" || !q.Age.Past {
			continue
		}
		for j := range r.Accounts {
			if acc := &r.Accounts[j]; acc.MFA == Met || acc.MFA == NotMet {
				acc.Reason = fmt.Sprintf("what was read is too old; it was %s then: %s", map[Verdict]string{Met: "met", NotMet: "not met"}[acc.MFA], acc.Reason)
				acc.MFA = Unknown
			}
		}
	}
}
