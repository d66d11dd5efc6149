package msapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/problem"
)

// AzurePlan is a customer's Azure plan, as far as its levers need it (contracts.md section
// 7.1).
type AzurePlan struct {
	ID     string
	Name   string // as others wrote it
	Status string // active, suspended, …; raw
	ETag   string
}

// Entitlement is one Azure subscription under a plan.
type Entitlement struct {
	ID           string
	Name         string
	Status       string // active, inactive; raw
	Subscription string // its id in Azure, lower case
}

// subscriptions is the list of a customer, or one of it.
func (p *PartnerCenter) subscriptions(customer string, more ...string) (string, error) {
	if !isGUID(customer) {
		return "", problem.New(problem.Usage, "%.80q is no tenant id", customer)
	}
	where := p.customer(customer) + "/subscriptions"
	for _, m := range more {
		if m == "" || len(m) > 100 || strings.Trim(m, ".") == "" {
			return "", problem.New(problem.Usage, "%.80q is no id of Partner Center", m)
		}
		where += "/" + url.PathEscape(m)
	}
	return where, nil
}

func (p *PartnerCenter) lever(ctx context.Context, method, where string, body any, header map[string]string, again bool) (*sent, error) {
	h := centerHeader()
	for k, v := range header {
		h[k] = v
	}
	return p.c.ask(ctx, call{
		service: center, method: method, where: where, bearer: p.bearer, header: h, body: body,
		how: conduct{what: "azure", tenant: p.tenant, kind: "customer", pace: paceCenter, again: again},
	})
}

// AzurePlans lists the subscriptions of a customer that are Azure plans.
func (p *PartnerCenter) AzurePlans(ctx context.Context, customer string) ([]AzurePlan, error) {
	where, err := p.subscriptions(customer)
	if err != nil {
		return nil, err
	}
	res, err := p.lever(ctx, http.MethodGet, where, nil, nil, true)
	if err != nil {
		return nil, err
	}
	var in struct {
		Items []struct {
			ID          string `json:"id"`
			Name        string `json:"friendlyName"`
			Status      string `json:"status"`
			Offer       string `json:"offerId"`
			Consumption string `json:"consumptionType"`
			Unit        string `json:"unitType"`
			Type        struct {
				ID string `json:"id"`
			} `json:"productType"`
			Billing    string `json:"billingType"`
			Attributes struct {
				ETag string `json:"etag"`
			} `json:"attributes"`
		} `json:"items"`
	}
	if json.Unmarshal(res.body, &in) != nil || in.Items == nil {
		return nil, unreadable(center)
	}
	out := []AzurePlan{}
	for _, s := range in.Items {
		if strings.EqualFold(s.Type.ID, "Azure") || strings.EqualFold(s.Type.ID, "AzurePlan") || strings.EqualFold(s.Billing, "usage") ||
			strings.HasPrefix(strings.ToUpper(s.Offer), "DZH318Z0BPS6") {
			out = append(out, AzurePlan{clip(s.ID), clip(s.Name), clip(s.Status), clip(s.Attributes.ETag)})
		}
	}
	return out, nil
}

// Entitlements lists the Azure subscriptions under a plan.
func (p *PartnerCenter) Entitlements(ctx context.Context, customer, plan string) ([]Entitlement, error) {
	where, err := p.subscriptions(customer, plan)
	if err != nil {
		return nil, err
	}
	res, err := p.lever(ctx, http.MethodGet, where+"/azureEntitlements", nil, nil, true)
	if err != nil {
		return nil, err
	}
	var in struct {
		Items []struct {
			ID           string `json:"id"`
			Name         string `json:"friendlyName"`
			Status       string `json:"status"`
			Subscription string `json:"subscriptionId"`
		} `json:"items"`
	}
	if json.Unmarshal(res.body, &in) != nil || in.Items == nil {
		return nil, unreadable(center)
	}
	out := []Entitlement{}
	for _, e := range in.Items {
		out = append(out, Entitlement{clip(e.ID), clip(e.Name), clip(e.Status), strings.ToLower(clip(e.Subscription))})
	}
	return out, nil
}

// CancelEntitlement cancels one Azure subscription because it was compromised. It cannot be
// taken back here. It is asked once: whoever gets no answer looks at the entitlement.
func (p *PartnerCenter) CancelEntitlement(ctx context.Context, customer, plan, entitlement string) error {
	where, err := p.subscriptions(customer, plan)
	if err == nil && (entitlement == "" || len(entitlement) > 100) {
		err = problem.New(problem.Usage, "%.80q is no entitlement", entitlement)
	}
	if err != nil {
		return err
	}
	_, err = p.lever(ctx, http.MethodPost, where+"/azureEntitlements/"+url.PathEscape(entitlement)+"/cancel",
		map[string]string{"cancellationReason": "compromise"}, nil, false)
	return err
}

// SetPlanStatus suspends a plan, which stops every Azure subscription under it, or makes it
// active again. The whole resource is read and sent back, held to its ETag.
func (p *PartnerCenter) SetPlanStatus(ctx context.Context, customer, plan, status string) error {
	where, err := p.subscriptions(customer, plan)
	if err == nil && status != "active" && status != "suspended" {
		err = problem.New(problem.Usage, "%.40q is no status of a plan", status).WithHint("active, suspended")
	}
	if err != nil {
		return err
	}
	res, err := p.lever(ctx, http.MethodGet, where, nil, nil, true)
	if err != nil {
		return err
	}
	var whole map[string]json.RawMessage
	var in struct {
		ID         string `json:"id"`
		Attributes struct {
			ETag string `json:"etag"`
		} `json:"attributes"`
	}
	if json.Unmarshal(res.body, &whole) != nil || json.Unmarshal(res.body, &in) != nil || !strings.EqualFold(in.ID, plan) {
		return unreadable(center)
	}
	whole["status"], _ = json.Marshal(status)
	header := map[string]string{}
	if tag := firstText(res.header.Get("ETag"), in.Attributes.ETag); tag != "" && !strings.ContainsAny(tag, "\r\n\x00") {
		header["If-Match"] = clip(tag)
	}
	_, err = p.lever(ctx, http.MethodPatch, where, whole, header, false)
	return err
}

func firstText(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// Contact is whom Partner Center knows at a customer: its name and mail of the billing
// profile, "" where it says none.
func (p *PartnerCenter) Contact(ctx context.Context, customer string) (name, mail string, err error) {
	if !isGUID(customer) {
		return "", "", problem.New(problem.Usage, "%.80q is no tenant id", customer)
	}
	res, err := p.lever(ctx, http.MethodGet, p.customer(customer)+"/profiles/billing", nil, nil, true)
	if err != nil {
		return "", "", err
	}
	var in struct {
		First string `json:"firstName"`
		Last  string `json:"lastName"`
		Mail  string `json:"email"`
	}
	if json.Unmarshal(res.body, &in) != nil {
		return "", "", unreadable(center)
	}
	return clip(strings.TrimSpace(in.First + " " + in.Last)), clip(in.Mail), nil
}
