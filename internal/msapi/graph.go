package msapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Graph is the client of the part of Microsoft Graph that the features need
// (contracts.md section 3), for one tenant. Objects come as their raw JSON, for
// the engines to read. Safe for concurrent use.
type Graph struct {
	c      *Client
	cloud  Cloud
	tenant string
	bearer Bearer
}

// Graph makes a client for a tenant. bearer gives tokens for the cloud's
// GraphResource in that tenant.
func (c *Client) Graph(cloud Cloud, tenant string, bearer Bearer) (*Graph, error) {
	if err := reach(cloud, cloud.Graph, "Graph", tenant); err != nil {
		return nil, err
	}
	return &Graph{c, cloud, tenant, bearer}, nil
}

// reach says whether the clients of an API can be made for a tenant.
func reach(cloud Cloud, at, api, tenant string) error {
	if err := cloud.Check(); err != nil {
		return err
	}
	if at == "" {
		return problem.New(problem.Usage, "the cloud has no %s", api)
	}
	return checkTenant(tenant)
}

// call sends one call, with headers besides.
func (g *Graph) call(ctx context.Context, method, where string, header map[string]string) (*sent, error) {
	kind, pc := graphPace(where)
	header["client-request-id"] = token.GUID()
	return g.c.ask(ctx, call{
		service: graph, method: method, where: where, bearer: g.bearer, header: header,
		how: conduct{what: "graph", tenant: g.tenant, kind: kind, pace: pc, again: true},
	})
}

// get reads a path, which begins with a slash and the version.
func (g *Graph) get(ctx context.Context, where string) ([]byte, error) {
	// Without it new members of enums come as unknownFutureValue.
	res, err := g.call(ctx, http.MethodGet, where, map[string]string{"Prefer": "include-unknown-enum-members"})
	if err != nil {
		return nil, err
	}
	return res.body, nil
}

// RevokeSessions ends every refresh token and session of an account, by id or
// user principal name. Entra ID takes some minutes to do so everywhere.
//
// Source: Microsoft Graph v1.0, user: revokeSignInSessions.
func (g *Graph) RevokeSessions(ctx context.Context, account string) error {
	where := g.cloud.Graph + "/v1.0/users/" + url.PathEscape(account) + "/revokeSignInSessions"
	_, err := g.call(ctx, http.MethodPost, where, map[string]string{})
	return err
}

// Object reads one object, e.g. "/v1.0/me".
func (g *Graph) Object(ctx context.Context, path string) (json.RawMessage, error) {
	b, err := g.get(ctx, g.cloud.Graph+path)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSpace(b)
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) != nil || object == nil {
		return nil, unreadable(graph)
	}
	return b, nil
}

// Items walks over every object of a collection, following @odata.nextLink to
// its end; a page may be empty and still have a next one. The same page again
// and again is an error.
func (g *Graph) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		where := g.cloud.Graph + path
		seen := 0
		for range maxPages {
			b, err := g.get(ctx, where)
			if err != nil {
				yield(nil, err)
				return
			}
			items, link, err := readPage(b)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, v := range items {
				if !yield(v, nil) {
					return
				}
			}
			if link == "" {
				return
			}
			next, ok := within(g.cloud.Graph, link, "")
			if !ok {
				yield(nil, unreadable(graph))
				return
			}
			if next == where {
				if seen++; seen >= pageAttempts {
					break
				}
			}
			where = next
		}
		yield(nil, problem.New(problem.Limit, "a list of Microsoft Graph does not go on: the same page came again and again").WithHint("try again later"))
	}
}

// maxCollect bounds a collection that is gathered in memory.
const maxCollect = 100_000

// All gathers a collection, of 100,000 objects at most.
func (g *Graph) All(ctx context.Context, path string) ([]json.RawMessage, error) {
	out := []json.RawMessage{}
	for v, err := range g.Items(ctx, path) {
		if err != nil {
			return nil, err
		}
		if len(out) == maxCollect {
			return nil, problem.New(problem.Limit, "a list of Microsoft Graph holds more than %d objects", maxCollect)
		}
		out = append(out, v)
	}
	return out, nil
}

func readPage(b []byte) ([]json.RawMessage, string, error) {
	var in struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if json.Unmarshal(b, &in) != nil || in.Value == nil || len(in.Value) > maxItems {
		return nil, "", unreadable(graph)
	}
	for _, v := range in.Value {
		if !bytes.HasPrefix(bytes.TrimSpace(v), []byte("{")) {
			return nil, "", unreadable(graph)
		}
	}
	return in.Value, in.Next, nil
}

// Me reads the account that signed in.
func (g *Graph) Me(ctx context.Context) (json.RawMessage, error) {
	return g.Object(ctx, "/v1.0/me?$select=id,userPrincipalName,displayName,mail,userType,accountEnabled,onPremisesSyncEnabled")
}

// Organization reads the tenant itself: name, verified domains, plans.
func (g *Graph) Organization(ctx context.Context) ([]json.RawMessage, error) {
	return g.All(ctx, "/v1.0/organization")
}

// ConditionalAccessPolicies reads every policy (Policy.Read.All).
func (g *Graph) ConditionalAccessPolicies(ctx context.Context) ([]json.RawMessage, error) {
	return g.All(ctx, "/v1.0/identity/conditionalAccess/policies")
}

// NamedLocations reads every named location (Policy.Read.All).
func (g *Graph) NamedLocations(ctx context.Context) ([]json.RawMessage, error) {
	return g.All(ctx, "/v1.0/identity/conditionalAccess/namedLocations")
}

// SecurityDefaults reads whether security defaults are on (Policy.Read.All).
func (g *Graph) SecurityDefaults(ctx context.Context) (json.RawMessage, error) {
	return g.Object(ctx, "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy")
}

// User reads an account by object id or user principal name (User.Read.All).
func (g *Graph) User(ctx context.Context, account string) (json.RawMessage, error) {
	return g.Object(ctx, "/v1.0/users/"+url.PathEscape(account)+"?$select=id,userPrincipalName,displayName,userType,accountEnabled")
}

// MemberOf reads the groups and directory roles of an account, nested ones too
// (Directory.Read.All).
func (g *Graph) MemberOf(ctx context.Context, account string) ([]json.RawMessage, error) {
	return g.All(ctx, "/v1.0/users/"+url.PathEscape(account)+"/transitiveMemberOf")
}

// Application reads an app's registration in this tenant by client id, with its
// credentials (Application.Read.All). Kind problem.NotFound when it is not
// registered here.
func (g *Graph) Application(ctx context.Context, clientID string) (json.RawMessage, error) {
	return g.one(ctx, "applications", clientID, "app registration")
}

// ServicePrincipal reads an app's service principal in this tenant by client id
// (Application.Read.All). Kind problem.NotFound when there is none.
func (g *Graph) ServicePrincipal(ctx context.Context, clientID string) (json.RawMessage, error) {
	return g.one(ctx, "servicePrincipals", clientID, "service principal")
}

func (g *Graph) one(ctx context.Context, list, clientID, what string) (json.RawMessage, error) {
	if !isGUID(clientID) {
		return nil, problem.New(problem.Usage, "the client id is not an id")
	}
	all, err := g.All(ctx, "/v1.0/"+list+"?$filter="+url.QueryEscape("appId eq '"+strings.ToLower(clientID)+"'"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, problem.New(problem.NotFound, "the app %s has no %s in that tenant", clientID, what)
	}
	return all[0], nil
}

// Grants reads the delegated permissions of a service principal, by its object
// id (Directory.Read.All).
func (g *Graph) Grants(ctx context.Context, servicePrincipal string) ([]json.RawMessage, error) {
	if !isGUID(servicePrincipal) {
		return nil, problem.New(problem.Usage, "the service principal is not an id")
	}
	return g.All(ctx, "/v1.0/oauth2PermissionGrants?$filter="+url.QueryEscape("clientId eq '"+strings.ToLower(servicePrincipal)+"'"))
}

// AppCredential is one credential of a registration, without anything secret.
type AppCredential struct {
	Kind       CredentialKind // Certificate or ClientSecret
	KeyID      string
	Name       string
	Thumbprint string // customKeyIdentifier as it came; certificates only
	From       time.Time
	Until      time.Time // zero: it does not say
}

// AppCredentials reads keyCredentials and passwordCredentials of an application
// or service principal.
func AppCredentials(raw json.RawMessage) ([]AppCredential, error) {
	type one struct {
		KeyID string    `json:"keyId"`
		Name  string    `json:"displayName"`
		Print string    `json:"customKeyIdentifier"`
		From  lenientAt `json:"startDateTime"`
		Until lenientAt `json:"endDateTime"`
	}
	var in struct {
		Keys      []one `json:"keyCredentials"`
		Passwords []one `json:"passwordCredentials"`
	}
	if err := json.Unmarshal(raw, &in); err != nil || len(in.Keys)+len(in.Passwords) > maxItems {
		return nil, problem.New(problem.BadInput, "the app's credentials cannot be read")
	}
	out := []AppCredential{}
	for _, k := range in.Keys {
		out = append(out, AppCredential{Certificate, clip(k.KeyID), clip(k.Name), clip(k.Print), k.From.Time, k.Until.Time})
	}
	for _, k := range in.Passwords {
		out = append(out, AppCredential{ClientSecret, clip(k.KeyID), clip(k.Name), "", k.From.Time, k.Until.Time})
	}
	return out, nil
}

// lenientAt is a moment that may be missing or misshapen: then it is unknown.
type lenientAt struct{ time.Time }

// UnmarshalJSON never fails.
func (t *lenientAt) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if v, err := time.Parse(time.RFC3339Nano, text); err == nil {
			t.Time = v.UTC()
		}
	}
	return nil
}
