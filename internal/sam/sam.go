package sam

import (
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
)

// Model says whose app it is (contracts.md section 5.3).
type Model string

// The models.
const (
	CSP Model = "csp" // the partner's own app, in the partner's tenant
	CPV Model = "cpv" // a control panel vendor's app; one connection a partner
)

// State is where a connection stands.
type State string

// The states. What a connection will die of is in its forecast.
const (
	Active   State = "active"
	Rejected State = "rejected" // Entra ID refuses the refresh token: a person must sign in again
	Damaged  State = "damaged"  // its sealed token does not open
)

// Connection is one account's consent to one app in one partner tenant.
type Connection struct {
	ID       string      `json:"id"`   // "c-…", never reused
	Name     string      `json:"name"` // unique; chosen by a person, default the tenant's domain
	Model    Model       `json:"model"`
	Cloud    msapi.Cloud `json:"cloud"`
	Tenant   string      `json:"tenant"`           // the partner tenant's id
	Domain   string      `json:"domain,omitempty"` // of the account, for reading
	ClientID string      `json:"clientId"`
	Account  string      `json:"account"`  // user principal name
	ObjectID string      `json:"objectId"` // of the account
	State    State       `json:"state"`

	// Scopes were granted, by resource (its identifier URI).
	Scopes map[string][]string `json:"scopes"`

	Proof       claim.Verdict `json:"proof"`             // of the newest token
	AuthTime    time.Time     `json:"authTime,omitzero"` // of the interactive sign-in
	ConsentedAt time.Time     `json:"consentedAt"`
	ObtainedAt  time.Time     `json:"obtainedAt"` // the newest refresh token's
	Generation  int64         `json:"generation"` // counts refresh tokens, from 1
	RenewAfter  time.Time     `json:"renewAfter"` // when renewal is due

	// Trouble is the newest failure since the last success, nil when all is well.
	Trouble *Trouble `json:"trouble,omitempty"`
	// Forecast is when it will die and of what, as last computed.
	Forecast *Forecast `json:"forecast,omitempty"`
}

// Trouble is why the newest attempt failed.
type Trouble struct {
	At        time.Time `json:"at"`
	Code      int       `json:"code,omitempty"` // AADSTS code; 0 when there was none
	Words     string    `json:"words"`          // one sentence, ours
	Fix       string    `json:"fix"`            // what to do next
	Transient bool      `json:"transient"`      // it will be tried again by itself
	Times     int       `json:"times"`          // in a row
}

// Forecast says when a connection stops working if nobody does anything.
type Forecast struct {
	At     time.Time `json:"at,omitzero"` // zero: nothing known ends it
	Cause  string    `json:"cause"`       // "idle", "sign-in frequency", "certificate", "secret", "blocked"
	Words  string    `json:"words"`       // one sentence naming the setting
	Fix    string    `json:"fix,omitempty"`
	Object string    `json:"object,omitempty"` // the policy's or credential's id
	// Unknown lists what could not be read and could end it sooner.
	Unknown  []string  `json:"unknown,omitempty"`
	Computed time.Time `json:"computed"`
}

// Registration is an app of ours as this installation knows it: what proves it
// to Entra ID. The key or secret is in the vault.
type Registration struct {
	ClientID    string               `json:"clientId"`
	Tenant      string               `json:"tenant"` // where the app lives
	Name        string               `json:"name"`
	Kind        msapi.CredentialKind `json:"kind"`
	Thumbprint  string               `json:"thumbprint,omitempty"`  // SHA-256 of the certificate, hex
	Certificate string               `json:"certificate,omitempty"` // PEM, public part
	File        string               `json:"file,omitempty"`        // of a federated token
	NotAfter    time.Time            `json:"notAfter,omitzero"`     // of the credential, when known
	Created     time.Time            `json:"created"`
}

// Captured is a consent that was proven and is to be kept: what capture gives
// to the store. It was verified before (claim, tenant, app, nonce).
type Captured struct {
	// Name was chosen by a person for this consent; "" keeps the name there is.
	Name string
	// Suggested is for a connection that has no name yet: this, or with a number
	// when it is another's. "" is Domain, else Tenant.
	Suggested string

	Model    Model
	Cloud    msapi.Cloud
	Tenant   string
	Domain   string
	ClientID string
	Account  string
	ObjectID string
	Scopes   map[string][]string
	Proof    claim.Verdict
	AuthTime time.Time
	At       time.Time
	Refresh  secret.Text
}
