package detect

import "time"

// Customer is what is known of a customer besides its use.
type Customer struct {
	Tenant        string // lower case
	Name, Domain  string // as others wrote them: to be cleaned before they are shown
	Country       string
	Since         time.Time // the relationship's begin; zero: not known
	Subscriptions []string  // lower case
}

// Usage is one rated line of use: a meter's quantity in a day or an hour.
type Usage struct {
	Customer, Subscription string // lower case; Customer "": see [Detector.Usage]
	From, To               time.Time
	Rated                  time.Time // when it was rated, where the line says so; zero else
	Meter                  string    // its id, or its names where it has none
	Category, SubCategory  string    // MeterCategory ("Virtual Machines"), MeterSubCategory
	Name                   string    // MeterName ("NC64as T4 v3")
	Service                string    // ConsumedService ("Microsoft.Compute")
	Product                string    // ProductName or SkuName
	Size                   string    // of a machine ("Standard_NC64as_T4_v3"); "" not said
	Region                 string    // as Azure names it, lower case without spaces; "" not said
	Charge                 string    // ChargeType
	Quantity               float64
	Price                  float64 // of a unit, in Currency; 0 not said
	Cost                   float64 // before tax, in Currency
	Currency               string  // ISO 4217, upper case
}

// Log is where a row came from.
type Log string

// The logs.
const (
	ActivityLog Log = "activity"
	Directory   Log = "directory"
	SignIns     Log = "signIns"
)

// Event is one row of a log: the Activity Log's, or the directory's where that was read too.
// Several rows of one act become one.
type Event struct {
	Customer, Subscription string // lower case; a row of the directory has no subscription
	At                     time.Time
	Operation              string // "Microsoft.Compute/virtualMachines/write"
	Status                 string // Started, Accepted, Succeeded, Failed; "" not said
	Code                   string // of a failure ("QuotaExceeded"), or the HTTP status
	Resource               string // its id
	Region                 string // lower case without spaces; "" not said
	Size                   string // of the machines asked for
	Count                  int    // machines asked for; 0 not said
	Caller                 string // a user principal name or an object id, lower case
	Actor                  string // object id of the caller; "" not said
	App                    string // appId of the client that called
	IP                     string
	Country                string   // ISO 3166 where the row says so; "" not said
	Act                    string   // correlation or operation id: rows of one act share it
	Role                   string   // template id of the role given
	Targets                []string // whom a role, a credential or a consent was given: object ids and appIds
	Risk                   string   // of a sign-in: "high", "medium"
	Log                    Log
}
