package partner

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Usage is what a customer's Azure costs in the month at hand by Partner Center's own
// estimate, which is made about once a day, beside its spending budget (contracts.md section
// 7.2). The list has the customers with Azure that is paid by use.
type Usage struct {
	Customer string         `json:"resourceId"` // its tenant
	Name     lenient.String `json:"resourceName"`
	Budget   struct {
		Amount Amount `json:"amount"`
	} `json:"budget"`
	Total    Amount          `json:"totalCost"`
	Currency lenient.String  `json:"currencyCode"`
	Locale   lenient.String  `json:"currencyLocale"` // of older answers, which have it in place of the code
	Modified lenient.Time    `json:"lastModifiedDate"`
	Source   evidence.Source `json:"-"`
}

// Tenant is the customer's tenant in lower case.
func (u *Usage) Tenant() string { return strings.ToLower(strings.TrimSpace(u.Customer)) }

// Budgeted says whether the customer has a spending budget. Known is false where the record
// does not say; a budget of nothing is none, since it warns of nothing.
func (u *Usage) Budgeted() (yes, known bool) {
	return u.Budget.Amount.Value > 0, u.Budget.Amount.Said
}

// Amount is an amount of money. Said is false where nothing was written, or what is no number;
// null is said, and is none.
type Amount struct {
	Value float64
	Said  bool
	None  bool // null: there is none
}

// UnmarshalJSON accepts 12.5, "12.5" and null.
func (a *Amount) UnmarshalJSON(b []byte) error {
	*a = Amount{}
	text := strings.Trim(strings.TrimSpace(string(b)), `"`)
	if text == "null" {
		*a = Amount{Said: true, None: true}
		return nil
	}
	var n float64
	if json.Unmarshal([]byte(text), &n) == nil {
		*a = Amount{Value: n, Said: true}
	}
	return nil
}

// MarshalJSON writes the number, or null.
func (a Amount) MarshalJSON() ([]byte, error) {
	if !a.Said || a.None {
		return []byte("null"), nil
	}
	return json.Marshal(a.Value)
}

// Bought is a subscription that a customer bought, as far as it says whether it is Azure
// (contracts.md section 7.1).
type Bought struct {
	ID      string         `json:"id"`
	Offer   lenient.String `json:"offerId"`
	Name    lenient.String `json:"friendlyName"`
	Status  lenient.String `json:"status"`
	Billing lenient.String `json:"billingType"` // "usage", "license"
	Links   struct {
		Self struct {
			URI lenient.String `json:"uri"`
		} `json:"self"`
	} `json:"links"`
	Source evidence.Source `json:"-"`
}

// Customer is the tenant of the customer whose it is, by the record's own address; "" it does
// not say.
func (b *Bought) Customer() string {
	_, rest, ok := strings.Cut(strings.ToLower(string(b.Links.Self.URI)), "customers/")
	id, _, more := strings.Cut(rest, "/")
	if !ok || !more || len(id) != 36 {
		return ""
	}
	return id
}

// azurePlan is the product of the Azure plan in the catalogue of the new commerce.
const azurePlan = "dzh318z0bps6:"

// Azure reports an Azure plan, or an older subscription of Azure, that is not over.
func (b *Bought) Azure() bool {
	name := strings.ToLower(string(b.Offer) + " " + string(b.Name))
	switch strings.ToLower(string(b.Status)) {
	case "deleted", "expired", "none":
		return false
	}
	return strings.EqualFold(string(b.Billing), "usage") || strings.Contains(name, "azure plan") || strings.Contains(name, "ms-azr-") ||
		strings.HasPrefix(name, azurePlan)
}

// AzureSubscription is a subscription as Azure Resource Manager lists it (contracts.md section 7.3).
type AzureSubscription struct {
	ID     string          `json:"subscriptionId"`
	Name   lenient.String  `json:"displayName"`
	State  lenient.String  `json:"state"` // Enabled, Warned, PastDue, Disabled, Deleted
	Tenant lenient.String  `json:"tenantId"`
	Source evidence.Source `json:"-"`
}

// AzureBudget is a budget of Azure's own (contracts.md section 7.3).
type AzureBudget struct {
	ID         string         `json:"id"`
	Name       lenient.String `json:"name"`
	Properties struct {
		Category  lenient.String `json:"category"`
		Amount    Amount         `json:"amount"`
		TimeGrain lenient.String `json:"timeGrain"`
		Spend     struct {
			Amount Amount         `json:"amount"`
			Unit   lenient.String `json:"unit"`
		} `json:"currentSpend"`
	} `json:"properties"`
	Source evidence.Source `json:"-"`
}

// Subscription is the subscription it is of, in lower case; "" it does not say.
func (b *AzureBudget) Subscription() string {
	_, rest, ok := strings.Cut(strings.ToLower(b.ID), "/subscriptions/")
	id, _, _ := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return id
}
