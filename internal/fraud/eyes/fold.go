//go:build !judge

package eyes

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud/detect"
	"partnerguard/internal/problem"
)

// Names of what is kept of a customer.
const (
	StateName = "fraudEyesState" // a [State]
	PartName  = "fraudEyes"      // a [Seen]
)

// State is what was folded of a customer, to be continued.
type State struct {
	Fold []byte            `json:"fold"` // a detect.Part
	Fed  map[string]string `json:"fed"`  // the last day whose use was folded, by subscription
}

// Limits and times of folding.
const (
	maxState = 32 << 20       // of what was folded: beyond it, it begins anew with what is collected
	maxUse   = 1_000_000      // lines of use that wait for their day to be over, of one customer
	settled  = 36 * time.Hour // after a day began its use is all there: it is rated within half a day
)

// Fold folds the rows of one customer. It serves one goroutine.
type Fold struct {
	tenant string
	part   *detect.Part
	fed    map[string]string
	use    map[string]detect.Usage // by the row's id: a later reading replaces an earlier one
	unread int64                   // rows that could not be read
}

// New continues what was folded of a customer; nil, or what cannot be read, begins anew.
func New(tenant string, old *State) *Fold {
	tenant = strings.ToLower(tenant)
	f := &Fold{tenant: tenant, part: detect.NewPart(tenant), fed: map[string]string{}, use: map[string]detect.Usage{}}
	if old == nil || len(old.Fold) == 0 || len(old.Fold) > maxState {
		return f
	}
	part := detect.NewPart(tenant)
	if err := part.UnmarshalBinary(old.Fold); err != nil || part.Tenant != tenant {
		return f
	}
	f.part = part
	maps.Copy(f.fed, old.Fed)
	return f
}

// Take folds a row of the archive; kinds that say nothing are ignored. raw is not retained. The
// error says what of a row could not be read, of kind problem.BadInput; the row is counted.
func (f *Fold) Take(kind evidence.Kind, raw []byte) (err error) {
	switch kind {
	case evidence.AzureActivity, evidence.DirectoryAudit:
		err = f.event(raw)
	case evidence.SignIn:
		if toAzure(raw) {
			err = f.event(raw)
		}
	case evidence.AzureUsage:
		err = f.usage(raw)
	}
	if err != nil {
		f.unread++
	}
	return err
}

func (f *Fold) event(raw []byte) error {
	e, err := detect.ParseEvent(raw)
	if err != nil {
		return err
	}
	e.Customer = f.tenant // whose archive it is, whatever the row says
	f.part.Activity(&e)
	return nil
}

// azure are the ids that a sign-in to Azure's management has in it.
var azure = [][]byte{[]byte(entra.AppAzurePortal), []byte(entra.AppAzureCLI), []byte(entra.AppAzurePowerShell), []byte(entra.AppARM)}

// toAzure reports a sign-in that matters here: one to Azure, or one with a risk. Of the others
// there are too many, and they say nothing of who acts in Azure.
func toAzure(raw []byte) bool {
	for _, id := range azure {
		if bytes.Contains(raw, id) {
			return true
		}
	}
	return bytes.Contains(raw, []byte(`"high"`)) || bytes.Contains(raw, []byte(`"medium"`))
}

// usage takes a row of Azure's usage details, of a Microsoft Partner Agreement.
func (f *Fold) usage(raw []byte) error {
	var row struct {
		ID         string          `json:"id"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(raw, &row); err != nil || len(row.Properties) == 0 {
		return problem.New(problem.BadInput, "a row of use has no properties")
	}
	u, err := detect.ParseUsage(row.Properties)
	if err != nil {
		return err
	}
	var money struct {
		Billing string `json:"billingCurrencyCode"`
		Pricing string `json:"pricingCurrencyCode"`
	}
	if json.Unmarshal(row.Properties, &money) == nil && u.Currency == "" {
		u.Currency = strings.ToUpper(money.Billing)
	}
	u.Customer = f.tenant
	if len(f.use) >= maxUse {
		return problem.New(problem.Limit, "more than %d rows of use of one customer: the rest is not looked at", maxUse)
	}
	f.use[strings.ToLower(row.ID)] = u
	return nil
}

// feed folds the use of the days that are over, and were not folded before.
func (f *Fold) feed(asOf time.Time) {
	newest := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(f.use)) {
		u := f.use[id]
		day := u.From.UTC().Format(time.DateOnly)
		if u.From.UTC().Truncate(24*time.Hour).Add(settled).After(asOf) || day <= f.fed[u.Subscription] {
			continue
		}
		f.part.Usage(&u)
		newest[u.Subscription] = max(newest[u.Subscription], day)
	}
	for s, day := range newest {
		f.fed[s] = day
	}
	clear(f.use)
}

// State is what was folded, to be kept.
func (f *Fold) State() (*State, error) {
	body, err := f.part.MarshalBinary()
	if err != nil {
		return nil, err
	}
	if len(body) > maxState { // too much of the past: the next round begins with what is collected
		return &State{}, nil
	}
	return &State{Fold: body, Fed: f.fed}, nil
}
