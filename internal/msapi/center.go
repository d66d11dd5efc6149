package msapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// PartnerCenter is the client of Partner Center's REST API for one partner
// (contracts.md section 2). Safe for concurrent use.
type PartnerCenter struct {
	c      *Client
	cloud  Cloud
	tenant string
	bearer Bearer
}

// PartnerCenter makes a client for a partner tenant. bearer gives tokens for
// the cloud's PartnerCenterResource.
func (c *Client) PartnerCenter(cloud Cloud, tenant string, bearer Bearer) (*PartnerCenter, error) {
	if err := reach(cloud, cloud.PartnerCenter, "Partner Center", tenant); err != nil {
		return nil, err
	}
	return &PartnerCenter{c, cloud, tenant, bearer}, nil
}

// Customer is one customer of the partner.
type Customer struct {
	ID           string `json:"id"` // tenant id
	Domain       string `json:"domain"`
	Name         string `json:"name"`
	Relationship string `json:"relationship,omitempty"` // relationshipToPartner, as it came
}

// Bounds of paging.
const (
	maxPages     = 100_000
	maxItems     = 10_000 // on one page
	maxText      = 1 << 10
	pageAttempts = 3 // at a page that came twice
)

// call sends one call. Every logical call has a new MS-RequestId, which its
// retries keep, so that a write is done once (trap 27).
//
// whose is whose budget it is: the partner tenant's, or for consents the app's,
// since their limit is per app whatever the partner.
func (p *PartnerCenter) call(ctx context.Context, what, method, where string, body any, whose string, pc pace, header map[string]string) (*sent, error) {
	h := centerHeader()
	for k, v := range header {
		h[k] = v
	}
	return p.c.ask(ctx, call{
		service: center, method: method, where: where, bearer: p.bearer, header: h, body: body,
		how: conduct{what: what, tenant: whose, kind: what, pace: pc, again: true},
	})
}

// centerHeader is what every call of Partner Center carries; each has its own ids.
func centerHeader() map[string]string {
	return map[string]string{
		"MS-RequestId": token.GUID(), "MS-CorrelationId": token.GUID(), "MS-PartnerCenter-Application": "Partnerguard", "X-Locale": "en-US",
	}
}

// Customers walks over every customer, size a page (0: 500). It follows both
// forms of paging: links.next with its continuation header, and a bare list. A
// page that comes twice is asked for again and its customers are given once; a
// walk that does not go on ends with an error, never silently.
func (p *PartnerCenter) Customers(ctx context.Context, size int) iter.Seq2[Customer, error] {
	if size <= 0 || size > 500 {
		size = 500
	}
	return func(yield func(Customer, error) bool) {
		where := p.cloud.PartnerCenter + "/v1/customers?size=" + strconv.Itoa(size)
		var here string // continuation token of this page
		var before map[string]bool
		stuck := 0
		for range maxPages {
			var header map[string]string
			if here != "" {
				header = map[string]string{"MS-ContinuationToken": here}
			}
			res, err := p.call(ctx, "customers", http.MethodGet, where, nil, p.tenant, paceCenter, header)
			if err != nil {
				yield(Customer{}, err)
				return
			}
			page, err := readCustomers(res.body)
			if err != nil {
				yield(Customer{}, err)
				return
			}
			now := make(map[string]bool, len(page.items))
			for _, c := range page.items {
				now[c.ID] = true
				if before[c.ID] {
					continue
				}
				if !yield(c, nil) {
					return
				}
			}
			if page.next == "" {
				return
			}
			next, ok := within(p.cloud.PartnerCenter, page.next, "/v1")
			if !ok {
				yield(Customer{}, unreadable(center))
				return
			}
			if next == where && page.token == here {
				if stuck++; stuck >= pageAttempts {
					break
				}
			} else {
				stuck = 0
			}
			where, here, before = next, page.token, now
		}
		yield(Customer{}, problem.New(problem.Limit, "Partner Center's list of customers does not go on: the same page came again and again").
			WithHint("try again later"))
	}
}

type customerPage struct {
	items []Customer
	next  string
	token string
}

// readCustomers reads a page in either form.
func readCustomers(body []byte) (*customerPage, error) {
	in, err := readLinks(body)
	if err != nil {
		return nil, err
	}
	out := &customerPage{next: in.next, token: in.token}
	for _, raw := range in.items {
		c, ok := readCustomer(raw)
		if !ok {
			return nil, unreadable(center)
		}
		out.items = append(out.items, c)
	}
	return out, nil
}

// centerPage is a page of Partner Center's.
type centerPage struct {
	items []json.RawMessage
	next  string
	token string
}

// readLinks reads a page in either form: with links, or a bare list.
func readLinks(body []byte) (*centerPage, error) {
	var in struct {
		Items []json.RawMessage `json:"items"`
		Links struct {
			Next *struct {
				URI     string `json:"uri"`
				Headers []struct {
					Key   string `json:"key"`
					Value string `json:"value"`
				} `json:"headers"`
			} `json:"next"`
		} `json:"links"`
	}
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")) // a byte order mark was seen
	if bytes.HasPrefix(body, []byte("[")) {
		if json.Unmarshal(body, &in.Items) != nil {
			return nil, unreadable(center)
		}
	} else if json.Unmarshal(body, &in) != nil || in.Items == nil {
		return nil, unreadable(center)
	}
	if len(in.Items) > maxItems {
		return nil, problem.New(problem.Limit, "Partner Center's page holds more than %d items", maxItems)
	}
	out := &centerPage{items: in.Items}
	if n := in.Links.Next; n != nil {
		out.next = n.URI
		for _, h := range n.Headers { // no other header of theirs is sent
			if strings.EqualFold(h.Key, "MS-ContinuationToken") && len(h.Value) <= 8<<10 && !strings.ContainsAny(h.Value, "\r\n\x00") {
				out.token = h.Value
			}
		}
	}
	return out, nil
}

func readCustomer(raw []byte) (Customer, bool) {
	var in struct {
		ID      string `json:"id"`
		Profile struct {
			Tenant string `json:"tenantId"`
			Domain string `json:"domain"`
			Name   string `json:"companyName"`
		} `json:"companyProfile"`
		Relationship string `json:"relationshipToPartner"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return Customer{}, false
	}
	id := in.Profile.Tenant
	if id == "" {
		id = in.ID
	}
	if !isGUID(id) {
		return Customer{}, false
	}
	return Customer{ID: strings.ToLower(id), Domain: clip(in.Profile.Domain), Name: clip(in.Profile.Name), Relationship: clip(in.Relationship)}, true
}

func clip(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

// Compliance is what Partner Center says of a token's MFA claim.
type Compliance string

// The answers. A missing header is Unknown, never No (trap 2).
const (
	Compliant    Compliance = "yes"
	NotCompliant Compliance = "no"
	Unknown      Compliance = "unknown"
)

// ValidateMFA asks Partner Center whether the token's MFA claim counts
// (contracts.md section 1.3), by a small read. A refusal for the missing claim
// is NotCompliant without an error; never ask it with an app-only token.
func (p *PartnerCenter) ValidateMFA(ctx context.Context) (Compliance, error) {
	res, err := p.call(ctx, "validate mfa", http.MethodGet, p.cloud.PartnerCenter+"/v1/customers?size=1", nil, p.tenant, paceCenter,
		map[string]string{"ValidateMfa": "true"})
	if err != nil {
		var e *APIError
		if errors.As(err, &e) && e.WithoutMFA() {
			return NotCompliant, nil
		}
		return Unknown, err
	}
	return readCompliance(res.header.Get("isMfaCompliant")), nil
}

func readCompliance(v string) Compliance {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "true":
		return Compliant
	case "false":
		return NotCompliant
	}
	return Unknown
}

// ConsentGrant is delegated permissions on one resource.
type ConsentGrant struct {
	Resource string   // app id of the resource
	Scopes   []string // values, e.g. "Directory.Read.All"
}

// ConsentState is how one resource's consent ended.
type ConsentState string

// The states.
const (
	Granted ConsentState = "granted" // by this call
	Existed ConsentState = "existed" // there is a grant already, which this did not change
	Absent  ConsentState = "absent"  // the customer never used that service
	Failed  ConsentState = "failed"
)

// ConsentResult is one resource's.
type ConsentResult struct {
	Resource string
	State    ConsentState
	Err      error // when Failed
}

// GrantConsent consents for the app in a customer's tenant (contracts.md section
// 2.5): all resources in one request where that works, else one by one, so that
// a resource the customer never used does not keep the others out. It never
// adds to a grant that is there: that is Existed, which counts as success and
// says nothing about which permissions it holds.
//
// The error is the one that ended everything (no right, no answer); results
// before it hold.
func (p *PartnerCenter) GrantConsent(ctx context.Context, customer, application, name string, grants []ConsentGrant) ([]ConsentResult, error) {
	if err := checkConsent(customer, application, grants); err != nil {
		return nil, err
	}
	err := p.postConsent(ctx, customer, application, name, grants)
	if err == nil {
		var out []ConsentResult
		for _, g := range grants {
			out = append(out, ConsentResult{Resource: g.Resource, State: Granted})
		}
		return out, nil
	}
	if len(grants) == 1 {
		r, err := oneConsent(grants[0], err)
		return []ConsentResult{r}, err
	}
	var e *APIError
	if !errors.As(err, &e) || !e.about.exists && !e.about.absent && e.Status != http.StatusBadRequest && e.Status != http.StatusConflict {
		return nil, err
	}
	var out []ConsentResult
	for _, g := range grants {
		r, err := oneConsent(g, p.postConsent(ctx, customer, application, name, []ConsentGrant{g}))
		out = append(out, r)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// oneConsent judges the answer for one resource. Its error ends the rest.
func oneConsent(g ConsentGrant, err error) (ConsentResult, error) {
	r := ConsentResult{Resource: g.Resource, State: Granted}
	var e *APIError
	switch {
	case err == nil:
	case !errors.As(err, &e):
		r.State, r.Err = Failed, err
		return r, err
	case e.about.exists:
		r.State = Existed
	case e.about.absent:
		r.State = Absent
	default:
		r.State, r.Err = Failed, err
		if e.Status != http.StatusBadRequest && e.Status != http.StatusConflict {
			return r, err
		}
	}
	return r, nil
}

func checkConsent(customer, application string, grants []ConsentGrant) error {
	bad := func(what string) error { return problem.New(problem.Usage, "%s is not an id", what) }
	switch {
	case !isGUID(customer):
		return bad("the customer")
	case !isGUID(application):
		return bad("the app")
	case len(grants) == 0 || len(grants) > 100:
		return problem.New(problem.Usage, "a consent names between 1 and 100 resources")
	}
	for _, g := range grants {
		if !isGUID(g.Resource) {
			return bad("a resource")
		}
		if len(g.Scopes) == 0 || len(g.Scopes) > maxScopes {
			return problem.New(problem.Usage, "a consent names at least one permission of each resource")
		}
		for _, s := range g.Scopes {
			if !isWord(s) {
				return problem.New(problem.Usage, "%.80q is not the name of a permission", s)
			}
		}
	}
	return nil
}

func (p *PartnerCenter) consents(customer string) string {
	return p.cloud.PartnerCenter + "/v1/customers/" + url.PathEscape(customer) + "/applicationconsents"
}

func (p *PartnerCenter) postConsent(ctx context.Context, customer, application, name string, grants []ConsentGrant) error {
	type grant struct {
		Resource string `json:"enterpriseApplicationId"`
		Scope    string `json:"scope"`
	}
	body := struct {
		Application string  `json:"applicationId"`
		Name        string  `json:"displayName,omitempty"`
		Grants      []grant `json:"applicationGrants"`
	}{Application: application, Name: name}
	for _, g := range grants {
		body.Grants = append(body.Grants, grant{g.Resource, strings.Join(g.Scopes, ",")})
	}
	_, err := p.call(ctx, "consent", http.MethodPost, p.consents(customer), body, application, paceConsent, nil)
	return err
}

// RemoveConsent takes the app with all its permissions out of a customer's
// tenant. That there was none is success: a retry after a lost reply sees that.
func (p *PartnerCenter) RemoveConsent(ctx context.Context, customer, application string) (removed bool, err error) {
	if !isGUID(customer) || !isGUID(application) {
		return false, problem.New(problem.Usage, "the customer or the app is not an id")
	}
	_, err = p.call(ctx, "consent", http.MethodDelete, p.consents(customer)+"/"+url.PathEscape(application), nil, application, paceConsent, nil)
	var e *APIError
	if errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code != "60003" {
		return false, nil
	}
	return err == nil, err
}
