package center

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// fraudEvent is the old model; the new one adds to it (contracts.md section
// 2.9). Counts and flags are texts, times have no zone, activityLogs is a JSON
// array inside a text (trap 11).
type fraudEvent struct {
	EventTime    string `json:"eventTime"`
	EventID      string `json:"eventId"`
	Partner      string `json:"partnerTenantId"`
	PartnerName  string `json:"partnerFriendlyName"`
	Customer     string `json:"customerTenantId"`
	CustomerName string `json:"customerFriendlyName"`
	Subscription string `json:"subscriptionId"`
	Kind         string `json:"subscriptionType"`
	EntityID     string `json:"entityId"`
	EntityName   string `json:"entityName"`
	EntityURL    string `json:"entityUrl"`
	Hits         string `json:"hitCount"`
	Offer        string `json:"catalogOfferId"`
	Status       string `json:"eventStatus"`
	Service      string `json:"serviceName"`
	Resource     string `json:"resourceName"`
	Group        string `json:"resourceGroupName"`
	FirstSeen    string `json:"firstOccurrence"`
	LastSeen     string `json:"lastOccurrence"`
	Reason       string `json:"resolvedReason"`
	ResolvedOn   string `json:"resolvedOn"`
	ResolvedBy   string `json:"resolvedBy"`
	First        string `json:"firstObserved"`
	Last         string `json:"lastObserved"`
}

type wideEvent struct {
	fraudEvent
	Type             string             `json:"eventType"`
	Severity         string             `json:"severity"`
	Confidence       string             `json:"confidenceLevel"`
	Name             string             `json:"displayName"`
	Description      string             `json:"description"`
	Country          string             `json:"country"`
	Reseller         string             `json:"valueAddedResellerTenantId"`
	ResellerName     string             `json:"valueAddedResellerFriendlyName"`
	SubscriptionName string             `json:"subscriptionName"`
	Affected         []affectedResource `json:"affectedResources"`
	Details          map[string]string  `json:"additionalDetails"`
	Test             string             `json:"IsTest"`
	Activity         string             `json:"activityLogs"`
}

type affectedResource struct {
	ID   string `json:"azureResourceId"`
	Type string `json:"type"`
}

type activity struct {
	From string `json:"statusFrom"`
	To   string `json:"statusTo"`
	By   string `json:"updatedBy"`
	At   string `json:"dateTime"`
}

// never is how the service writes "not yet".
const never = "9999-12-31T23:59:59.9970000"

const fraudTime = "2006-01-02T15:04:05.9999999"

func fraudMoment(t time.Time) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format(fraudTime)
}

func title(v string) string {
	if v == "" {
		return ""
	}
	return strings.ToUpper(v[:1]) + v[1:]
}

func (k *call) fraudView(a *world.Alert) any {
	_, entity, _ := strings.Cut(a.EventID, "_")
	v := fraudEvent{
		EventTime: fraudMoment(a.Detected), EventID: a.EventID, Partner: k.partner.ID, PartnerName: k.partner.Name, Customer: a.Customer,
		Subscription: a.Subscription, Kind: "modern",
		EntityID: entity, Hits: strconv.Itoa(a.Hits), Offer: a.Offer, Status: title(a.Status), Service: "Azure", FirstSeen: fraudMoment(a.First),
		LastSeen: fraudMoment(a.Last),
		Reason:   title(a.Reason), ResolvedOn: fraudMoment(a.ResolvedOn), ResolvedBy: a.ResolvedBy, First: fraudMoment(a.First), Last: fraudMoment(a.Last),
	}
	if v.Reason == "" {
		v.Reason = "None"
	}
	w := wideEvent{
		Type: a.LegacyType, Severity: title(a.Severity), Confidence: a.Confidence, Name: a.Name, Description: a.Description, Reseller: a.Reseller,
		Affected: []affectedResource{}, Details: a.Details, Test: strconv.FormatBool(a.Test),
	}
	if c := k.partner.Customers.Get(a.Customer); c != nil {
		v.CustomerName, w.Country = c.Name, c.Country
		for i := range c.Subscriptions {
			for _, e := range c.Subscriptions[i].Entitlements {
				if strings.EqualFold(e.SubscriptionID, a.Subscription) {
					w.SubscriptionName = e.Name
				}
			}
		}
	}
	for _, r := range k.partner.Resellers {
		if strings.EqualFold(r.TenantID, a.Reseller) {
			w.ResellerName = r.Name
		}
	}
	for i, r := range a.Resources {
		if i == 0 {
			v.EntityURL = r.ID
			v.Resource = r.ID[strings.LastIndexByte(r.ID, '/')+1:]
			v.EntityName = v.Resource
			if parts := strings.Split(r.ID, "/"); len(parts) > 4 && strings.EqualFold(parts[3], "resourceGroups") {
				v.Group = parts[4]
			}
		}
		w.Affected = append(w.Affected, affectedResource(r))
	}
	if !strings.EqualFold(k.Header.Get("X-NewEventsModel"), "true") {
		return v
	}
	log := []activity{}
	for _, l := range a.Activity {
		log = append(log, activity{title(l.From), title(l.To), l.By, l.At.UTC().Format(time.RFC3339Nano)})
	}
	w.Activity = text(log)
	if w.Details == nil {
		w.Details = map[string]string{}
	}
	w.fraudEvent = v
	return w
}

var eventStatuses = []string{"active", "investigating", "resolved"}

// fraudEvents is a bare array, newest first.
func fraudEvents(k *call) (reply, *fault) {
	status := strings.ToLower(k.query("EventStatus"))
	if status != "" && !slices.Contains(eventStatuses, status) {
		return reply{}, refuse(http.StatusBadRequest, 400, "EventStatus must be Active, Investigating or Resolved.")
	}
	if v := k.query("SubscriptionId"); v != "" && !world.IsGUID(v) {
		return reply{}, notGUID("SubscriptionId")
	}
	size, number := maxSize, 1
	for name, to := range map[string]*int{"PageSize": &size, "PageNumber": &number} {
		if v := k.query(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 || n > 1_000_000 {
				return reply{}, refuse(http.StatusBadRequest, 400, "%s must be a positive number.", name)
			}
			*to = n
		}
	}
	size = min(size, maxSize)
	var rows []*world.Alert
	for a := range k.partner.Alerts.All() {
		if (status == "" || a.Status == status) && (k.query("SubscriptionId") == "" || strings.EqualFold(a.Subscription, k.query("SubscriptionId"))) &&
			(k.query("EventType") == "" || strings.EqualFold(a.LegacyType, k.query("EventType"))) {
			rows = append(rows, a)
		}
	}
	slices.SortStableFunc(rows, func(a, b *world.Alert) int { return b.Detected.Compare(a.Detected) })
	first := min((number-1)*size, len(rows))
	out := []any{}
	for _, a := range rows[first:min(first+size, len(rows))] {
		out = append(out, k.fraudView(a))
	}
	return ok(out), nil
}

// answerFraud records an answer to events of a subscription; it stops nothing.
// No ids mean every event of the subscription (trap 10).
func answerFraud(k *call) (reply, *fault) {
	var in struct {
		sent
		EventIDs []string `json:"eventIds"`
		Status   string   `json:"eventStatus"`
		Reason   string   `json:"resolvedReason"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	status, reason := strings.ToLower(in.Status), strings.ToLower(in.Reason)
	switch {
	case status != "resolved" && status != "investigating":
		return reply{}, refuse(http.StatusBadRequest, 400, "EventStatus must be Resolved or Investigating.")
	case status == "resolved" && !slices.Contains([]string{"fraud", "legitimate", "ignore"}, reason):
		return reply{}, refuse(http.StatusBadRequest, 400, "ResolvedReason must be Fraud, Legitimate or Ignore.")
	}
	if status != "resolved" {
		reason = ""
	}
	var ids []string
	known := map[string]bool{}
	for a := range k.partner.Alerts.All() {
		if strings.EqualFold(a.Subscription, k.params["subscription"]) {
			known[strings.ToLower(a.EventID)] = true
			if len(in.EventIDs) == 0 || contains(in.EventIDs, a.EventID) {
				ids = append(ids, a.ID)
			}
		}
	}
	if len(known) == 0 {
		return reply{}, refuse(http.StatusNotFound, 404, "There are no events of the subscription.")
	}
	for _, id := range in.EventIDs {
		if !known[strings.ToLower(id)] {
			return reply{}, refuse(http.StatusBadRequest, 400, "An event id is not one of the subscription's.")
		}
	}
	out := []any{}
	for _, id := range ids {
		k.partner.Alerts.Change(id, func(a *world.Alert) {
			if a.Status == status && a.Reason == reason {
				return
			}
			a.Activity = append(slices.Clone(a.Activity), world.AlertActivity{From: a.Status, To: status, By: k.who.UPN, At: k.now})
			a.Status, a.Reason = status, reason
			a.ResolvedBy, a.ResolvedOn = "", time.Time{}
			if status == "resolved" {
				a.ResolvedBy, a.ResolvedOn = k.who.UPN, k.now
			}
		})
		out = append(out, k.fraudView(k.partner.Alerts.Get(id)))
	}
	k.s.Dirty()
	return ok(out), nil
}
