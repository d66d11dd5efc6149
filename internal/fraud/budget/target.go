//go:build !judge

package budget

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partner"
)

// target is one budget at Microsoft.
type target interface {
	// look gives what is there now; etag is what it is changed by.
	look(ctx context.Context) (now image, etag string, err error)
	want(now image) image // what is written over what is there
	fits(now image) bool  // it is as it shall be
	write(ctx context.Context, to image, etag string) error
	was() (w Was, replace bool)
	right() string // what is missing when Microsoft refuses
}

// targetOf is the budget that an item is about.
func targetOf(c Cloud, x *Item) target {
	if x.wish.Azure != nil {
		return &azureTarget{c, x.Customer, x.wish.Azure, x.Since}
	}
	return &centerTarget{c, x.Customer, x.wish.Center}
}

type centerTarget struct {
	c        Cloud
	customer string
	w        *CenterWish
}

func (t *centerTarget) look(ctx context.Context) (image, string, error) {
	v, err := t.c.SpendingBudget(ctx, t.customer)
	if err != nil || v == nil {
		return image{None: true}, "", err
	}
	return image{Amount: *v}, "", nil
}

func (t *centerTarget) want(image) image    { return image{Amount: t.w.Amount} }
func (t *centerTarget) fits(now image) bool { return !now.None && same(now.Amount, t.w.Amount) }
func (t *centerTarget) was() (Was, bool)    { return t.w.Was, t.w.Replace }
func (t *centerTarget) right() string {
	return "Partner Center lets only an account in AdminAgents set a customer's budget, and no app alone"
}

func (t *centerTarget) write(ctx context.Context, to image, _ string) error {
	if to.None {
		return t.c.SetSpendingBudget(ctx, t.customer, nil)
	}
	return t.c.SetSpendingBudget(ctx, t.customer, &to.Amount)
}

type azureTarget struct {
	c        Cloud
	customer string
	w        *AzureWish
	since    time.Time
}

func (t *azureTarget) look(ctx context.Context) (image, string, error) {
	k, found, err := t.c.AzureBudget(ctx, t.customer, t.w.Subscription, AzureName)
	if err != nil || !found {
		return image{None: true}, "", err
	}
	written, err := writable(k.Properties)
	return image{Amount: amountIn(written), Properties: written}, k.ETag, err
}

func (t *azureTarget) was() (Was, bool) { return t.w.Was, t.w.Replace }
func (t *azureTarget) right() string {
	return "Azure does not let this account set budgets there: it needs Cost Management Contributor, Contributor or Owner on the subscription, which the " +
		"partner has through the foreign principal AdminAgents and any GDAP role at the customer. Partner Center's spending budget needs none of it"
}

func (t *azureTarget) write(ctx context.Context, to image, etag string) error {
	if to.None {
		return t.c.DeleteAzureBudget(ctx, t.customer, t.w.Subscription, AzureName)
	}
	return t.c.PutAzureBudget(ctx, t.customer, t.w.Subscription, AzureName, Kept{ETag: etag, Properties: to.Properties})
}

// The notifications of a budget that this program sets; Azure takes five of each kind.
var thresholds = map[string]struct {
	of   string
	kind string
}{
	"actual50": {"50", "Actual"}, "actual80": {"80", "Actual"}, "actual100": {"100", "Actual"}, "forecast100": {"100", "Forecasted"},
}

// notification is whom a budget tells, and when (REST API reference, Budgets - Create Or Update).
type notification struct {
	Enabled   bool        `json:"enabled"`
	Operator  string      `json:"operator"`
	Threshold json.Number `json:"threshold"`
	Type      string      `json:"thresholdType"`
	Emails    []string    `json:"contactEmails"`
	Roles     []string    `json:"contactRoles,omitempty"`
	Locale    string      `json:"locale,omitempty"`
}

// properties of a budget as it is written.
type properties struct {
	Category string      `json:"category"`
	Amount   json.Number `json:"amount"`
	Grain    string      `json:"timeGrain"`
	Period   struct {
		Start string `json:"startDate"`
	} `json:"timePeriod"`
	Notifications map[string]notification `json:"notifications"`
}

func (t *azureTarget) want(now image) image {
	p := properties{Category: "Cost", Amount: json.Number(string(WasAmount(t.w.Amount))), Grain: "Monthly", Notifications: map[string]notification{}}
	p.Period.Start = time.Date(t.since.Year(), t.since.Month(), 1, 0, 0, 0, 0, time.UTC).Format("2006-01-02T15:04:05Z")
	for name, x := range thresholds {
		p.Notifications[name] = notification{Enabled: true, Operator: "GreaterThanOrEqualTo", Threshold: json.Number(x.of), Type: x.kind,
			Emails: append([]string{}, t.w.Emails...), Roles: t.w.Roles, Locale: "en-us"}
	}
	raw, _ := json.Marshal(p) // texts and numbers alone
	var was struct {
		Period json.RawMessage `json:"timePeriod"`
	}
	if !now.None && json.Unmarshal(now.Properties, &was) == nil && was.Period != nil { // Azure lets no budget begin anew
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) == nil {
			m["timePeriod"] = was.Period
			raw, _ = json.Marshal(m)
		}
	}
	return image{Amount: t.w.Amount, Properties: raw}
}

// fits holds what is there to what shall be: the amount, by the month, and somebody told at
// each of the shares.
func (t *azureTarget) fits(now image) bool {
	if now.None || !same(now.Amount, t.w.Amount) {
		return false
	}
	var p properties
	if json.Unmarshal(now.Properties, &p) != nil || !strings.EqualFold(p.Category, "Cost") || !strings.EqualFold(p.Grain, "Monthly") {
		return false
	}
	for _, x := range thresholds {
		told := slices.ContainsFunc(slices.Collect(maps.Values(p.Notifications)), func(n notification) bool {
			v, err := n.Threshold.Float64()
			return err == nil && n.Enabled && strings.EqualFold(n.Type, x.kind) && fmt.Sprint(v) == x.of && holds(n.Emails, t.w.Emails) && holds(n.Roles, t.w.Roles)
		})
		if !told {
			return false
		}
	}
	return true
}

// holds reports that a list has all of another, in any case.
func holds(has, all []string) bool {
	for _, x := range all {
		if !slices.ContainsFunc(has, func(y string) bool { return strings.EqualFold(x, y) }) {
			return false
		}
	}
	return true
}

// maxProperties bounds a budget that is kept to be put back.
const maxProperties = 64 << 10

// writable is what of a budget can be written: Azure says beside it what was spent.
func writable(raw json.RawMessage) (json.RawMessage, error) {
	var m map[string]json.RawMessage
	if len(raw) > maxProperties || json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, unreadable()
	}
	delete(m, "currentSpend")
	delete(m, "forecastSpend")
	return json.Marshal(m) // sorted by name, so that two of the same are the same bytes
}

func amountIn(raw json.RawMessage) float64 {
	var p struct {
		Amount partner.Amount `json:"amount"`
	}
	_ = json.Unmarshal(raw, &p)
	return p.Amount.Value
}

// alike reports that two images are of the same budget as it was written.
func alike(a, b image) bool {
	if a.None || b.None {
		return a.None == b.None
	}
	return same(a.Amount, b.Amount) && bytes.Equal(plain(a.Properties), plain(b.Properties))
}

// plain is JSON with its members sorted and without those that Azure fills in by itself.
func plain(raw json.RawMessage) []byte {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return raw
	}
	out, err := json.Marshal(bare(v))
	if err != nil {
		return raw
	}
	return out
}

// bare leaves out what is empty: Azure gives an empty list where none was sent.
func bare(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if e = bare(e); e == nil {
				delete(x, k)
			} else {
				x[k] = e
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		if len(x) == 0 {
			return nil
		}
	case string:
		if at, err := time.Parse(time.RFC3339, x); err == nil {
			return at.UTC().Format(time.RFC3339)
		}
	}
	return v
}

// said names an image for people.
func (i image) said(currency string) string {
	if i.None {
		return "none"
	}
	return strings.TrimSpace(string(WasAmount(i.Amount)) + " " + currency)
}
