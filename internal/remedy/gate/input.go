package gate

import (
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
)

// Input is what a gate looks at: the settings as they are now, and what is known of the
// people they bind. What is not known stays out, and keeps the gate shut where it decides.
type Input struct {
	Plan *remedy.Plan
	// From is the stage that was reached already, "" where nothing was done; Stage is the
	// one that is asked for. IDs are what the plan made so far, by key.
	From  remedy.Stage
	Stage remedy.Stage
	IDs   map[string]string

	Tenant *access.Tenant
	// History are recorded sign-ins, taken in through [Lens]; nil: none were read.
	History  *rehearse.History
	Accounts map[string]rehearse.Account // by lower-case id and by lower-case name
	People   map[string]Person           // by lower-case id
	// Actor is the account that applies the plan, by id or name, or "app:" with the id of an
	// application that does; "" is not known.
	Actor    string
	Licences Licences
	Now      time.Time
}

// Person is what the gate must know of an account besides its settings.
type Person struct {
	Enabled rehearse.Known
	Synced  rehearse.Known // from a directory of the partner's own, which an attacker there may change
	Sync    bool           // it is the directory's synchronisation
	// Seen is when it last got in with MFA, as far as a log tells.
	Seen time.Time
}

// Licences are what the tenant has bought.
type Licences struct {
	Known  bool
	P1, P2 bool // Entra ID P1 (with P2 in it), and P2
}

// Move is one change that a stage makes: what a step of the plan comes to there, or a
// group that the stages need.
type Move struct {
	// Of is the plan's step, by its number; 0: the stages' own.
	Of int `json:"of"`
	remedy.Step

	phase phase
}

// phase is where in a stage a move stands.
type phase uint8

const (
	phaseFirst phase = iota
	phasePlain
	phaseStaged
	phaseLate
)

// Affects says that a move may change who gets in and how: not a policy that only reports,
// nor a group before a policy names it.
func (m *Move) Affects() bool {
	switch m.Kind {
	case remedy.Policy:
		return inForce(m.Before) || inForce(m.After)
	case remedy.Location, remedy.Strength, remedy.Defaults, remedy.Method, remedy.Methods, remedy.PerUserMFA, remedy.Role:
		return true
	case remedy.Group:
		return m.Do == remedy.Delete
	case remedy.Member:
		return m.Of != 0
	}
	return false
}

// inForce reports a policy that acts on sign-ins, or whose state is not known.
func inForce(policy remedy.Object) bool {
	if len(policy) == 0 {
		return false
	}
	p := access.Policy{State: access.State(text(policy, "state"))}
	return p.MayBeEnforced()
}
