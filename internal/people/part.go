package people

import "time"

// PartName is what the snapshot calls a [Part].
const PartName = "people"

// Span is how many days of the log a row shows.
const Span = 30

// Part is what is shown of one tenant's accounts. It is kept as JSON, and never changed
// once it was built.
type Part struct {
	Tenant string    `json:"tenant"`
	Name   string    `json:"name,omitempty"` // of the tenant
	At     time.Time `json:"at"`             // judged as of
	Rows   []Row     `json:"rows"`
	// Sets and Gaps are what rows share: Row.Set and Row.Gap count from 1.
	Sets [][]Use   `json:"sets,omitempty"`
	Gaps []Opening `json:"gaps,omitempty"`
	// Days are the days of the log, oldest first, as far as each was read.
	Days  []Day  `json:"days"`
	Facts []Fact `json:"facts"`
	// Whole says that the list of users was read to its end: there are no others.
	Whole bool `json:"whole"`
	// Lacks is the request for what is missing of the list of users; "" where nothing is.
	Lacks string `json:"lacks,omitempty"`
}

// Day is one UTC day of the log.
type Day struct {
	Date string `json:"date"` // 2006-01-02
	Read bool   `json:"read"` // false: nothing is known of it
}

// Fact is a list that was read, with its moment.
type Fact struct {
	What   string    `json:"what"`
	At     time.Time `json:"at,omitzero"` // zero: never read, or nothing dates it
	Hours  int       `json:"hours,omitempty"`
	Gaps   int       `json:"gaps,omitempty"`
	Source string    `json:"source,omitempty"`
	Rests  bool      `json:"rests,omitempty"`
}

// What the settings prove of an account.
const (
	Asked    = "asked"   // an enforced policy takes every sign-in
	Open     = "open"    // some sign-in is taken by none
	Unknown  = "unknown" // what is not known decides it
	NotAsked = "none"    // nobody asks: it is disabled, or synchronises the directory
)

// The answers to a question that may not have been read.
const (
	Yes = "yes"
	No  = "no"
)

// What the log says of an account.
const (
	SeenUnasked = "unasked" // it signed in without MFA
	SeenAsked   = "asked"   // it signed in, each time with MFA
	SeenNever   = "never"   // the log was read whole, and it is not in it
	SeenUnclear = "unclear" // it signed in, and rows do not show whether with MFA
	SeenUnknown = "unknown" // the log was not read, or not all of it
)

// Row is one account.
type Row struct {
	Tenant  string   `json:"tenant"`
	ID      string   `json:"id"`
	UPN     string   `json:"userPrincipalName"`
	Name    string   `json:"displayName"`
	Class   string   `json:"class"`   // admin, member, guest, service, break-glass, shared, room, agent, sync, unknown
	Enabled string   `json:"enabled"` // yes, no, unknown
	InScope bool     `json:"inScope"` // the requirement binds it
	Roles   []string `json:"roles,omitempty"`
	// RolesRead is yes where the lists of roles were read, no where there may be more.
	RolesRead string `json:"rolesRead"`

	Factor  string   `json:"factor"`            // phishing_resistant, app, otp, phone, none, unknown
	Methods []string `json:"methods,omitempty"` // as Entra ID names them
	// Registered is yes, no, or unknown: its registration was not read.
	Registered string `json:"registered"`

	Proof    string `json:"proof"`            // of every sign-in: asked, open, unknown, none
	Ordinary string `json:"ordinary"`         // of an ordinary sign-in alone
	Settle   string `json:"settle,omitempty"` // unknown: the one request that settles it

	Log         string    `json:"log"`     // unasked, asked, never, unclear, unknown
	SignIns     int64     `json:"signIns"` // successes in the log
	Unasked     int64     `json:"unasked"` // of them without MFA
	LastSignIn  time.Time `json:"lastSignIn,omitzero"`
	LastUnasked time.Time `json:"lastUnasked,omitzero"`
	Legacy      []string  `json:"legacyClients,omitempty"`
	Apps        []string  `json:"unaskedApps,omitempty"` // where it went without MFA, most first
	// Daily are its sign-ins without MFA, a number for each day of the part; absent
	// where there is none. Days that were not read are -1.
	Daily []int32 `json:"daily,omitempty"`
	// Seen is the newest row without MFA.
	Seen *Seen `json:"seen,omitempty"`

	Verdict   string   `json:"verdict"`
	Reason    string   `json:"reason"`
	Ways      []Way    `json:"waysOut,omitempty"`
	Exception string   `json:"exception,omitempty"`
	Sources   []Source `json:"sources,omitempty"`
	Weight    int      `json:"weight"` // the higher the worse: the list's order

	Set int `json:"set,omitempty"`
	Gap int `json:"gap,omitempty"`

	// Policies and Opening are what Set and Gap point to, once it is shown.
	Policies []Use    `json:"policies,omitempty"`
	Opening  *Opening `json:"opening,omitempty"`
	days     []Day
	hay      string
	name     string  // of the row over all tenants
	at       int     // in the order of the worst first
	facets   *facets // the values it is narrowed by
	of       string  // the tenant's name, where rows of several are shown
}

// Use is one policy with what it does to the sign-in that is shown of an account.
type Use struct {
	ID      string `json:"id"`
	Policy  string `json:"policy"`
	Applies string `json:"applies"` // yes, no, perhaps; report-only
	Clause  string `json:"clause"`  // what decides that
	Demands string `json:"demands"`
}

// Opening is a way in that nothing protects.
type Opening struct {
	Where   string   `json:"where"`   // short: "at HQ Dublin"
	Text    string   `json:"text"`    // in full: the dimensions on which it is not any
	Witness string   `json:"witness"` // a sign-in to try, in words
	Why     []string `json:"why"`     // the clauses that open it, the nearest first
	// App, Client, Place and Platform are the witness's, as a decision takes them.
	App      string `json:"app,omitempty"`
	Client   string `json:"client,omitempty"`
	Place    string `json:"place,omitempty"`
	Platform string `json:"platform,omitempty"`
}

// Seen is a row of the log.
type Seen struct {
	At     time.Time `json:"at,omitzero"`
	ID     string    `json:"id"`
	App    string    `json:"app,omitempty"`
	Client string    `json:"client,omitempty"`
	From   string    `json:"from,omitempty"`
	Source string    `json:"source,omitempty"`
}

// Way is one step that brings an account into line.
type Way struct {
	ID   string `json:"id"`
	Word string `json:"word"`
	Text string `json:"text"`
}

// Source says where one fact of a row was read.
type Source struct {
	What  string    `json:"what"`
	Where string    `json:"where"`
	At    time.Time `json:"at,omitzero"`
}
