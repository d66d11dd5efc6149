package practice

import (
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// SchemaID names the form of a report as JSON; it changes only when a reader would break.
// docs/practices.md describes it.
const SchemaID = "partnerguard.practices/1"

// Options say for whom and as of when practices are judged. The zero values of Kind and
// Cloud are a direct-bill partner in the public cloud.
type Options struct {
	AsOf   time.Time // required
	Kind   partner.Kind
	Cloud  partner.Cloud
	Sample bool
	// Assess are the options that the report was made with: its engine is used again.
	Assess assess.Options
	// Customers are what was read of customers' own tenants; a customer who is not in it
	// was not read.
	Customers []Customer
	// Own is what this installation knows beside what was read; nil: nobody asked it.
	Own *Own
}

// Customer is what was read of one customer's own tenant.
type Customer struct {
	Tenant string // lower case
	Name   string
	Facts  *facts.Facts
	Own    *Own           // what the installation keeps of it; nil: nobody asked
	Report *assess.Report // their facts, judged as a tenant's; its requirements of programmes mean nothing there
}

// Own is what an installation knows of what it keeps of a tenant.
type Own struct {
	// Kept is since when directory audits of the tenant are kept without a gap,
	// and until when; zero: none are. Gaps are spans that are lost, in words.
	KeptFrom, KeptUntil time.Time
	Gaps                []string
}

// Report is how the practices stand for one partner as of one moment. All lists are in
// order, so that equal facts give equal reports.
type Report struct {
	Schema     string         `json:"schema"` // SchemaID
	AsOf       time.Time      `json:"asOf"`
	Partner    assess.Partner `json:"partner"`
	Sample     bool           `json:"sample"`
	Program    string         `json:"program,omitempty"`
	RuleBook   string         `json:"ruleBook"` // the day of its last revision
	Practices  []Row          `json:"practices"`
	Sum        Sum            `json:"sum"`
	Complete   bool           `json:"complete"`
	Incomplete []string       `json:"incomplete"` // of the report that it rests on
	// Customers counts the customers that are known, and those of whose own tenants the
	// list of accounts was read whole.
	Customers     int `json:"customers"`
	CustomersRead int `json:"customersRead"`
	// Attestations are the statements about practices, and what came of each.
	Attestations []assess.Vouch   `json:"attestations"`
	Inputs       []evidence.Input `json:"inputs"` // the partner's own; those of customers are not listed

	// From are the inputs as the user named them. Optional.
	From []string `json:"-"`
}

// Sum counts verdicts.
type Sum struct {
	Met           int `json:"met"`
	NotMet        int `json:"notMet"`
	Unknown       int `json:"unknown"`
	Attested      int `json:"attested"`
	NotApplicable int `json:"notApplicable"`
}

// Row is one practice, judged.
type Row struct {
	assess.Requirement
	Area string `json:"area"`
	Mode string `json:"mode"`
	Text string `json:"text"` // the practice, in our words
	// Settles is the one request, or the one act of a person, that decides what is
	// unknown; "" when nothing is.
	Settles string   `json:"settles,omitempty"`
	Rules   []string `json:"rules"` // requirements whose verdicts it takes over
	Remedy  Remedy   `json:"remedy"`
}

// Remedy is what brings a practice about: a goal of partnerguard remedy plan, another
// command, or steps for a person. One of them at least is set.
type Remedy struct {
	Plan    string   `json:"plan,omitempty"`    // a goal: partnerguard remedy plan GOAL
	Command string   `json:"command,omitempty"` // another command, whole
	Steps   []string `json:"steps,omitempty"`   // in order
	Check   string   `json:"check"`             // what shows that it was done
}

// Find looks a row up by the practice's id.
func (r *Report) Find(id string) (*Row, bool) {
	for i := range r.Practices {
		if r.Practices[i].ID == id {
			return &r.Practices[i], true
		}
	}
	return nil, false
}
