package center

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// events are what a webhook may be registered for (contracts.md section 2.7).
func events() []string {
	return []string{
		"azure-fraud-event-detected", "dap-admin-relationship-approved", "dap-admin-relationship-terminated", "dap-admin-relationship-terminated-by-microsoft",
		"granular-admin-relationship-approved", "granular-admin-relationship-activated", "granular-admin-relationship-terminated",
		"granular-admin-relationship-expired",
		"granular-admin-access-assignment-created", "granular-admin-access-assignment-activated", "granular-admin-access-assignment-updated",
		"granular-admin-access-assignment-deleted",
		"reseller-relationship-accepted-by-customer", "usagerecords-thresholdExceeded", "subscription-updated", "test-created",
	}
}

func webhookEvents(*call) (reply, *fault) { return ok(events()), nil }

type registration struct {
	Subscriber string   `json:"SubscriberId"`
	URL        string   `json:"WebhookUrl"`
	Events     []string `json:"WebhookEvents"`
	MSHeader   bool     `json:"SignatureTokenToMsSignatureHeader,omitempty"`
}

func registrationOf(w *world.Webhook) registration {
	return registration{w.Subscriber, w.URL, w.Events, w.MSHeader}
}

func getWebhook(k *call) (reply, *fault) {
	if k.partner.Webhook == nil {
		return reply{}, refuse(http.StatusNotFound, 404, "No webhook is registered.")
	}
	return ok(registrationOf(k.partner.Webhook)), nil
}

// maxURL bounds a webhook's address.
const maxURL = 2 << 10

// parseRegistration reads a registration. Any http or https URL may be
// registered, as in production; only loopback ones are ever called.
func (k *call) parseRegistration() (*world.Webhook, *fault) {
	var in registration
	if f := k.decode(&in); f != nil {
		return nil, f
	}
	u, err := url.Parse(in.URL)
	if len(in.URL) > maxURL || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, refuse(http.StatusBadRequest, 400, "WebhookUrl must be an absolute http or https URL without user or fragment.")
	}
	if len(in.Events) == 0 || len(in.Events) > len(events()) {
		return nil, refuse(http.StatusBadRequest, 400, "WebhookEvents must name at least one event, each once.")
	}
	w := &world.Webhook{URL: in.URL, MSHeader: in.MSHeader}
	for _, e := range in.Events {
		i := slices.IndexFunc(events(), func(n string) bool { return strings.EqualFold(n, e) })
		if i < 0 {
			return nil, refuse(http.StatusBadRequest, 400, "WebhookEvents names an event that does not exist.")
		}
		if !slices.Contains(w.Events, events()[i]) {
			w.Events = append(w.Events, events()[i])
		}
	}
	return w, nil
}

// putWebhook makes (POST) or replaces (PUT) the one registration.
func putWebhook(k *call) (reply, *fault) {
	w, f := k.parseRegistration()
	if f != nil {
		return reply{}, f
	}
	old := k.partner.Webhook
	switch {
	case k.Method == http.MethodPost && old != nil:
		return reply{}, refuse(http.StatusConflict, 409, "A webhook is registered already: change it with PUT.")
	case k.Method == http.MethodPut && old == nil:
		return reply{}, refuse(http.StatusNotFound, 404, "No webhook is registered: make one with POST.")
	}
	w.Subscriber = world.NewGUID()
	if old != nil {
		w.Subscriber = old.Subscriber
	}
	k.partner.Webhook = w
	k.s.Dirty()
	k.c.post.base.Store(k.base)
	return ok(registrationOf(w)), nil
}

// tests are the validation events of the last while, with their limit of two a
// minute.
type tests struct {
	mu    sync.Mutex // guards both
	times []time.Time
	runs  map[string]*Delivery
	order []string
}

// Limits of validation events.
const (
	testsPerMinute = 2
	maxTests       = 100
)

func testWebhook(k *call) (reply, *fault) {
	w := k.partner.Webhook
	if w == nil || !slices.Contains(w.Events, "test-created") {
		return reply{}, refuse(http.StatusBadRequest, 400, "Register a webhook for test-created first.")
	}
	t := &k.c.tests
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times = slices.DeleteFunc(t.times, func(at time.Time) bool { return k.now.Sub(at) >= time.Minute })
	if len(t.times) >= testsPerMinute {
		return reply{}, tooMany(time.Minute-k.now.Sub(t.times[0]), true)
	}
	t.times = append(t.times, k.now)
	id := world.NewGUID()
	if t.runs == nil {
		t.runs = map[string]*Delivery{}
	}
	uri := k.base + "/webhooks/v1/registration/validationEvents/" + id
	t.runs[id] = k.c.post.send(w, Message{Event: "test-created", ResourceURI: uri, ResourceName: "test", At: k.now.UTC().Format(time.RFC3339Nano)})
	t.order = append(t.order, id)
	if len(t.order) > maxTests {
		delete(t.runs, t.order[0])
		t.order = t.order[1:]
	}
	return ok(map[string]string{"correlationId": id}), nil
}

func testedWebhook(k *call) (reply, *fault) {
	t := &k.c.tests
	t.mu.Lock()
	d := t.runs[k.params["correlation"]]
	t.mu.Unlock()
	if d == nil {
		return reply{}, refuse(http.StatusNotFound, 404, "There is no such validation event.")
	}
	v := k.c.post.view(d)
	type result struct {
		Code    string `json:"responseCode"`
		Message string `json:"responseMessage"`
		Error   bool   `json:"systemError"`
		At      string `json:"dateTimeUtc"`
	}
	rows := []result{}
	for _, a := range v.Attempts {
		rows = append(rows, result{a.Code, a.Text, a.Error, a.At.UTC().Format(time.RFC3339Nano)})
	}
	return ok(map[string]any{"correlationId": k.params["correlation"], "partnerId": k.partner.ID, "status": v.Status, "callbackUrl": v.URL, "results": rows}),
		nil
}

// Pump looks at the audit records that came since the last time and sends the
// webhooks that follow from them, whichever room wrote them. It is cheap when
// nothing happened; call it after changes of the world. What it reads may itself
// come to a change, so a call within a call only says that there is more.
func (c *Center) Pump() {
	c.more.Store(true)
	for c.more.Load() && c.trigger.TryLock() {
		c.more.Store(false)
		c.pump()
		c.trigger.Unlock()
	}
}

func (c *Center) pump() {
	var hook *world.Webhook
	var fresh []*world.AuditRecord
	var base string
	c.world.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if p == nil {
			return
		}
		if c.seen > len(p.Records) || c.seen > 0 && p.Records[c.seen-1] != c.last {
			c.seen = 0
			if i := slices.Index(p.Records, c.last); i >= 0 { // older ones were let go
				c.seen = i + 1
			}
		}
		fresh = slices.Clone(p.Records[c.seen:])
		c.seen = len(p.Records)
		if c.seen > 0 {
			c.last = p.Records[c.seen-1]
		}
		hook = p.Webhook
	})
	if hook == nil || len(fresh) == 0 {
		return
	}
	base, _ = c.base.Load().(string)
	for _, r := range fresh {
		m, found := messageOf(r, base)
		if found && slices.Contains(hook.Events, m.Event) {
			c.post.send(hook, m)
		}
	}
}

// messageOf is the webhook that follows from an audit record.
func messageOf(r *world.AuditRecord, base string) (Message, bool) {
	if r.Status != "succeeded" {
		return Message{}, false
	}
	audit := base + "/v1/auditrecords?startDate=" + r.At.UTC().Format(time.DateOnly)
	m := Message{Event: strings.ReplaceAll(r.Operation, "_", "-"), AuditURI: &audit, At: r.At.UTC().Format(time.RFC3339Nano), ResourceName: r.ResourceType}
	data := func(name string) string {
		for _, d := range r.Data {
			if strings.EqualFold(d.Key, name) {
				return d.Value
			}
		}
		return ""
	}
	m.ResourceURI = base + "/v1/customers/" + r.Customer
	switch r.Operation {
	case "azure_fraud_event_detected":
		m.ResourceName = "fraudEvents"
		m.ResourceURI = base + "/v1/fraudEvents?SubscriptionId=" + url.QueryEscape(data("SubscriptionId")) + "&EventStatus=Active"
		m.AuditURI = nil
	case thresholdExceeded:
		m.Event, m.ResourceName, m.AuditURI = "usagerecords-thresholdExceeded", "usagerecords", nil
		m.ResourceURI = base + "/v1/customers/usagerecords"
	case "update_subscription":
		m.Event = "subscription-updated"
		m.ResourceURI += "/subscriptions/" + url.PathEscape(data("SubscriptionId"))
	case "create_partner_relationship", "add_customer":
		m.Event = "reseller-relationship-accepted-by-customer"
	}
	return m, slices.Contains(events(), m.Event)
}
