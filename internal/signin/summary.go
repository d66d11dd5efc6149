package signin

import (
	"strconv"
	"time"

	"partnerguard/internal/evidence"
)

// Counts counts rows by verdict; the index is the [Verdict].
type Counts [verdictCount]int64

// Of is the count of one verdict.
func (c Counts) Of(v Verdict) int64 { return c[v] }

// Total is the sum over all verdicts.
func (c Counts) Total() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}

// Proven counts the successes with MFA, fresh or by claim.
func (c Counts) Proven() int64 {
	return c[Challenged] + c[SatisfiedByClaim] + c[SatisfiedByProvider]
}

// Add adds the counts of o.
func (c *Counts) Add(o *Counts) {
	for i, n := range o {
		c[i] += n
	}
}

// MarshalJSON writes an object with every verdict in report order.
func (c Counts) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, n := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, Verdict(i).String()), ':') // the names are plain
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, '}'), nil
}

// Summary is what a fold adds up to. It is the same however the input was
// split, and its lists have a fixed order, so equal inputs give equal bytes of
// JSON.
type Summary struct {
	Rows       int64 `json:"rows"`       // distinct sign-ins counted below
	Duplicates int64 `json:"duplicates"` // further copies of one of them, dropped
	OutOfRange int64 `json:"outOfRange"` // outside Since and Until, not counted in Rows
	NoClock    int64 `json:"noClock"`    // of Rows: createdDateTime absent or unreadable

	First time.Time `json:"first,omitzero"` // oldest createdDateTime
	Last  time.Time `json:"last,omitzero"`  // newest

	Clocks      []ClockNote `json:"clocks,omitempty"`      // inputs whose clocks could not all be read
	OrphanSteps int64       `json:"orphanSteps,omitempty"` // sign-ins whose steps were read and they themselves not; 0 with Since or Until

	Verdicts Counts `json:"verdicts"`
	Legacy   Counts `json:"legacy"` // rows of legacy clients
	AOBO     Counts `json:"aobo"`   // rows on behalf of a customer (serviceProvider)

	DeviceCode       int64 `json:"deviceCode"`
	ROPC             int64 `json:"ropc"`
	CSPAdmin         int64 `json:"cspAdmin"`         // requirement provider enforcedForCspAdmins
	WithoutMFAFields int64 `json:"withoutMfaFields"` // rows whose shape cannot show MFA

	Days      []Day            `json:"days"` // UTC days, oldest first
	OtherDays Others           `json:"otherDays,omitzero"`
	Reasons   map[Reason]int64 `json:"reasons"` // final reasons; only those that occur

	Apps      []App  `json:"apps"` // by key
	OtherApps Others `json:"otherApps,omitzero"`

	Accounts      []Account `json:"accounts"` // by key
	OtherAccounts Others    `json:"otherAccounts,omitzero"`

	ServicePrincipals      []ServicePrincipal `json:"servicePrincipals"` // by key
	OtherServicePrincipals Others             `json:"otherServicePrincipals,omitzero"`

	// Applied are the Conditional Access policies that the log says were in force
	// at its end, no more than 1024. They serve to tell whether an export of
	// policies is whole and are no part of the JSON.
	Applied []PolicySighting `json:"-"`

	// Newest is, for each input by path, the newest createdDateTime counted of it
	// that could be read at once. It dates the input and is no part of the JSON.
	Newest map[string]time.Time `json:"-"`
}

// Others holds the rows that belong to entries past a list's limit.
type Others struct {
	Rows     int64  `json:"rows"`
	Verdicts Counts `json:"verdicts"`
}

// Take adds rows that have no entry of their own.
func (o *Others) Take(c *Counts) {
	o.Rows += c.Total()
	o.Verdicts.Add(c)
}

// Day is one UTC day.
type Day struct {
	Date     string `json:"date"` // 2006-01-02
	Verdicts Counts `json:"verdicts"`
}

// App is one application, user sign-ins only.
type App struct {
	Key      string `json:"key"` // lower-cased app id, or "name:" and the name where the row has no id
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"` // the newest name seen
	Verdicts Counts `json:"verdicts"`
	Legacy   int64  `json:"legacy,omitempty"`
	AOBO     int64  `json:"aobo,omitempty"`
}

// ServicePrincipal is one workload identity.
type ServicePrincipal struct {
	Key       string `json:"key"` // lower-cased id, else app id, else "name:" and the name
	ID        string `json:"id,omitempty"`
	AppID     string `json:"appId,omitempty"`
	Name      string `json:"name,omitempty"`
	Rows      int64  `json:"rows"`
	Successes int64  `json:"successes"`
}

// Account is one user. Key is the user id in lower case, or the user principal
// name in lower case where no row has an id; rows that name no user share the
// empty key.
type Account struct {
	Key               string `json:"key"`
	UserID            string `json:"userId,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"` // the newest non-empty one, as are the next two
	DisplayName       string `json:"displayName,omitempty"`
	UserType          string `json:"userType,omitempty"`

	Verdicts       Counts `json:"verdicts"`
	AOBO           Counts `json:"aobo"`
	Interactive    Counts `json:"interactive"`    // rows that say isInteractive
	NonInteractive Counts `json:"nonInteractive"` // rows that deny it; the rest do not say

	LegacySuccesses    map[string]int64 `json:"legacySuccesses,omitempty"` // by clientAppUsed
	OtherLegacy        int64            `json:"otherLegacy,omitempty"`     // past 64 clients
	DeviceCode         int64            `json:"deviceCode,omitempty"`
	ROPC               int64            `json:"ropc,omitempty"`
	CSPAdmin           int64            `json:"cspAdmin,omitempty"`
	WithoutMFAFields   int64            `json:"withoutMfaFields,omitempty"`
	NotChallengedApps  map[string]int64 `json:"notChallengedApps,omitempty"` // by app name, else app id
	OtherNotChallenged int64            `json:"otherNotChallenged,omitempty"`

	LastSignIn        time.Time `json:"lastSignIn,omitzero"` // newest success
	LastNotChallenged time.Time `json:"lastNotChallenged,omitzero"`

	NotChallenged []Witness `json:"notChallenged,omitempty"` // at most three, newest first
	Unknown       []Witness `json:"unknown,omitempty"`
}

// Witness is one row that shows what a count says.
type Witness struct {
	ID      string          `json:"id"`
	Time    time.Time       `json:"time,omitzero"`
	App     string          `json:"app,omitempty"`
	Client  string          `json:"client,omitempty"`
	IP      string          `json:"ip,omitempty"`
	Country string          `json:"country,omitempty"`
	Reason  Reason          `json:"reason"`
	Source  evidence.Source `json:"source"`
}
