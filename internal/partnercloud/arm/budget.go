package arm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

type budget struct {
	named
	ETag       string           `json:"eTag,omitempty"`
	Properties budgetProperties `json:"properties"`
}

type budgetProperties struct {
	Category  string   `json:"category"`
	Amount    *float64 `json:"amount"`
	TimeGrain string   `json:"timeGrain"`
	Period    struct {
		Start *time.Time `json:"startDate"`
		End   *time.Time `json:"endDate,omitempty"`
	} `json:"timePeriod"`
	Filter        json.RawMessage         `json:"filter,omitempty"`
	Notifications map[string]notification `json:"notifications,omitempty"`
	CurrentSpend  any                     `json:"currentSpend,omitempty"` // read-only
}

type notification struct {
	Enabled   bool     `json:"enabled"`
	Operator  string   `json:"operator"`
	Threshold *float64 `json:"threshold"`
	Type      string   `json:"thresholdType,omitempty"`
	Emails    []string `json:"contactEmails"`
	Roles     []string `json:"contactRoles"`
	Groups    []string `json:"contactGroups"`
	Locale    string   `json:"locale,omitempty"`
}

var (
	budgetName = pattern.Later(`^[A-Za-z0-9_-]{1,63}$`)
	timeGrains = []string{"Monthly", "Quarterly", "Annually", "BillingMonth", "BillingQuarter", "BillingAnnual"}
	operators  = []string{"GreaterThan", "GreaterThanOrEqualTo", "EqualTo"}
)

// maxEach is how many notifications of each kind a budget may have.
const maxEach = 5

// check validates a budget (contracts.md section 7.3).
func (b *budget) check() string {
	p := &b.Properties
	switch {
	case p.Category != "Cost":
		return "category must be Cost"
	case p.Amount == nil || *p.Amount <= 0:
		return "amount must be greater than 0"
	case !slices.Contains(timeGrains, p.TimeGrain):
		return "timeGrain must be one of " + strings.Join(timeGrains, ", ")
	case p.Period.Start == nil:
		return "timePeriod.startDate is required"
	case p.Period.Start.UTC().Day() != 1:
		return "timePeriod.startDate must be the first day of a month"
	case p.Period.End != nil && !p.Period.End.After(*p.Period.Start):
		return "timePeriod.endDate must be after startDate"
	}
	count := map[string]int{}
	for name, n := range p.Notifications {
		if n.Type == "" {
			n.Type = "Actual"
			p.Notifications[name] = n
		}
		count[n.Type]++
		switch {
		case n.Type != "Actual" && n.Type != "Forecasted":
			return "thresholdType must be Actual or Forecasted"
		case count[n.Type] > maxEach:
			return fmt.Sprintf("a budget can have %d notifications of each threshold type", maxEach)
		case !slices.Contains(operators, n.Operator):
			return "operator must be one of " + strings.Join(operators, ", ")
		case n.Threshold == nil || *n.Threshold < 0 || *n.Threshold > 1000:
			return "threshold must lie between 0 and 1000"
		case len(n.Emails)+len(n.Roles)+len(n.Groups) == 0:
			return "a notification needs contactEmails, contactRoles or contactGroups"
		case len(n.Emails) > 50:
			return "a notification can have 50 contactEmails"
		case slices.ContainsFunc(n.Emails, func(v string) bool { return len(v) > 320 || strings.Count(v, "@") != 1 }):
			return "a contact e-mail is not valid"
		}
	}
	return ""
}

func (k *call) documentID(kind string) string {
	return k.at.scope + "/providers/" + kind + "/" + k.params["name"]
}

func (k *call) document(id string) int {
	return slices.IndexFunc(k.sub.Budgets, func(d world.Document) bool { return strings.EqualFold(d.ID, id) })
}

const (
	budgetKind    = "Microsoft.Consumption/budgets"
	scheduledKind = "Microsoft.CostManagement/scheduledActions"
	// maxDocuments bounds budgets and rules of one subscription.
	maxDocuments = 500
)

func (k *call) budgetView(d *world.Document) object {
	var b budget
	if json.Unmarshal(d.Raw, &b) != nil {
		b.Properties.Notifications = nil
	}
	raw, err := json.Marshal(b.Properties)
	props := object{}
	if err == nil {
		_ = json.Unmarshal(raw, &props)
	}
	spent := 0.0
	month := time.Date(k.now.Year(), k.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for _, u := range k.s.UsageOf(k.tenant.ID, k.sub.ID, month, k.now) {
		if !u.Day.Before(month) && !u.Day.After(k.now) {
			spent += u.Cost
		}
	}
	props["currentSpend"] = object{"amount": spent, "unit": k.currency()}
	return object{"id": d.ID, "name": d.ID[strings.LastIndexByte(d.ID, '/')+1:], "type": budgetKind, "eTag": `"` + strconv.FormatInt(d.ETag, 16) + `"`,
		"properties": props}
}

func (k *call) currency() string {
	if p := k.s.PartnerTenant(); p != nil {
		if c := p.Customers.Get(k.tenant.ID); c != nil && c.Currency != "" {
			return c.Currency
		}
	}
	return "USD"
}

func listBudgets(k *call) (reply, *fault) {
	rows := []object{}
	for i := range k.sub.Budgets {
		d := &k.sub.Budgets[i]
		if prefix := strings.ToLower(k.at.scope + "/providers/" + budgetKind + "/"); strings.HasPrefix(strings.ToLower(d.ID), prefix) {
			rows = append(rows, k.budgetView(d))
		}
	}
	return page(k, rows)
}

func getBudget(k *call) (reply, *fault) {
	i := k.document(k.documentID(budgetKind))
	if i < 0 {
		return reply{}, refuse(http.StatusNotFound, "404", "Budget '"+clip(k.params["name"])+"' was not found.")
	}
	return ok(k.budgetView(&k.sub.Budgets[i])), nil
}

func putBudget(k *call) (reply, *fault) {
	var b budget
	if f := k.decode(&b); f != nil {
		return reply{}, f
	}
	if !budgetName.MatchString(k.params["name"]) {
		return reply{}, bad("400", "The budget name must have 1 to 63 letters, digits, hyphens or underscores.")
	}
	if why := b.check(); why != "" {
		return reply{}, bad("400", "Invalid budget: "+why+".")
	}
	id := k.documentID(budgetKind)
	if f := b.judge(id, budgetKind); f != nil {
		return reply{}, f
	}
	var spend any
	if i := k.document(id); i >= 0 {
		spend = k.budgetView(&k.sub.Budgets[i])["properties"].(object)["currentSpend"]
	}
	if f := unchanged("currentSpend", b.Properties.CurrentSpend, spend); f != nil {
		return reply{}, f
	}
	d, fresh, f := k.keep(budgetKind, b, b.ETag)
	if f != nil {
		return reply{}, f
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return reply{status: status, body: k.budgetView(d)}, nil
}

// keep stores a document under the path's name. An eTag that is given must be
// the present one.
func (k *call) keep(kind string, v any, etag string) (d *world.Document, fresh bool, f *fault) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, false, bad("400", "The content cannot be kept.")
	}
	id := k.documentID(kind)
	i := k.document(id)
	next := world.Document{ID: id, Raw: raw, Created: k.now, Changed: k.now, ETag: 1}
	switch {
	case i >= 0:
		old := k.sub.Budgets[i]
		if etag != "" && strings.Trim(etag, `"`) != strconv.FormatInt(old.ETag, 16) {
			return nil, false, refuse(http.StatusPreconditionFailed, "412", "The eTag is not the present one.")
		}
		next.ID, next.Created, next.ETag = old.ID, old.Created, old.ETag+1
	case len(k.sub.Budgets) >= maxDocuments:
		return nil, false, bad("400", "There are too many budgets.")
	}
	k.change(k.route.action, id, "Succeeded", func(a *world.AzureSubscription) {
		a.Budgets = slices.Clone(a.Budgets)
		if i >= 0 {
			a.Budgets[i] = next
		} else {
			a.Budgets = append(a.Budgets, next)
		}
	})
	return &next, i < 0, nil
}

func deleteBudget(k *call) (reply, *fault) {
	i := k.document(k.documentID(budgetKind))
	if i < 0 {
		return reply{status: http.StatusNoContent}, nil
	}
	k.change(k.route.action, k.sub.Budgets[i].ID, "Succeeded", func(a *world.AzureSubscription) { a.Budgets = slices.Delete(slices.Clone(a.Budgets), i, i+1) })
	return reply{status: http.StatusOK}, nil
}

type scheduled struct {
	named
	ETag       string `json:"eTag,omitempty"`
	Kind       string `json:"kind"`
	Properties struct {
		Scope        string          `json:"scope,omitempty"`
		Email        string          `json:"notificationEmail,omitempty"`
		Files        json.RawMessage `json:"fileDestination,omitempty"`
		DisplayName  string          `json:"displayName"`
		Status       string          `json:"status"`
		ViewID       string          `json:"viewId"`
		Notification struct {
			To      []string `json:"to"`
			Subject string   `json:"subject"`
			Message string   `json:"message,omitempty"`
			Lang    string   `json:"language,omitempty"`
			Format  string   `json:"regionalFormat,omitempty"`
		} `json:"notification"`
		Schedule json.RawMessage `json:"schedule,omitempty"`
	} `json:"properties"`
}

func (k *call) scheduledView(d *world.Document) object {
	out := object{}
	_ = json.Unmarshal(d.Raw, &out)
	out["id"], out["name"], out["type"], out["eTag"] = d.ID, d.ID[strings.LastIndexByte(d.ID, '/')+1:], scheduledKind, `"`+strconv.FormatInt(d.ETag, 16)+`"`
	return out
}

func getScheduled(k *call) (reply, *fault) {
	i := k.document(k.documentID(scheduledKind))
	if i < 0 {
		return reply{}, refuse(http.StatusNotFound, "NotFound", "The scheduled action was not found.")
	}
	return ok(k.scheduledView(&k.sub.Budgets[i])), nil
}

// putScheduled keeps a rule that would send mail about cost anomalies. Nothing
// is ever sent.
func putScheduled(k *call) (reply, *fault) {
	var in scheduled
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	p := &in.Properties
	switch {
	case !budgetName.MatchString(k.params["name"]):
		return reply{}, bad("BadRequest", "The name must have 1 to 63 letters, digits, hyphens or underscores.")
	case in.Kind != "InsightAlert" && in.Kind != "Email":
		return reply{}, bad("BadRequest", "kind must be InsightAlert or Email.")
	case p.DisplayName == "" || p.Status != "Enabled" && p.Status != "Disabled":
		return reply{}, bad("BadRequest", "displayName and status (Enabled, Disabled) are needed.")
	case len(p.Notification.To) == 0 || len(p.Notification.To) > 20 || slices.ContainsFunc(p.Notification.To, func(v string) bool {
		return strings.Count(v, "@") != 1 || len(v) > 320
	}):
		return reply{}, bad("BadRequest", "notification.to must hold 1 to 20 e-mail addresses.")
	}
	if f := in.judge(k.documentID(scheduledKind), scheduledKind); f != nil {
		return reply{}, f
	}
	d, fresh, f := k.keep(scheduledKind, in, in.ETag)
	if f != nil {
		return reply{}, f
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return reply{status: status, body: k.scheduledView(d)}, nil
}

// costQuery is what is asked of the usage.
type costQuery struct {
	Type      string `json:"type"`
	Timeframe string `json:"timeframe"`
	Period    struct {
		From, To time.Time
	} `json:"timePeriod"`
	Dataset struct {
		Granularity string                                     `json:"granularity"`
		Aggregation map[string]struct{ Name, Function string } `json:"aggregation"`
		Grouping    []struct{ Type, Name string }              `json:"grouping"`
	} `json:"dataset"`
}

// span is the time that is asked for.
func (in *costQuery) span(now time.Time) (from, to time.Time, f *fault) {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	switch in.Timeframe {
	case "MonthToDate", "BillingMonthToDate":
		return month, now, nil
	case "TheLastMonth", "TheLastBillingMonth":
		return month.AddDate(0, -1, 0), month.Add(-time.Second), nil
	case "Custom":
		from, to = in.Period.From, in.Period.To
		if from.IsZero() || to.Before(from) || to.Sub(from) > 366*24*time.Hour {
			return from, to, bad("BadRequest", "timePeriod is not valid.")
		}
		return from, to, nil
	}
	return from, to, bad("BadRequest", "timeframe must be MonthToDate, TheLastMonth or Custom.")
}

// queryCosts sums the usage by day and service.
func queryCosts(k *call) (reply, *fault) {
	var in costQuery
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	from, to, f := in.span(k.now)
	if f != nil {
		return reply{}, f
	}
	daily, service := strings.EqualFold(in.Dataset.Granularity, "Daily"), false
	for _, g := range in.Dataset.Grouping {
		if !strings.EqualFold(g.Name, "ServiceName") && !strings.EqualFold(g.Name, "MeterCategory") {
			return reply{}, bad("BadRequest", "Costs can be grouped by ServiceName here.")
		}
		service = true
	}
	cost := "Cost"
	for _, a := range in.Dataset.Aggregation {
		if !strings.EqualFold(a.Function, "Sum") || len(in.Dataset.Aggregation) > 1 || a.Name != "Cost" && a.Name != "PreTaxCost" {
			return reply{}, bad("BadRequest", "The aggregation here is one Sum of Cost or PreTaxCost.")
		}
		cost = a.Name
	}
	type key struct {
		day     int
		service string
	}
	sums := map[key]float64{}
	for _, u := range k.s.UsageOf(k.tenant.ID, k.sub.ID, from, to.Add(time.Second)) {
		if u.Day.Before(from) || u.Day.After(to) {
			continue
		}
		var at key
		if daily {
			at.day = u.Day.UTC().Year()*10000 + int(u.Day.UTC().Month())*100 + u.Day.UTC().Day()
		}
		if service {
			at.service = u.Category
		}
		sums[at] += u.Cost
	}
	columns := []object{{"name": cost, "type": "Number"}}
	if daily {
		columns = append(columns, object{"name": "UsageDate", "type": "Number"})
	}
	if service {
		columns = append(columns, object{"name": "ServiceName", "type": "String"})
	}
	columns = append(columns, object{"name": "Currency", "type": "String"})
	order := make([]key, 0, len(sums))
	for at := range sums {
		order = append(order, at)
	}
	sort.Slice(order, func(i, j int) bool {
		return order[i].day < order[j].day || order[i].day == order[j].day && order[i].service < order[j].service
	})
	rows := [][]any{}
	for _, at := range order {
		r := []any{sums[at]}
		if daily {
			r = append(r, at.day)
		}
		if service {
			r = append(r, at.service)
		}
		rows = append(rows, append(r, k.currency()))
	}
	id := world.NewGUID()
	return ok(object{"id": k.at.scope + "/providers/Microsoft.CostManagement/query/" + id, "name": id, "type": "Microsoft.CostManagement/query",
		"properties": object{"nextLink": nil, "columns": columns, "rows": rows}}), nil
}
