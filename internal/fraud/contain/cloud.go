//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"partnerguard/internal/msapi"
)

// ARM is what is needed of Azure Resource Manager, in the customer's tenant. Paths carry
// their api-version.
type ARM interface {
	Get(ctx context.Context, path string) (json.RawMessage, error)
	Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error]
	// Do asks for a change once; operation is where a long one is asked for, "" it is done.
	Do(ctx context.Context, method, path string, body any) (operation string, err error)
	// Operation gives how a long operation stands.
	Operation(ctx context.Context, operation string) (msapi.Operation, error)
}

// Graph is what is needed of Microsoft Graph, in one tenant.
type Graph interface {
	Read(ctx context.Context, path string) (msapi.Reply, error)
	Write(ctx context.Context, w msapi.Write) (msapi.Reply, error)
	Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error]
}

// Center is what is needed of Partner Center.
type Center interface {
	AzurePlans(ctx context.Context, customer string) ([]msapi.AzurePlan, error)
	Entitlements(ctx context.Context, customer, plan string) ([]msapi.Entitlement, error)
	CancelEntitlement(ctx context.Context, customer, plan, entitlement string) error
	SetPlanStatus(ctx context.Context, customer, plan, status string) error
	SpendingBudget(ctx context.Context, customer string) (amount *float64, err error)
	SetSpendingBudget(ctx context.Context, customer string, amount *float64) error
}

// Self is who acts.
type Self struct {
	Connection string // its name
	Tenant     string // the partner's
	User       string // object id there; "" an app acts alone
	UPN        string
	App        string // client id
}

// Held is what a token may do, as it says itself.
type Held struct {
	Scopes []string // of the app, or delegated to it
	Roles  []string // template ids of the account's directory roles; nil: it does not say
	Alone  bool     // an app acts without a person
}

// Cloud is the way to Microsoft for one customer.
type Cloud struct {
	ARM    ARM
	Graph  Graph // of the customer's tenant
	Home   Graph // of the partner's tenant
	Center Center
	Self   Self
	// Held says what the token for an API ("graph", "partner-center") has in a tenant.
	Held func(ctx context.Context, tenant, api string) (Held, error)
	// Contact is whom to call at the customer, in words; "" nobody is known.
	Contact string
}

// graph is the directory of a tenant.
func (c *Cloud) graph(tenant string) Graph {
	if strings.EqualFold(tenant, c.Self.Tenant) {
		return c.Home
	}
	return c.Graph
}
