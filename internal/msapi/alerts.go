package msapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"partnerguard/internal/problem"
)

// alertsPath is where Graph keeps partner security alerts (contracts.md section 3.13).
const alertsPath = "/beta/security/partner/securityAlerts"

// SecurityAlerts walks over every partner security alert. The account or the app needs
// PartnerSecurity.Read.All.
func (g *Graph) SecurityAlerts(ctx context.Context) iter.Seq2[json.RawMessage, error] {
	return g.Items(ctx, alertsPath)
}

// SecurityAlert reads one partner security alert. Its error is an [APIError] with Status 404
// where there is none.
func (g *Graph) SecurityAlert(ctx context.Context, id string) (json.RawMessage, error) {
	if err := checkAlert(id); err != nil {
		return nil, err
	}
	return g.Object(ctx, alertsPath+"/"+url.PathEscape(id))
}

// ResolveAlert resolves one partner security alert, once: after a lost reply nobody knows
// whether it was done, and the caller looks. It records an answer and stops nothing. It needs
// PartnerSecurity.ReadWrite.All. reason is legitimate, ignore or fraud.
func (g *Graph) ResolveAlert(ctx context.Context, id, reason string) error {
	if err := checkAlert(id); err != nil {
		return err
	}
	_, err := g.Write(ctx, Write{Method: http.MethodPatch, Path: alertsPath + "/" + url.PathEscape(id),
		Body: map[string]string{"status": "resolved", "resolvedReason": reason}})
	return err
}

// checkAlert keeps out what would name another thing than one alert.
func checkAlert(id string) error {
	if id == "" || len(id) > 300 || strings.Trim(id, ". ") == "" || strings.ContainsAny(id, "/?#%\\\r\n\t ") {
		return problem.New(problem.Usage, "%.80q is no id of an alert", id)
	}
	return nil
}

// FraudEvents walks over every fraud event of Partner Center, of one subscription or of all
// (""), in the new model. It takes an account with MFA (contracts.md section 2.9). Pages are
// bare arrays: a page that brings nothing new ends the walk.
func (p *PartnerCenter) FraudEvents(ctx context.Context, subscription string) iter.Seq2[json.RawMessage, error] {
	const size = 500
	return func(yield func(json.RawMessage, error) bool) {
		if subscription != "" && !isGUID(subscription) {
			yield(nil, problem.New(problem.Usage, "%.80q is no id of a subscription", subscription))
			return
		}
		seen := map[string]bool{}
		for page := 1; page <= maxPages/100; page++ {
			q := url.Values{"PageSize": {strconv.Itoa(size)}, "PageNumber": {strconv.Itoa(page)}}
			if subscription != "" {
				q.Set("SubscriptionId", subscription)
			}
			res, err := p.call(ctx, "fraudEvents", http.MethodGet, p.cloud.PartnerCenter+"/v1/fraudEvents?"+q.Encode(), nil, p.tenant, paceCenter,
				map[string]string{"X-NewEventsModel": "true"})
			if err != nil {
				yield(nil, err)
				return
			}
			rows, err := readEvents(res.body)
			if err != nil {
				yield(nil, err)
				return
			}
			fresh := 0
			for _, row := range rows {
				if key := string(row.id); key != "" {
					if seen[key] {
						continue
					}
					seen[key] = true
				}
				if fresh++; !yield(row.raw, nil) {
					return
				}
			}
			if fresh == 0 { // a short page proves nothing: the service has a size of its own
				return
			}
		}
		yield(nil, problem.New(problem.Limit, "Partner Center's list of fraud events does not end").WithHint("try again later"))
	}
}

// event is one fraud event with what it is named by.
type event struct {
	id, raw json.RawMessage
}

// readEvents reads a page: a bare array, or one as other lists of Partner Center have it.
func readEvents(body []byte) ([]event, error) {
	var list []json.RawMessage
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '{' {
		var in struct {
			Items *[]json.RawMessage `json:"items"`
		}
		if json.Unmarshal(body, &in) != nil || in.Items == nil {
			return nil, unreadable(center)
		}
		list = *in.Items
	} else if json.Unmarshal(body, &list) != nil || list == nil {
		return nil, unreadable(center)
	}
	if len(list) > maxItems {
		return nil, unreadable(center)
	}
	out := make([]event, 0, len(list))
	for _, raw := range list {
		var in struct {
			ID json.RawMessage `json:"eventId"`
		}
		if json.Unmarshal(raw, &in) != nil {
			return nil, unreadable(center)
		}
		out = append(out, event{in.ID, raw})
	}
	return out, nil
}

// ResolveFraudEvent resolves one fraud event of a subscription, once: after a lost reply nobody
// knows whether it was done, and the caller looks. It records an answer and stops nothing.
// reason is Legitimate, Ignore or Fraud.
//
// A call without ids would resolve every event of the subscription (contracts.md section 2.9):
// this one cannot be made without exactly one, and no other way of writing lets it pass.
func (p *PartnerCenter) ResolveFraudEvent(ctx context.Context, subscription, event, reason string) error {
	if !isGUID(subscription) {
		return problem.New(problem.Usage, "%.80q is no id of a subscription", subscription)
	}
	if strings.TrimSpace(event) == "" || len(event) > 300 {
		return problem.New(problem.Usage, "%.80q is no id of a fraud event", event)
	}
	body := struct {
		IDs    []string `json:"EventIds"`
		Status string   `json:"EventStatus"`
		Reason string   `json:"ResolvedReason"`
	}{[]string{event}, "Resolved", reason}
	h := centerHeader()
	h["X-NewEventsModel"] = "true"
	_, err := p.c.ask(ctx, call{
		service: center, method: http.MethodPost, where: p.cloud.PartnerCenter + "/v1/fraudEvents/subscription/" + subscription + "/status",
		bearer: p.bearer, header: h, body: body, how: conduct{what: "fraudEvents", tenant: p.tenant, kind: "fraudEvents", pace: paceCenter},
	})
	return err
}

// Registration is the one webhook of a partner (contracts.md section 2.7).
type Registration struct {
	Subscriber string   `json:"SubscriberId,omitempty"`
	URL        string   `json:"WebhookUrl"`
	Events     []string `json:"WebhookEvents"`
	// OwnHeader has the signature in x-ms-signature, since some gateways take Authorization.
	OwnHeader bool `json:"SignatureTokenToMsSignatureHeader,omitempty"`
}

func (p *PartnerCenter) registration() string {
	return p.cloud.PartnerCenter + "/webhooks/v1/registration"
}

// WebhookEvents are the events that a webhook may be registered for.
func (p *PartnerCenter) WebhookEvents(ctx context.Context) (out []string, err error) {
	return out, p.webhook(ctx, http.MethodGet, "/events", nil, &out)
}

// Webhook is what is registered. Its error is an [APIError] with Status 404 where nothing is.
func (p *PartnerCenter) Webhook(ctx context.Context) (out Registration, err error) {
	return out, p.webhook(ctx, http.MethodGet, "", nil, &out)
}

// RegisterWebhook makes the registration, or with change set replaces the one there is.
// There is no way to end one: it can be changed only.
func (p *PartnerCenter) RegisterWebhook(ctx context.Context, r Registration, change bool) (out Registration, err error) {
	method := http.MethodPost
	if change {
		method = http.MethodPut
	}
	r.Subscriber = ""
	return out, p.webhook(ctx, method, "", r, &out)
}

// TestWebhook has Partner Center send an event test-created, at most twice a minute, and gives
// the id by which [PartnerCenter.TestedWebhook] tells what came of it.
func (p *PartnerCenter) TestWebhook(ctx context.Context) (string, error) {
	var out struct {
		ID string `json:"correlationId"`
	}
	err := p.webhook(ctx, http.MethodPost, "/validationEvents", struct{}{}, &out)
	if err == nil && !isGUID(out.ID) {
		err = unreadable(center)
	}
	return out.ID, err
}

// WebhookTest is what came of an event test-created.
type WebhookTest struct {
	ID      string          `json:"correlationId"`
	Status  string          `json:"status"`
	URL     string          `json:"callbackUrl"`
	Results []WebhookResult `json:"results"`
}

// WebhookResult is one attempt to deliver it.
type WebhookResult struct {
	Code    string `json:"responseCode"`
	Message string `json:"responseMessage"`
	Error   bool   `json:"systemError"`
	At      string `json:"dateTimeUtc"`
}

// TestedWebhook tells what came of an event test-created.
func (p *PartnerCenter) TestedWebhook(ctx context.Context, id string) (out WebhookTest, err error) {
	if !isGUID(id) {
		return out, problem.New(problem.Usage, "%.80q is no id of a test of the webhook", id)
	}
	return out, p.webhook(ctx, http.MethodGet, "/validationEvents/"+id, nil, &out)
}

func (p *PartnerCenter) webhook(ctx context.Context, method, path string, body, into any) error {
	res, err := p.c.ask(ctx, call{service: center, method: method, where: p.registration() + path, bearer: p.bearer, header: centerHeader(), body: body,
		how: conduct{what: "webhook", tenant: p.tenant, kind: "webhook", pace: paceCenter, again: method == http.MethodGet}})
	if err != nil {
		return err
	}
	if json.Unmarshal(res.body, into) != nil {
		return unreadable(center)
	}
	return nil
}
