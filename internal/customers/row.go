package customers

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Reading is how the readings of a customer stand.
type Reading struct {
	Oldest  time.Time // of its lists; zero: none was read
	Gaps    int
	Lost    int
	Refused int
	Read    int // lists
	Lists   int
}

// State is how a customer stands, in one word.
type State string

// The states, the worst first.
const (
	Work   State = "work"    // DAP, a road to Global Administrator, or an end within 30 days that nobody extends
	Soon   State = "soon"    // an end within 90 days that nobody extends, or sign-ins without MFA
	Unsure State = "unknown" // what would decide it was not read
	Well   State = "well"
)

var states = []State{Work, Soon, Unsure, Well}

// Row is a customer as the page shows it.
type Row struct {
	Customer
	State   State     `json:"state"`
	Why     string    `json:"why,omitempty"` // what decides the state
	Active  int       `json:"activeGdap"`
	Ends    time.Time `json:"ends,omitzero"` // the soonest end of those that are active
	Extends Answer    `json:"extends"`       // that one, by itself
	Global  bool      `json:"globalAdministrator"`
	Road    bool      `json:"roadToGlobalAdministrator"`
	Own     *OwnPart  `json:"own,omitempty"` // nil: its sign-ins were not read
	Oldest  time.Time `json:"oldest,omitzero"`
	Gaps    int       `json:"gaps"`
	Lost    int       `json:"lostGaps,omitempty"`
	Read    bool      `json:"read"` // something of its own was read
	noGDAP  bool      // and that is known
	urgent  bool      // its end is within 30 days
}

// Limits of what is soon.
const (
	endsNow  = 30 * 24 * time.Hour
	endsSoon = 90 * 24 * time.Hour
)

// rowOf judges one customer at a moment. It is pure.
func rowOf(c Customer, p *Part, own *OwnPart, r *Reading, now time.Time) Row {
	x := Row{Customer: c, Own: own, Extends: Unknown}
	if r != nil {
		x.Oldest, x.Gaps, x.Lost, x.Read = r.Oldest, r.Gaps, r.Lost, r.Read > 0
	}
	lost := false
	for i := range c.GDAP {
		g := &c.GDAP[i]
		if !g.Active || !g.End.IsZero() && !g.End.After(now) {
			continue
		}
		x.Active++
		x.Global, x.Road, lost = x.Global || g.Global, x.Road || g.Road, lost || g.Lost
		if !g.End.IsZero() && (x.Ends.IsZero() || g.End.Before(x.Ends)) {
			x.Ends, x.Extends = g.End, g.Extends
		}
	}
	x.noGDAP = x.Active == 0 && p.Relationships.Whole
	x.judge(p, lost, now)
	return x
}

// judge gives the state: the worst that is known, else what is not known, else well.
func (x *Row) judge(p *Part, lost bool, now time.Time) {
	left := x.Ends.Sub(now)
	ends := !x.Ends.IsZero() && x.Extends != Yes
	var work, soon, unsure []string
	if x.DAP == Yes {
		work = append(work, "DAP is in place")
	}
	if x.Global {
		work = append(work, "GDAP with Global Administrator")
	} else if x.Road {
		work = append(work, "GDAP with a road to Global Administrator")
	}
	switch {
	case ends && left <= endsNow:
		x.urgent = true
		work = append(work, "GDAP ends and does not extend itself")
	case ends && left <= endsSoon:
		soon = append(soon, "GDAP ends within 90 days")
	}
	if x.Own != nil && x.Own.Without > 0 {
		soon = append(soon, "sign-ins without MFA")
	}
	if x.DAP == Unknown {
		unsure = append(unsure, "whether DAP is in place was not read")
	}
	if lost {
		unsure = append(unsure, "not all GDAP roles were read")
	}
	if x.Active == 0 && !p.Relationships.Whole {
		unsure = append(unsure, "its GDAP was not read")
	}
	if x.Active > 0 && x.Ends.IsZero() {
		unsure = append(unsure, "when GDAP ends was not read")
	}
	if x.Own == nil {
		unsure = append(unsure, "its sign-ins were not read")
	}
	switch {
	case len(work) > 0:
		x.State, x.Why = Work, work[0]
	case len(soon) > 0:
		x.State, x.Why = Soon, soon[0]
	case len(unsure) > 0:
		x.State, x.Why = Unsure, unsure[0]
	default:
		x.State = Well
	}
}

// said is the state as a verdict.
func (s State) said() page.Said {
	switch s {
	case Work:
		return page.Said{Tone: print.Bad, Word: "needs work"}
	case Soon:
		return page.Said{Tone: print.Cautious, Word: "look soon"}
	case Well:
		return page.Said{Tone: print.Good, Word: "well"}
	}
	return page.Said{Tone: print.Doubt, Word: "unknown"}
}

// worse orders rows: the worst state first, of these what ends first, then by name.
func worse(a, b *Row) int {
	return cmp.Or(slices.Index(states, a.State)-slices.Index(states, b.State), before(a.urgent, b.urgent), before(a.DAP == Yes, b.DAP == Yes),
		strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
}

func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// power is the worst role of the active relationships, as a filter has it.
func (x *Row) power() string {
	switch {
	case x.Global:
		return "global"
	case x.Road:
		return "road"
	case x.Active == 0 && x.noGDAP:
		return "none"
	case x.Active == 0:
		return "unread"
	}
	for i := range x.GDAP {
		if x.GDAP[i].Active && x.GDAP[i].Lost {
			return "unread"
		}
	}
	return "least"
}

// ending is when GDAP ends, as a filter has it.
func (x *Row) ending(now time.Time) string {
	switch left := x.Ends.Sub(now); {
	case x.Ends.IsZero():
		return "none"
	case x.Extends == Yes:
		return "extends"
	case left <= 7*24*time.Hour:
		return "7d"
	case left <= endsNow:
		return "30d"
	case left <= endsSoon:
		return "90d"
	}
	return "later"
}

// mfa is what its own sign-ins say, as a filter has it.
func (x *Row) mfa() string {
	switch {
	case x.Own == nil:
		return "unread"
	case x.Own.Without > 0:
		return "without"
	case x.Own.SignIns == 0:
		return "none"
	case x.Own.WithMFA < x.Own.SignIns:
		return "unclear"
	}
	return "all"
}
