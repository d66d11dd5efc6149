package automation

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
)

// Protocol says how an item signs in.
type Protocol string

// The protocols, the surest sign of automation first; the order is that in
// which they are kept when there are too many.
const (
	ROPC       Protocol = "ropc"        // the password grant
	Legacy     Protocol = "legacy"      // basic authentication, see Item.Client
	DeviceCode Protocol = "device-code" // a code typed elsewhere, kept alive by a refresh token
	Tool       Protocol = "tool"        // PowerShell modules and command lines of Microsoft
	Program    Protocol = "program"     // another program, by its user agent
	Other      Protocol = "other"       // nothing but the account or the pattern tells
)

var protocols = []Protocol{ROPC, Legacy, DeviceCode, Tool, Program, Other}

// Confidence is how sure it is that nobody sits at the keyboard.
type Confidence string

// The confidences. Certain and likely decide requirements; a possible item is
// for a person to look at, and keeps a requirement from being met.
const (
	Certain  Confidence = "certain"
	Likely   Confidence = "likely"
	Possible Confidence = "possible"
)

// State says how far an item is.
type State string

// The states; see the package comment.
const (
	Found   State = "found"
	Planned State = "planned"
	Moved   State = "moved"
	Gone    State = "verified-gone"
)

// States lists them in order.
func States() []State { return []State{Found, Planned, Moved, Gone} }

// MayBecome reports that a person may change a state from s to next. Nobody may
// say that something is verified gone; that is for the evidence.
func (s State) MayBecome(next State) bool {
	if s == Gone {
		return next == Found
	}
	return next == Found || next == Planned || next == Moved
}

// QuietDays is how long after a move the log must show no sign-in before an
// item is verified gone.
const QuietDays = 14

// Item is one script or service, as far as the log can tell them apart: one
// account, one app, one protocol.
type Item struct {
	ID       string   `json:"id"`      // stable: of account, app and protocol
	Account  string   `json:"account"` // user id in lower case, else user principal name
	Name     string   `json:"name"`    // user principal name, else the id
	App      string   `json:"app"`     // app id in lower case, else ""
	AppName  string   `json:"appName"`
	Protocol Protocol `json:"protocol"`
	Client   string   `json:"client,omitempty"` // clientAppUsed, for legacy

	Confidence Confidence `json:"confidence"`
	Why        []string   `json:"why"`    // what speaks for it, and against
	Advice     string     `json:"advice"` // the way out

	Evidence Evidence `json:"evidence"`

	Owner string `json:"owner"`
	State State  `json:"state"`
	Note  string `json:"note"`
	// Story says what evidence did to the state last, e.g. that it was reopened.
	Story   string    `json:"story,omitempty"`
	MovedAt time.Time `json:"movedAt,omitzero"` // since when it should be silent
	QuietTo time.Time `json:"quietTo,omitzero"` // up to when the log shows that it was
	Updated time.Time `json:"updated,omitzero"`
	version int64     // of the stored row
}

// Evidence is what the log says of an item. The counts are those of the reading
// that saw it last, so that reading an export twice changes nothing; First and
// Last span all readings.
type Evidence struct {
	SignIns        int64     `json:"signIns"` // successes
	WithMFA        int64     `json:"withMfa"`
	WithoutMFA     int64     `json:"withoutMfa"` // nothing asked for MFA; the rest does not say
	Stopped        int64     `json:"stopped"`    // the password was right and MFA was asked for
	Failed         int64     `json:"failed"`
	Interactive    int64     `json:"interactive"`
	NonInteractive int64     `json:"nonInteractive"`
	Days           int       `json:"days"`      // on how many days, at most 400
	Addresses      int       `json:"addresses"` // from how many addresses; past 8 it is 9
	Programs       []string  `json:"programs"`  // user agents, at most 4
	First          time.Time `json:"first,omitzero"`
	Last           time.Time `json:"last,omitzero"` // newest success or stop
	Examples       []Example `json:"examples"`      // at most 3, newest first
}

// Example is one row of the log.
type Example struct {
	ID      string          `json:"id"`
	At      time.Time       `json:"at,omitzero"`
	IP      string          `json:"ip,omitempty"`
	Country string          `json:"country,omitempty"`
	Program string          `json:"program,omitempty"`
	Outcome string          `json:"outcome"` // the engine's verdict
	Source  evidence.Source `json:"source"`
}

// Decides reports that an item counts against a requirement.
func (it *Item) Decides() bool { return it.Confidence != Possible && it.State != Gone }

// ID is the stable name of account, app and protocol.
func ID(account, app string, p Protocol, client string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{strings.ToLower(account), strings.ToLower(app), string(p), strings.ToLower(client)}, "\x00")))
	return "auto-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// Span is a stretch of time that the log shows without a gap.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Result is what one reading of a log found.
type Result struct {
	Items []Item // the surest first, then by name
	// Covered says for when the absence of a sign-in means something: the log was
	// read whole, and shows interactive and non-interactive sign-ins.
	Covered []Span
	// Beyond counts rows of items past the limit: the list is not complete, and
	// nothing is covered.
	Beyond int64

	// seen is when each account, app and protocol was last used, by id under
	// every name it goes by, listed or not: what is not listed is not yet silent.
	seen map[string]time.Time
}

// aliases are the ids that the same script has in logs that write its account
// or app by name only.
func aliases(account, name, app, appName string, p Protocol, client string) (ids []string) {
	accounts, apps := []string{account}, []string{app}
	if name = strings.ToLower(name); name != account && name != "" {
		accounts = append(accounts, name)
	}
	if by := "name:" + strings.ToLower(appName); by != app && appName != "" {
		apps = append(apps, by)
	}
	for _, u := range accounts {
		for _, a := range apps {
			ids = append(ids, ID(u, a, p, client))
		}
	}
	return ids
}

// lastSeen is when the log last saw what it is, under any name.
func (r *Result) lastSeen(it *Item) (last time.Time) {
	app := it.App
	if app == "" && it.AppName != "" {
		app = "name:" + strings.ToLower(it.AppName)
	}
	for _, id := range aliases(it.Account, it.Name, app, it.AppName, it.Protocol, it.Client) {
		last = later(last, r.seen[id])
	}
	return last
}

// sortItems puts the surest first.
func sortItems(list []Item) {
	rank := map[Confidence]int{Certain: 0, Likely: 1, Possible: 2}
	slices.SortFunc(list, func(a, b Item) int {
		if d := rank[a.Confidence] - rank[b.Confidence]; d != 0 {
			return d
		}
		if d := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); d != 0 {
			return d
		}
		if d := strings.Compare(a.AppName, b.AppName); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// Detail is what was seen of an item, in one sentence.
func (it *Item) Detail() string {
	to := it.AppName
	if to == "" {
		to = it.App
	}
	if to != "" {
		to = " to " + to
	}
	n := it.Evidence.SignIns
	word := "sign-ins"
	if n == 1 {
		word = "sign-in"
	}
	return fmt.Sprintf("%d %s%s, %s: %s", n, word, to, it.Confidence, strings.Join(it.Why, "; "))
}
