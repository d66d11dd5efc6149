//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/probe"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
)

// givesAccess reports a status in which a relationship gives access, or soon will.
func givesAccess(status string) bool {
	return slices.Contains([]string{"active", "expiring", "approved", "activating", "terminationRequested", "terminating"}, status)
}

// probing asks Microsoft by one connection. Safe for concurrent use.
type probing struct {
	i      *Installation
	conn   sam.Connection
	graph  *msapi.Graph
	center *msapi.PartnerCenter

	mu     sync.Mutex // guards everything below
	rels   []seenRelationship
	groups []string
	people map[string][]string             // of a group: its members
	signed map[string]map[string]time.Time // of a person: the newest sign-in by customer
}

// seenRelationship is a relationship as the list shows it.
type seenRelationship struct {
	probe.Relationship
	id, customer string
	name         string // of the customer
	name50       string // its own
}

func (i *Installation) probeClient(ctx context.Context) (*probing, error) {
	if i.SAM == nil {
		return nil, problem.New(problem.Unavailable, "the vault is not open, so that nothing can be asked").WithHint("open the installation with its key")
	}
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return nil, err
	}
	g, err := i.SAM.Graph(c)
	if err != nil {
		return nil, err
	}
	p, err := i.SAM.PartnerCenter(c)
	if err != nil {
		return nil, err
	}
	return &probing{i: i, conn: c, graph: g, center: p, people: map[string][]string{}, signed: map[string]map[string]time.Time{}}, nil
}

const gdapList = "/v1.0/tenantRelationships/delegatedAdminRelationships"

// tenantOf is a customer's tenant id, from an id or a domain.
func (c *probing) tenantOf(ctx context.Context, customer string) (string, error) {
	if customer == "" {
		return "", nil
	}
	x, err := c.i.SAM.Exchange()
	if err != nil {
		return "", err
	}
	id, err := x.Tenant(ctx, &c.conn, customer)
	return strings.ToLower(id), err
}

// all are the relationships of the partner, read once.
func (c *probing) all(ctx context.Context) ([]seenRelationship, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rels != nil {
		return c.rels, nil
	}
	rels := []seenRelationship{}
	for raw, err := range c.graph.Items(ctx, gdapList+"?$top=300") {
		if err != nil {
			return nil, err
		}
		r, err := probe.ReadRelationship(raw)
		if err != nil {
			return nil, err
		}
		var more struct {
			ID       string `json:"id"`
			Name     string `json:"displayName"`
			Customer struct {
				Tenant string `json:"tenantId"`
				Name   string `json:"displayName"`
			} `json:"customer"`
		}
		if err := json.Unmarshal(raw, &more); err != nil || more.ID == "" {
			return nil, problem.New(problem.BadInput, "Microsoft Graph's list of delegated admin relationships cannot be read")
		}
		rels = append(rels, seenRelationship{r, more.ID, strings.ToLower(more.Customer.Tenant), more.Customer.Name, more.Name})
	}
	c.rels = rels
	return rels, nil
}

// Relationship reads one; none is no error.
func (c *probing) Relationship(ctx context.Context, id string) (probe.Relationship, error) {
	raw, err := c.graph.Object(ctx, gdapList+"/"+url.PathEscape(id))
	var e *msapi.APIError
	if errors.As(err, &e) && e.Status == 404 {
		return probe.Relationship{}, nil
	}
	if err != nil {
		return probe.Relationship{}, err
	}
	return probe.ReadRelationship(raw)
}

// Relationships are those at a customer that give access.
func (c *probing) Relationships(ctx context.Context, customer string) (out []string, err error) {
	rels, err := c.all(ctx)
	for k := range rels {
		if rels[k].customer == strings.ToLower(customer) && givesAccess(rels[k].Status) {
			out = append(out, rels[k].id)
		}
	}
	return out, err
}

// Assignments reads a relationship's access assignments.
func (c *probing) Assignments(ctx context.Context, id string) (out []probe.Assignment, err error) {
	for raw, err := range c.graph.Items(ctx, gdapList+"/"+url.PathEscape(id)+"/accessAssignments") {
		if err != nil {
			return nil, err
		}
		a, err := probe.ReadAssignment(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// DAP asks Partner Center.
func (c *probing) DAP(ctx context.Context, customer string) (delegation.Answer, error) {
	is, err := c.center.DAP(ctx, customer)
	return delegation.Answer(is), err
}

// Token asks for a new token of the connected account in the customer's tenant.
func (c *probing) Token(ctx context.Context, customer string) (probe.Token, error) {
	x, err := c.i.SAM.Exchange()
	if err != nil {
		return probe.Token{}, err
	}
	t, err := x.Token(ctx, exchange.Request{Connection: c.conn.ID, Customer: customer, Resource: c.i.Cloud.GraphResource, Caller: "probe", Fresh: true})
	var refused *msapi.TokenError
	if errors.As(err, &refused) && (refused.Code == entra.CodeUserNotInTenant || refused.Code == entra.CodePassthroughRefused) {
		return probe.Token{Account: c.conn.Account, Refused: true}, nil
	}
	if err != nil {
		return probe.Token{}, err
	}
	return probe.Token{Account: c.conn.Account, Roles: t.Wids}, nil
}

// Groups are those of the connected account.
func (c *probing) Groups(ctx context.Context) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.groups != nil {
		return c.groups, nil
	}
	list, err := c.graph.MemberOf(ctx, c.conn.Account)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, raw := range list {
		var g struct {
			Type string `json:"@odata.type"`
			ID   string `json:"id"`
		}
		if err := json.Unmarshal(raw, &g); err != nil {
			return nil, problem.New(problem.BadInput, "Microsoft Graph's list of the account's groups cannot be read")
		}
		if strings.HasSuffix(strings.ToLower(g.Type), ".group") {
			out = append(out, strings.ToLower(g.ID))
		}
	}
	c.groups = out
	return out, nil
}

// maxWatched is how many members of a group are looked for in the log.
const maxWatched = 50

// SignedIn looks for sign-ins of a group's members, in the partner's log.
func (c *probing) SignedIn(ctx context.Context, customer, group string, since time.Time) (last time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	people, known := c.people[group]
	if !known {
		if people, err = c.members(ctx, group); err != nil {
			return last, err
		}
		c.people[group] = people
	}
	for _, who := range people[:min(len(people), maxWatched)] {
		seen, known := c.signed[who]
		if !known {
			if seen, err = c.signIns(ctx, who, since); err != nil {
				return last, err
			}
			c.signed[who] = seen
		}
		if at := seen[strings.ToLower(customer)]; at.After(last) && !at.Before(since) {
			last = at
		}
	}
	return last, nil
}

func (c *probing) members(ctx context.Context, group string) ([]string, error) {
	out := []string{}
	for raw, err := range c.graph.Items(ctx, "/v1.0/groups/"+url.PathEscape(group)+"/transitiveMembers/microsoft.graph.user?$select=id") {
		if err != nil {
			return nil, err
		}
		var u struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(raw, &u); err != nil || u.ID == "" {
			return nil, problem.New(problem.BadInput, "Microsoft Graph's list of a group's members cannot be read")
		}
		out = append(out, u.ID)
	}
	return out, nil
}

// maxSignIns is how many sign-ins of one person are looked at.
const maxSignIns = 5000

// signIns are a person's newest successful sign-ins by the tenant they went to.
func (c *probing) signIns(ctx context.Context, who string, since time.Time) (map[string]time.Time, error) {
	filter := "userId eq '" + who + "' and createdDateTime ge " + since.UTC().Format(time.RFC3339) +
		" and signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"
	out, n := map[string]time.Time{}, 0
	for raw, err := range c.graph.Items(ctx, "/beta/auditLogs/signIns?$filter="+url.QueryEscape(filter)) {
		if err != nil {
			return nil, err
		}
		var s struct {
			At     time.Time `json:"createdDateTime"`
			Tenant string    `json:"resourceTenantId"`
			Status struct {
				Code *int `json:"errorCode"`
			} `json:"status"`
		}
		if json.Unmarshal(raw, &s) == nil && s.Status.Code != nil && *s.Status.Code == 0 {
			if id := strings.ToLower(s.Tenant); s.At.After(out[id]) {
				out[id] = s.At
			}
		}
		if n++; n == maxSignIns {
			break
		}
	}
	return out, nil
}
