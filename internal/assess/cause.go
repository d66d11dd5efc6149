package assess

import (
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// CauseKind says what a [Cause] was found from.
type CauseKind string

// The kinds of causes, in the order of a report.
const (
	CauseUrgent      CauseKind = "urgent"      // an alert that waits for an answer: a clock runs
	CauseSettings    CauseKind = "settings"    // a change of the tenant's settings, proved and rehearsed
	CauseAccount     CauseKind = "account"     // accounts that no setting brings into line
	CauseRequirement CauseKind = "requirement" // what a requirement asks for besides
)

// Cause is one thing to do, with what it brings. One cause may stand behind many
// unmet accounts and several requirements.
type Cause struct {
	Rank         int       `json:"rank"` // 1 is first; those of break-glass accounts alone come before what is recommended
	Kind         CauseKind `json:"kind"`
	Title        string    `json:"title"`        // what to do, one sentence without a full stop
	Detail       string    `json:"detail"`       // what it brings, or why
	Requirements []string  `json:"requirements"` // ids that it serves
	Mandatory    bool      `json:"mandatory"`    // one of them is mandatory
	BreakGlass   bool      `json:"breakGlass"`   // it is about break-glass accounts alone

	// What is closed when the causes before it are done: accounts that could sign
	// in without MFA, and recorded sign-ins that were not asked for it.
	Accounts int   `json:"accounts"`
	SignIns  int64 `json:"signIns"`

	Due      *time.Time      `json:"due,omitempty"` // when an urgent duty ends
	Changes  []access.Change `json:"changes"`       // of settings, made together
	Needs    []int           `json:"needs"`         // ranks of what has to be done before
	People   []CausePerson   `json:"people"`        // who cannot answer yet, or whom it is about
	Proof    *CauseProof     `json:"proof,omitempty"`
	Effects  []CauseEffects  `json:"effects"` // of the change alone on the recorded sign-ins
	Evidence []Evidence      `json:"evidence"`
}

// CausePerson is an account that a cause is about.
type CausePerson struct {
	ID                string   `json:"id"`
	UserPrincipalName string   `json:"userPrincipalName"`
	DisplayName       string   `json:"displayName"`
	Class             string   `json:"class"`
	Reason            string   `json:"reason"` // why it cannot answer, or what it does
	SignIns           int64    `json:"signIns"`
	WaysOut           []WayOut `json:"waysOut"`
}

// CauseProof is what is proved before a change and after it alone.
type CauseProof struct {
	Question string              `json:"question"`
	Gaps     []int               `json:"gaps"` // numbers of today's gaps whose sign-in to try is closed
	Before   int                 `json:"before"`
	After    int                 `json:"after"` // accounts with a gap
	Verdict  access.ProofVerdict `json:"verdict"`
	Reason   string              `json:"reason"`
}

// CauseEffects counts recorded sign-ins by what the change does to them; the
// words are those of a rehearsal.
type CauseEffects struct {
	Effect   string `json:"effect"`
	SignIns  int64  `json:"signIns"`
	Accounts int    `json:"accounts"`
}

// OpenAlert is a security or fraud alert without an answer.
type OpenAlert struct {
	ID       string
	Name     string
	Customer string // id; "" none is named
	Status   string
	Detected time.Time
	Due      time.Time // a day later (contracts.md section 1.5)
	Source   evidence.Source
}

// OpenAlerts lists the alerts that had no answer at asOf, the oldest first. Test
// alerts and those whose clock cannot be read are left out; two records of one
// id are one alert.
func OpenAlerts(f *facts.Facts, asOf time.Time) (out []OpenAlert) {
	for _, al := range sorted(f.Alerts) {
		open := al.Status == "active" || al.Status == "" || al.Answered.Set && al.Answered.After(asOf)
		if al.Test || !open || unreadable(&al) != "" || al.Detected.After(asOf) {
			continue
		}
		if al.ID != "" && slices.ContainsFunc(out, func(o OpenAlert) bool { return o.ID == al.ID }) {
			continue
		}
		out = append(out, OpenAlert{ID: al.ID, Name: alertName(&al), Customer: al.Customer, Status: statusWord(al.Status),
			Detected: al.Detected.Time.UTC(), Due: al.Detected.Add(answerWithin).UTC(), Source: al.Source})
	}
	slices.SortStableFunc(out, func(a, b OpenAlert) int { return a.Detected.Compare(b.Detected) })
	return out
}

// serves lists the requirements of ids that are open, in the order of the book.
func (r *Report) serves(ids ...string) (open []string, mandatory bool) {
	open = []string{}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if slices.Contains(ids, q.ID) && (q.Verdict == NotMet || q.Verdict == Unknown) {
			open = append(open, q.ID)
			mandatory = mandatory || q.Level == string(partner.Mandatory)
		}
	}
	return open, mandatory
}

// Serve fills in which of the requirements a cause serves: those that are open.
func (r *Report) Serve(c *Cause, ids ...string) { c.Requirements, c.Mandatory = r.serves(ids...) }

// People gives what describes an account of the report for a cause, by id or user
// principal name in lower case. Without such an account it says what it was
// given. The accounts must not change while it is used.
func (r *Report) People() func(key string) CausePerson {
	at := make(map[string]int, 2*len(r.Accounts))
	for i := range r.Accounts {
		a := &r.Accounts[i]
		for _, key := range []string{directory.Key(a.ID, a.UserPrincipalName), directory.Key(a.UserPrincipalName, "")} {
			if _, taken := at[key]; !taken {
				at[key] = i
			}
		}
	}
	return func(key string) CausePerson {
		i, known := at[key]
		if !known {
			return CausePerson{ID: key, UserPrincipalName: key, Class: string(directory.ClassUnknown), WaysOut: []WayOut{}}
		}
		a := &r.Accounts[i]
		return CausePerson{ID: a.ID, UserPrincipalName: a.UserPrincipalName, DisplayName: a.DisplayName, Class: a.Class,
			SignIns: a.SignIns.NotChallenged, WaysOut: a.WaysOut}
	}
}
