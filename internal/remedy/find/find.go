package find

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

// Input is what changes are found from. Nothing of it is changed.
type Input struct {
	Tenant   *access.Tenant
	History  *rehearse.History           // taken in through the settings of today; nil: no sign-in was read
	Accounts map[string]rehearse.Account // as a rehearsal takes them
	Licences gate.Licences
	Unmet    []Unmet
	Objects  Objects
	Users    map[string]User // by lower-case id; what role assignments of whom are spare
	Reach    []Group         // the groups whose members work at customers, by id
	Apps     []App           // applications that nobody uses

	Head  Head
	NewID func() string // a random id of a plan: lower-case letters, digits and hyphens
}

// Head is what a plan says of itself.
type Head struct {
	Tenant                remedy.Tenant
	From                  []string
	AsOf, Now             time.Time
	By, Program, RuleBook string
}

// User is what is known of an account besides its settings.
type User struct {
	Name            string
	Disabled, Guest bool   // surely
	Idle            string // why it counts as out of use, a clause such as "was last used on 2026-01-18"; "" it does not
}

// Group is a group by its lower-case id.
type Group struct{ ID, Name string }

// App is an enabled application's service principal that is out of use, by its id, and why:
// a clause such as "was last used on 2026-01-18".
type App struct{ ID, Name, Why string }

// Unmet is a requirement or practice that is not met, or of which it is not known.
type Unmet struct {
	ID, Title, Verdict, Reason, Action string
	Mandatory                          bool
	// Command, Steps and Check are of a practice: another command that brings it about, what a
	// person does, and what shows it. Settles decides what is unknown of it.
	Command string
	Steps   []string
	Check   string
	Settles string
	// About is what it is unmet by, where its steps say "named above"; More how many others there are.
	About []About
	More  int
	// Until is when the last of the recorded sign-ins that count against it is out of the log
	// that is judged; zero where none does, or something else does too.
	Until time.Time
	// Changes are sets of changes to policies that a judge proposes for it, each on top of
	// those before it.
	Changes [][]access.Change
}

// About is an account, an app or a customer that a practice is unmet by.
type About struct{ ID, Name, Why string }

// Objects are the settings as they were read, by kind and lower-case id. What is not in
// them is said as far as it is known, and read before it is changed.
type Objects map[remedy.Kind]map[string]Read

// Read is one object as it was read.
type Read struct {
	Raw   json.RawMessage
	Place *remedy.Place // where the archive has it
}

// Choice is one way to meet a requirement.
type Choice struct {
	Requirement string `json:"requirement"`
	Title       string `json:"title"`
	Verdict     string `json:"verdict"`            // of the requirement today
	Way         string `json:"way"`                // what is done, one sentence without a full stop
	Goal        string `json:"goal,omitempty"`     // what remedy plan is asked for
	Changes     string `json:"variant,omitempty"`  // which of the goal's ways, as remedy plan takes it
	Command     string `json:"command,omitempty"`  // another command that does it
	Task        string `json:"task,omitempty"`     // what a person does
	Check       string `json:"check,omitempty"`    // what shows that it was done
	Question    string `json:"question,omitempty"` // that decides it
	After       string `json:"after,omitempty"`    // the question's answer when it is done
	Objects     int    `json:"objects,omitempty"`
	Closes      int    `json:"closes,omitempty"`  // accounts
	Breaks      int    `json:"breaks,omitempty"`  // accounts that signed in and would not any more
	SignIns     int64  `json:"signIns,omitempty"` // theirs
	Known       bool   `json:"known"`             // a log tells who breaks
	// Unweighed says that it was not looked at who breaks: what is changed is no policy.
	Unweighed bool   `json:"unweighed,omitempty"`
	Settles   string `json:"settles,omitempty"` // what decides whether it is needed at all, where that is not known
	// Settled says that today's settings decide it: nothing of them is to be changed. Task then says
	// what counts against it, and Until when the last recorded sign-in that does is out of the log
	// that is judged; zero where none does, or something else does too.
	Settled bool      `json:"settled,omitempty"`
	Until   time.Time `json:"until,omitzero"`
}

// List gives for each unmet requirement and practice what would meet it, cheapest first: by settings
// with fewest people broken, then fewest objects; another command; a person's task. Equal
// input gives equal lists.
func List(in Input) []Choice {
	out := []Choice{}
	f := newFinder(in)
	for i := range in.Unmet {
		u := &in.Unmet[i]
		var list []Choice
		if question, is := f.decided(u); is {
			list = []Choice{f.settledBy(u, question)}
		} else {
			list = f.settings(u)
		}
		if len(list) == 0 {
			list = f.beside(u)
		}
		if len(list) == 0 {
			list = append(list, elsewhere(u))
		}
		for k := range list {
			list[k].Settles = u.Settles
			list[k].Requirement, list[k].Title, list[k].Verdict = u.ID, u.Title, u.Verdict
		}
		out = append(out, list...)
	}
	return out
}

// settings are the ways that change settings.
func (f *finder) settings(u *Unmet) (out []Choice) {
	for _, c := range f.candidates(f.meant(u)) {
		w := f.weigh(c)
		check := "partnerguard assess"
		switch {
		case c.question != "":
			check = "partnerguard prove --question " + c.question
		case u.Check != "":
			check = u.Check
		}
		variant := c.variant
		if variant == byPolicy { // there is no other
			variant = ""
		}
		out = append(out, Choice{Way: c.words, Goal: u.ID, Changes: variant, Question: c.question, After: w.after, Objects: w.objects,
			Closes: w.closes, Breaks: w.breaks, SignIns: w.signIns, Known: f.History != nil,
			Check: check})
	}
	slices.SortStableFunc(out, func(a, b Choice) int {
		return cmp.Or(proved(b.After)-proved(a.After), cmp.Compare(a.Breaks, b.Breaks), cmp.Compare(a.Objects, b.Objects))
	})
	return out
}

func proved(verdict string) int {
	if verdict == string(access.Proved) {
		return 1
	}
	return 0
}
