//go:build !judge

package budget

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Plan is what budgets shall be set, customer by customer. It is read by people, changed by
// them, and holds no secret.
type Plan struct {
	Version   int         `yaml:"version" json:"version"` // 1
	Cloud     string      `yaml:"cloud" json:"cloud"`
	Tenant    string      `yaml:"tenant" json:"tenant"` // the partner's id
	Made      time.Time   `yaml:"made" json:"made"`
	Facts     time.Time   `yaml:"facts" json:"facts"` // as of when what it was made from was true
	Rule      Rule        `yaml:"rule" json:"rule"`
	Customers []Customer  `yaml:"customers" json:"customers"`
	Unchanged []Unchanged `yaml:"unchanged,omitempty" json:"unchanged"` // where nothing is done, and why
}

// Rule is how amounts were found. It is for people: what counts are the amounts.
type Rule struct {
	Amount  Amounts `yaml:"amount,omitempty" json:"amount,omitempty"`
	Median  float64 `yaml:"median,omitempty" json:"median,omitempty"` // times what the median month cost
	Minimum Amounts `yaml:"minimum,omitempty" json:"minimum,omitempty"`
	Replace bool    `yaml:"replace,omitempty" json:"replace,omitempty"`
}

// Amounts are amounts by currency; "*" is of any other.
type Amounts map[string]float64

// In gives the amount of a currency; false where there is none. A currency that is not known
// takes the amount of any.
func (a Amounts) In(currency string) (float64, bool) {
	if v, ok := a[currency]; ok && currency != "" {
		return v, true
	}
	v, ok := a["*"]
	return v, ok
}

// Customer is what shall become of one customer's budgets.
type Customer struct {
	Tenant   string       `yaml:"tenant" json:"customerTenantId"`
	Name     string       `yaml:"name" json:"name"` // as others wrote it, cleaned
	Currency string       `yaml:"currency,omitempty" json:"currency,omitempty"`
	Why      string       `yaml:"why" json:"why"`
	Center   *CenterWish  `yaml:"spendingBudget,omitempty" json:"spendingBudget,omitempty"`
	Azure    []*AzureWish `yaml:"azure,omitempty" json:"azure,omitempty"`
}

// CenterWish is Partner Center's spending budget as it shall be.
type CenterWish struct {
	Amount  float64 `yaml:"amount" json:"amount"`
	Was     Was     `yaml:"was" json:"was"`
	Replace bool    `yaml:"replace,omitempty" json:"replace,omitempty"` // also where another is there
}

// AzureWish is a budget of Azure's as it shall be.
type AzureWish struct {
	Subscription string   `yaml:"subscription" json:"subscriptionId"`
	Name         string   `yaml:"name,omitempty" json:"name,omitempty"`
	Amount       float64  `yaml:"amount" json:"amount"`
	Emails       []string `yaml:"contactEmails,omitempty" json:"contactEmails,omitempty"`
	Roles        []string `yaml:"contactRoles,omitempty" json:"contactRoles,omitempty"` // Owner, Contributor, Reader
	Was          Was      `yaml:"was" json:"was"`
	Replace      bool     `yaml:"replace,omitempty" json:"replace,omitempty"`
}

// Was is what the plan found: "none", "not read", or an amount.
type Was string

// What was found that is no amount.
const (
	WasNone    Was = "none"
	WasNotRead Was = "not read"
)

// WasAmount is an amount that was found.
func WasAmount(v float64) Was { return Was(strconv.FormatFloat(v, 'f', -1, 64)) }

// amount gives what was found; ok is false where it is no amount.
func (w Was) amount() (v float64, ok bool) {
	v, err := strconv.ParseFloat(string(w), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Unchanged is a customer where nothing is done.
type Unchanged struct {
	Tenant string `yaml:"tenant" json:"customerTenantId"`
	Name   string `yaml:"name" json:"name"`
	Why    string `yaml:"why" json:"why"`
}

// AzureName is the name of the budgets that this program sets.
const AzureName = "partnerguard"

// ID names a plan by all that it says.
func (p *Plan) ID() string {
	b, _ := json.Marshal(p) // texts, numbers and times alone
	sum := sha256.Sum256(b)
	return "bp-" + hex.EncodeToString(sum[:8])
}

// same reports that two amounts are one, to the cent.
func same(a, b float64) bool { return math.Abs(a-b) < 0.005 }

// cents rounds to the cent.
func cents(v float64) float64 { return math.Round(v*100) / 100 }
