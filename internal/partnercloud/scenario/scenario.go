package scenario

import (
	_ "embed"
	"slices"
)

//go:embed default.yaml
var defaultText []byte

// Default gives the embedded scenario: Contoso Cloud Partners, the company of
// the sample. The caller owns the copy.
func Default() []byte { return slices.Clone(defaultText) }

// Scenario is a scenario file. The package comment explains the format; the
// embedded default comments each part. It is read by [Parse] and not changed.
type Scenario struct {
	Name        string      `yaml:"name"`
	Seed        uint64      `yaml:"seed"`
	Clock       Clock       `yaml:"clock"`
	History     *int        `yaml:"history"` // days of generated logs; nil: 30
	Partner     Partner     `yaml:"partner"`
	Sites       []Site      `yaml:"sites"`
	People      []Person    `yaml:"people"`
	Groups      []Group     `yaml:"groups"`
	Apps        []App       `yaml:"apps"`
	Vendors     []Vendor    `yaml:"vendors"`
	Providers   []Provider  `yaml:"providers"`
	Resellers   []Reseller  `yaml:"resellers"`
	Customers   []Customer  `yaml:"customers"`
	Generate    Generate    `yaml:"generate"`
	KeyVault    KeyVault    `yaml:"keyVault"`
	Enforcement Enforcement `yaml:"enforcement"`
	Exceptions  []Exception `yaml:"exceptions"`
	Stories     []Story     `yaml:"stories"`
	// Replication is how long readers of Microsoft Graph may see the form before of an object that was
	// changed: 90m; "": not at all.
	Replication string `yaml:"replication"`

	text []byte // as parsed, for Spec
}

// Clock is where the world's clock starts.
type Clock struct {
	Start  Moment `yaml:"start"`  // "": the machine's present
	Frozen bool   `yaml:"frozen"` // it stands still until somebody moves it
}

// Settings are what both the partner's tenant and a customer's have.
type Settings struct {
	ID               string            `yaml:"id"` // "": made from the seed
	Country          string            `yaml:"country"`
	Licence          string            `yaml:"licence"` // free, p1, p2
	Trial            string            `yaml:"trial"`   // a licence that was tried and ran out
	Seats            int               `yaml:"seats"`
	Since            Moment            `yaml:"since"` // when the tenant was made
	SecurityDefaults bool              `yaml:"securityDefaults"`
	AcceptsHomeMFA   bool              `yaml:"acceptsHomeMfa"`
	BaselineScopes   string            `yaml:"baselineScopes"` // enabled (also ""), disabled
	Locations        []Location        `yaml:"locations"`
	Strengths        []Strength        `yaml:"strengths"`
	Methods          map[string]string `yaml:"methods"` // method to enabled or disabled
	External         []External        `yaml:"externalMfa"`
	Policies         []Policy          `yaml:"policies"`
	About            string            `yaml:"about"`
}

// Partner is the partner's own tenant.
type Partner struct {
	Settings        `yaml:",inline"`
	Name            string   `yaml:"name"`
	Domains         []string `yaml:"domains"`
	Kind            string   `yaml:"kind"`
	Cloud           string   `yaml:"cloud"`
	SecurityContact string   `yaml:"securityContact"`
}

// Site is a place that people sign in from.
type Site struct {
	Name      string  `yaml:"name"`
	Network   string  `yaml:"network"` // CIDR
	City      string  `yaml:"city"`
	State     string  `yaml:"state"`
	Country   string  `yaml:"country"`
	Latitude  float64 `yaml:"latitude"`
	Longitude float64 `yaml:"longitude"`
}

// Person is an account.
type Person struct {
	UPN        string   `yaml:"upn"`
	Name       string   `yaml:"name"`
	Title      string   `yaml:"title"`
	Department string   `yaml:"department"`
	Roles      []string `yaml:"roles"`
	Eligible   []string `yaml:"eligible"`
	Groups     []string `yaml:"groups"`
	Methods    []string `yaml:"methods"`
	Enabled    *bool    `yaml:"enabled"` // nil: yes
	GuestOf    string   `yaml:"guestOf"` // home domain of a guest
	Synced     bool     `yaml:"synced"`
	Risk       string   `yaml:"risk"`
	PerUserMFA string   `yaml:"perUserMfa"`
	NoPassword bool     `yaml:"noPassword"`
	Expired    bool     `yaml:"passwordExpired"`
	Created    Moment   `yaml:"created"`
	About      string   `yaml:"about"`
	Habit      Habit    `yaml:"habit"`

	AppPasswords []AppPassword `yaml:"appPasswords"`
}

// AppPassword is one of Microsoft's own: 16 characters that an old client signs in
// with in place of the account's password (contracts.md section 9.2).
type AppPassword struct {
	Made    Moment `yaml:"made"`    // "": before the audit log begins
	Deleted Moment `yaml:"deleted"` // "": never
	By      string `yaml:"by"`      // upn of who deleted it; "": its owner
}

// Habit is how an account signs in, for the generated history.
type Habit struct {
	Kind   string   `yaml:"kind"`   // person, script, device, sync, drill; "": person
	Works  *float64 `yaml:"works"`  // chance of a sign-in on a weekday; nil: 0.6
	Site   string   `yaml:"site"`   // "": the first site
	Office float64  `yaml:"office"` // share of sign-ins from the first site instead
	Client string   `yaml:"client"` // now and then: clientAppUsed of a legacy client, or device code
	App    string   `yaml:"app"`    // the app of a script, by name
}

// Group is a security group.
type Group struct {
	Name           string   `yaml:"name"`
	About          string   `yaml:"about"`
	Members        []string `yaml:"members"`  // people by upn or the part before @, groups, apps
	Eligible       []string `yaml:"eligible"` // people who may be in it for a time, by Privileged Identity Management
	RoleAssignable bool     `yaml:"roleAssignable"`
	Roles          []string `yaml:"roles"`
}

// App is an app registration.
type App struct {
	Name        string           `yaml:"name"`
	ID          string           `yaml:"clientId"` // "": made from the seed
	Audience    string           `yaml:"audience"` // one tenant, many, or personal accounts too
	Web         []string         `yaml:"web"`
	SPA         []string         `yaml:"spa"`
	Public      []string         `yaml:"public"`
	Fallback    bool             `yaml:"publicClient"`
	Identifiers []string         `yaml:"identifiers"`
	TokenV2     bool             `yaml:"tokenV2"`
	IDTokens    bool             `yaml:"idTokens"`  // the authorization endpoint gives ID tokens too
	Publishes   []string         `yaml:"publishes"` // scopes of its own API
	Requires    []Requires       `yaml:"requires"`
	Secrets     []Secret         `yaml:"secrets"`
	Certificate []string         `yaml:"certificates"` // PEM
	Federated   []Federated      `yaml:"federated"`
	Consent     string           `yaml:"consent"` // none, admin, or a person's upn
	Roles       []string         `yaml:"roles"`   // directory roles of its service principal
	Panel       bool             `yaml:"panel"`
	Created     Moment           `yaml:"created"`
	About       string           `yaml:"about"`
	Calls       map[string]Calls `yaml:"calls"` // by resource: app-only sign-ins a day
}

// Calls is how an app appears in the history.
type Calls struct {
	PerDay int    `yaml:"perDay"`
	Site   string `yaml:"site"`
}

// Requires names permissions on one resource.
type Requires struct {
	Resource string   `yaml:"resource"`
	Scopes   []string `yaml:"scopes"`
	Roles    []string `yaml:"roles"`
}

// Secret is a client secret; its value comes from the seed.
type Secret struct {
	Name  string `yaml:"name"`
	From  Moment `yaml:"from"`
	Until Moment `yaml:"until"`
}

// Federated is a federated identity credential.
type Federated struct {
	Name      string   `yaml:"name"`
	Issuer    string   `yaml:"issuer"`
	Subject   string   `yaml:"subject"`
	Audiences []string `yaml:"audiences"`
	About     string   `yaml:"about"`
}

// Vendor is a control panel vendor with a tenant of its own.
type Vendor struct {
	Settings `yaml:",inline"`
	Name     string   `yaml:"name"`
	Domain   string   `yaml:"domain"`
	People   []Person `yaml:"people"`
	Groups   []Group  `yaml:"groups"`
	Apps     []App    `yaml:"apps"`
}

// Provider is an External MFA provider with a tenant of its own.
type Provider struct {
	Settings `yaml:",inline"`
	Name     string `yaml:"name"`
	Domain   string `yaml:"domain"`
	Apps     []App  `yaml:"apps"`
}

// External is an External MFA configuration in the methods policy.
type External struct {
	Name      string   `yaml:"name"`
	App       string   `yaml:"app"` // a provider's app by name
	ClientID  string   `yaml:"clientId"`
	Discovery string   `yaml:"discovery"`
	State     string   `yaml:"state"`
	Groups    []string `yaml:"groups"` // none: everybody
}

// Reseller is an indirect reseller of this provider.
type Reseller struct {
	Name    string `yaml:"name"`
	ID      string `yaml:"id"`
	MPN     string `yaml:"mpn"`
	Country string `yaml:"country"`
}

// Customer is a customer with its tenant.
type Customer struct {
	Settings      `yaml:",inline"`
	Name          string         `yaml:"name"`
	Domain        string         `yaml:"domain"`
	Relationship  string         `yaml:"relationship"` // reseller, advisor, none
	DAP           bool           `yaml:"dap"`
	DAPUsed       Moment         `yaml:"dapUsed"`
	Reseller      string         `yaml:"reseller"`
	GDAP          []GDAP         `yaml:"gdap"`
	Users         int            `yaml:"users"` // generated, besides the people
	People        []Person       `yaml:"people"`
	Groups        []Group        `yaml:"groups"`
	Subscriptions []Subscription `yaml:"subscriptions"`
	Azure         []Azure        `yaml:"azure"`
	Alerts        []Alert        `yaml:"alerts"`
	Budget        *float64       `yaml:"budget"`
	Currency      string         `yaml:"currency"`
	Consented     []string       `yaml:"consented"` // apps with an administrator's consent here
	Compromised   bool           `yaml:"compromised"`
	NoAgreement   bool           `yaml:"noAgreement"`
	Work          []Work         `yaml:"work"` // what was done in its tenant before the world was made

	generated bool // by Generate, whose own shape then decides the accounts
}

// GDAP is a delegated admin relationship.
type GDAP struct {
	Name       string              `yaml:"name"`
	Roles      []string            `yaml:"roles"`
	Status     string              `yaml:"status"` // "": active
	Since      Moment              `yaml:"since"`
	For        string              `yaml:"for"`        // ISO 8601, P1D to P2Y
	AutoExtend string              `yaml:"autoExtend"` // P180D or off
	Groups     map[string][]string `yaml:"groups"`     // group of the partner to roles
	Provider   string              `yaml:"provider"`   // tenant id of the indirect provider who made it for this partner
}

// Subscription is a licence subscription.
type Subscription struct {
	Name     string `yaml:"name"`
	Offer    string `yaml:"offer"`
	Quantity int    `yaml:"quantity"`
	Status   string `yaml:"status"`
	Since    Moment `yaml:"since"`
}

// Azure is an Azure subscription.
type Azure struct {
	Name     string    `yaml:"name"`
	ID       string    `yaml:"id"`
	State    string    `yaml:"state"`
	Daily    float64   `yaml:"daily"` // cost of a usual day
	Machines []Machine `yaml:"machines"`
	Since    Moment    `yaml:"since"`
}

// Machine is a virtual machine.
type Machine struct {
	Name     string `yaml:"name"`
	Group    string `yaml:"group"`
	Size     string `yaml:"size"`
	Location string `yaml:"location"`
	Power    string `yaml:"power"`
	Since    Moment `yaml:"since"`
	By       string `yaml:"by"` // intruder: made by the account that was taken over
}

// Alert is a fraud event.
type Alert struct {
	Type       string `yaml:"type"`
	Name       string `yaml:"name"`
	About      string `yaml:"about"`
	Severity   string `yaml:"severity"`
	Confidence string `yaml:"confidence"`
	Status     string `yaml:"status"`
	Reason     string `yaml:"reason"`
	Detected   Moment `yaml:"detected"`
	Azure      string `yaml:"azure"`   // name of the Azure subscription
	Machine    string `yaml:"machine"` // name of the machine
	Hits       int    `yaml:"hits"`
	Test       bool   `yaml:"test"`
	By         string `yaml:"by"` // who answered it
}

// Story is an attack, or honest work that looks like one, that the clock plays.
type Story struct {
	Name     string `yaml:"name"`     // mine, containers, deployment
	Customer string `yaml:"customer"` // by domain
	Azure    string `yaml:"azure"`    // name of the subscription; "" is the first
	Begins   Moment `yaml:"begins"`   // "" at once; +2h after the world was made
}

// Location is a named location: networks or countries.
type Location struct {
	Name      string   `yaml:"name"`
	Trusted   bool     `yaml:"trusted"`
	Networks  []string `yaml:"networks"`
	Countries []string `yaml:"countries"`
	Unknown   bool     `yaml:"unknownToo"`
}

// Strength is a custom authentication strength.
type Strength struct {
	Name         string   `yaml:"name"`
	About        string   `yaml:"about"`
	Combinations []string `yaml:"combinations"`
}

// Policy is a Conditional Access policy in the short form, or raw.
type Policy struct {
	Name            string         `yaml:"name"`
	State           string         `yaml:"state"` // on, off, report-only
	Created         Moment         `yaml:"created"`
	Users           []string       `yaml:"users"`
	Roles           []string       `yaml:"roles"`
	Groups          []string       `yaml:"groups"`
	Guests          []string       `yaml:"guests"`
	ExceptUsers     []string       `yaml:"exceptUsers"`
	ExceptRoles     []string       `yaml:"exceptRoles"`
	ExceptGroups    []string       `yaml:"exceptGroups"`
	ExceptGuests    []string       `yaml:"exceptGuests"`
	Apps            []string       `yaml:"apps"`
	ExceptApps      []string       `yaml:"exceptApps"`
	Actions         []string       `yaml:"actions"`
	Contexts        []string       `yaml:"contexts"`
	Clients         []string       `yaml:"clients"`
	Platforms       []string       `yaml:"platforms"`
	ExceptPlatforms []string       `yaml:"exceptPlatforms"`
	Locations       []string       `yaml:"locations"`
	ExceptLocations []string       `yaml:"exceptLocations"`
	SignInRisk      []string       `yaml:"signInRisk"`
	UserRisk        []string       `yaml:"userRisk"`
	Flows           []string       `yaml:"flows"`
	Devices         *DeviceFilter  `yaml:"devices"`
	Grant           []string       `yaml:"grant"`
	Operator        string         `yaml:"operator"`
	Strength        string         `yaml:"strength"`
	Frequency       string         `yaml:"frequency"` // 4h, 1d, every time
	Browser         string         `yaml:"browser"`   // never or always stay signed in
	Raw             map[string]any `yaml:"raw"`
}

// DeviceFilter is a device filter of a policy.
type DeviceFilter struct {
	Mode string `yaml:"mode"`
	Rule string `yaml:"rule"`
}

// Generate is the rest of the world, beyond what is named.
type Generate struct {
	Customers        int   `yaml:"customers"` // in all
	Users            int   `yaml:"users"`     // of the partner, in all
	UsersPerCustomer int   `yaml:"usersPerCustomer"`
	DAPOnly          Share `yaml:"dapOnly"`
	GDAPOnly         Share `yaml:"gdapOnly"`
	Both             Share `yaml:"both"`
	Azure            Share `yaml:"azure"`
	Compromised      Share `yaml:"compromised"`
	SecurityDefaults Share `yaml:"securityDefaults"`
	P1               Share `yaml:"p1"`
	P2               Share `yaml:"p2"`
	Unregistered     Share `yaml:"unregistered"` // users without a method
	Budgets          Share `yaml:"budgets"`      // Azure customers with a spending budget
}

// Share is a part of a whole, 0 to 1.
type Share float64

// Enforcement overrides how enforcement came.
type Enforcement struct {
	AOBO   *Activation `yaml:"aobo"`
	Portal *Activation `yaml:"portal"`
	API    *Activation `yaml:"api"`
}

// Activation is one check coming to life. What is not said never happens.
type Activation struct {
	Announced  Moment `yaml:"announced"`
	Contract   Moment `yaml:"contract"`
	Reported   Moment `yaml:"reported"`
	Ramp       Moment `yaml:"ramp"`
	Enforced   Moment `yaml:"enforced"`
	FirstShare Share  `yaml:"firstShare"`
}

// Exception is a third-party MFA exception of the partner.
type Exception struct {
	Vendor string `yaml:"vendor"`
	From   Moment `yaml:"from"`
	Until  Moment `yaml:"until"`
}
