package partner

import (
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/evidence"
)

// Level says how strict a rule is where it binds.
type Level string

// The levels.
const (
	Mandatory   Level = "mandatory"
	Recommended Level = "recommended"
)

// Date is a calendar day of the rule book. Precision is kept: a month is
// printed as a month and counts from its first day.
type Date struct {
	time.Time
	MonthOnly bool
}

func day(y int, m time.Month, d int) Date {
	return Date{Time: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}
func month(y int, m time.Month) Date {
	return Date{Time: time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), MonthOnly: true}
}

// String is 2006-01-02, 2006-01 or "".
func (d Date) String() string {
	switch {
	case d.IsZero():
		return ""
	case d.MonthOnly:
		return d.Format("2006-01")
	}
	return d.Format("2006-01-02")
}

// MarshalText makes String the JSON form.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// reached reports that the day has come by asOf.
func (d Date) reached(asOf time.Time) bool { return !d.IsZero() && !asOf.Before(d.Time) }

// Step is one stage of technical enforcement.
type Step struct {
	Date Date   `json:"date"`
	What string `json:"what"`
}

// Rule is one requirement of the rule book.
type Rule struct {
	ID        string  `json:"id"`
	Title     string  `json:"title"`
	Text      string  `json:"text"`
	Source    string  `json:"source"`
	Level     Level   `json:"level"`
	Except    []Kind  `json:"except"`    // kinds it does not bind
	Clouds    []Cloud `json:"clouds"`    // where it exists at all; empty means everywhere
	Announced Date    `json:"announced"` // zero: together with Contract
	Contract  Date    `json:"contract"`  // since when the contract or the authorisation asks for it
	Enforced  []Step  `json:"enforced"`  // technical enforcement by Microsoft, ascending
	// Needs are the kinds without which the rule cannot be judged whole: where one
	// is absent or cut, a met may not be said.
	Needs []evidence.Kind `json:"needs"`
	// May are needed as well once another list names what they hold: a policy a
	// group, a location, a role. See evidence.Request.When.
	May   []evidence.Kind `json:"mayNeed"`
	Helps []evidence.Kind `json:"helps"` // what shows more, or decides against it
	Unit  string          `json:"unit"`  // what is counted
	// MaxAge is how old what decides the rule may be; past it the verdict is unknown.
	MaxAge MaxAge `json:"maxAge"`
}

// MaxAge is how old evidence may be, and why no older.
type MaxAge struct {
	Hours int    `json:"hours"`
	Why   string `json:"why"`
}

// day24 is a day in hours.
const day24 = 24

// Past reports evidence that is too old at the moment of judgement.
func (m MaxAge) Past(age time.Duration) bool { return age > time.Duration(m.Hours)*time.Hour }

// String is "24 hours" or "30 days".
func (m MaxAge) String() string {
	if m.Hours <= 2*day24 {
		return fmt.Sprintf("%d hours", m.Hours)
	}
	return fmt.Sprintf("%d days", m.Hours/day24)
}

// Evidence is what decides the rule: what it needs, then what helps.
func (r *Rule) Evidence() []evidence.Kind { return slices.Concat(r.Needs, r.May, r.Helps) }

// Standing is how a rule stands for a partner on a date.
type Standing string

// The standings.
const (
	NotYet   Standing = "not_yet"   // not announced on that date
	Announce Standing = "announced" // known, not yet binding
	Contract Standing = "contract"  // binding by contract, not yet enforced by technical means
	Enforced Standing = "enforced"  // binding and enforced by technical means
	Advised  Standing = "advised"   // recommended, or a sovereign cloud: not binding
	Exempt   Standing = "exempt"    // does not bind this kind of partner or cloud
)

// On says how the rule stands on asOf for a partner of the kind in the cloud,
// and why, in a sentence.
func (r *Rule) On(asOf time.Time, kind Kind, cloud Cloud) (Standing, string) {
	announced := r.Announced
	if announced.IsZero() {
		announced = r.Contract
	}
	switch {
	case !announced.reached(asOf):
		return NotYet, fmt.Sprintf("announced only on %s", announced)
	case slices.Contains(r.Except, kind):
		return Exempt, fmt.Sprintf("it does not bind partners of kind %s", kind)
	case len(r.Clouds) > 0 && !slices.Contains(r.Clouds, cloud):
		return Exempt, fmt.Sprintf("it does not exist in the %s cloud", cloud)
	case cloud.Sovereign():
		return Advised, "sovereign clouds are strongly advised, not bound"
	case r.Level == Recommended:
		return Advised, "recommended, not binding"
	case !r.Contract.reached(asOf):
		return Announce, fmt.Sprintf("binding from %s", r.Contract)
	}
	var last *Step
	for i := range r.Enforced {
		if r.Enforced[i].Date.reached(asOf) {
			last = &r.Enforced[i]
		}
	}
	if last == nil {
		return Contract, fmt.Sprintf("in the contract since %s", r.Contract)
	}
	return Enforced, fmt.Sprintf("enforced since %s: %s", last.Date, last.What)
}

// Binding reports a standing that obliges.
func (s Standing) Binding() bool { return s == Contract || s == Enforced }

// Milestone is one dated change of the programme (contracts.md section 1.1).
type Milestone struct {
	Date Date   `json:"date"`
	What string `json:"what"`
}

// Milestones is the programme's timeline, ascending.
func Milestones() []Milestone {
	return []Milestone{
		{month(2019, time.June), "the two duties are announced: MFA for every user, the Secure Application Model for every integration"},
		{day(2019, time.August, 1), "the duties enter the contract"},
		{day(2019, time.November, 18), "security safeguards active: MFA asked at every AOBO operation"},
		{month(2021, time.December), "Azure fraud notifications begin"},
		{day(2022, time.March, 1), "past MFA exceptions end for anyone who manages customer tenants"},
		{day(2023, time.October, 9), "reseller invitations no longer carry DAP"},
		{day(2023, time.November, 1), "new customer tenants get a default GDAP instead of DAP"},
		{day(2024, time.July, 29), "security defaults lose the 14-day grace to register"},
		{day(2025, time.August, 31), "tokens for Azure AD Graph are refused by Partner Center (900420)"},
		{day(2025, time.September, 8), "MFA enforced on every Partner Center page"},
		{day(2025, time.October, 1), "security items become mandatory for CSP authorisation"},
		{day(2026, time.April, 1), "announced date for refusing App+User calls without MFA"},
		{day(2026, time.June, 8), "App+User calls without MFA are refused, by rising share of traffic (900421)"},
	}
}

// Find looks a rule up by id.
func Find(id string) (Rule, bool) {
	for _, r := range Book() {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}
