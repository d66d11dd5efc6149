//go:build !judge

package move

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// graphs and centers are the clients of package msapi, as far as they are used here.
type (
	graphs interface {
		Read(ctx context.Context, path string) (msapi.Reply, error)
		Write(ctx context.Context, w msapi.Write) (msapi.Reply, error)
		Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error]
	}
	centers interface {
		DAP(ctx context.Context, customer string) (msapi.Compliance, error)
		RemoveDAP(ctx context.Context, customer string) error
	}
)

const base = "/v1.0/tenantRelationships/delegatedAdminRelationships"

// maxListed bounds a list of assignments of one relationship, and a search by name.
const (
	maxListed   = 1000
	maxSearched = 50_000
)

// live is Microsoft's Graph and Partner Center (contracts.md sections 2.3 and 3.11).
type live struct {
	g graphs
	p centers
}

// Live makes the way to Microsoft of clients of the partner's tenant.
func Live(g *msapi.Graph, p *msapi.PartnerCenter) Cloud { return live{g, p} }

func (l live) at(id string, more ...string) string {
	return base + "/" + path.Join(append([]string{url.PathEscape(id)}, more...)...)
}

// unifiedRoles is a set of roles as Graph writes it.
type unifiedRoles struct {
	Roles []struct {
		ID string `json:"roleDefinitionId"`
	} `json:"unifiedRoles"`
}

func rolesOf(ids []string) (u unifiedRoles) {
	for _, id := range ids {
		u.Roles = append(u.Roles, struct {
			ID string `json:"roleDefinitionId"`
		}{id})
	}
	return u
}

func (u unifiedRoles) ids() []string {
	out := []string{}
	for _, r := range u.Roles {
		out = append(out, strings.ToLower(r.ID))
	}
	return out
}

func readSeen(raw []byte, etag string) (Seen, error) {
	var in struct {
		ID       string     `json:"id"`
		Name     string     `json:"displayName"`
		Status   string     `json:"status"`
		End      *time.Time `json:"endDateTime"`
		Customer *struct {
			Tenant string `json:"tenantId"`
		} `json:"customer"`
		Access unifiedRoles `json:"accessDetails"`
		ETag   string       `json:"@odata.etag"`
	}
	if err := json.Unmarshal(raw, &in); err != nil || !double.MatchString(in.ID) || in.Status == "" {
		return Seen{}, unreadable()
	}
	s := Seen{ID: in.ID, Name: in.Name, Status: in.Status, Roles: in.Access.ids(), ETag: etag}
	if s.ETag == "" {
		s.ETag = in.ETag
	}
	if in.End != nil {
		s.End = in.End.UTC()
	}
	if in.Customer != nil {
		s.Customer = strings.ToLower(in.Customer.Tenant)
	}
	return s, nil
}

func unreadable() error {
	return problem.New(problem.Unavailable, "an answer of Microsoft Graph cannot be read").WithHint("nothing to do: it is asked again")
}

// Relationship reads one.
func (l live) Relationship(ctx context.Context, id string) (Seen, error) {
	a, err := l.g.Read(ctx, l.at(id))
	if err != nil {
		return Seen{}, err
	}
	return readSeen(a.Body, a.ETag)
}

// Named finds the relationship of a name: where Graph does not take the filter, by all of them.
func (l live) Named(ctx context.Context, name string) (Seen, bool, error) {
	s, found, err := l.search(ctx, base+"?$filter="+url.QueryEscape("displayName eq '"+strings.ReplaceAll(name, "'", "''")+"'"), name)
	if e, ok := errors.AsType[*msapi.APIError](err); ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotImplemented) {
		return l.search(ctx, base+"?$top=300", name)
	}
	return s, found, err
}

func (l live) search(ctx context.Context, where, name string) (s Seen, found bool, err error) {
	n := 0
	for raw, err := range l.g.Items(ctx, where) {
		if err != nil {
			return s, false, err
		}
		if n++; n > maxSearched {
			return s, false, problem.New(problem.Limit, "there are more than %d relationships", maxSearched)
		}
		if s, err = readSeen(raw, ""); err != nil {
			return s, false, err
		}
		if strings.EqualFold(s.Name, name) {
			return s, true, nil
		}
	}
	return Seen{}, false, nil
}

// Create makes a relationship for one customer alone.
func (l live) Create(ctx context.Context, tenant string, r Relationship) (Seen, error) {
	body := map[string]any{"displayName": r.Name, "duration": r.Duration, "customer": map[string]string{"tenantId": tenant},
		"accessDetails": rolesOf(r.Roles)}
	if r.AutoExtend != "" {
		body["autoExtendDuration"] = r.AutoExtend
	}
	a, err := l.g.Write(ctx, msapi.Write{Method: http.MethodPost, Path: base, Body: body})
	if err != nil {
		return Seen{}, err
	}
	return readSeen(a.Body, a.ETag)
}

// Ask makes a request of a relationship.
func (l live) Ask(ctx context.Context, id, action string) error {
	_, err := l.g.Write(ctx, msapi.Write{Method: http.MethodPost, Path: l.at(id, "requests"), Body: map[string]string{"action": action}})
	return err
}

// Discard deletes a relationship that was never offered.
func (l live) Discard(ctx context.Context, id, etag string) error {
	_, err := l.g.Write(ctx, msapi.Write{Method: http.MethodDelete, Path: l.at(id), IfMatch: etag})
	return err
}

// SetRoles changes the roles of a relationship.
func (l live) SetRoles(ctx context.Context, id, etag string, roles []string) (string, error) {
	a, err := l.g.Write(ctx, msapi.Write{Method: http.MethodPatch, Path: l.at(id), IfMatch: etag, Body: map[string]any{"accessDetails": rolesOf(roles)}})
	return operationOf(a), err
}

// operationOf is the operation that an answer of 202 points to, "" for none.
func operationOf(a msapi.Reply) string {
	dir, id := path.Split(a.Location)
	if a.Status != http.StatusAccepted || !strings.HasSuffix(strings.ToLower(dir), "/operations/") || !double.MatchString(id) {
		return ""
	}
	return id
}

// Assignments lists the assignments of a relationship, those that are gone too.
func (l live) Assignments(ctx context.Context, id string) ([]Assigned, error) {
	var out []Assigned
	for raw, err := range l.g.Items(ctx, l.at(id, "accessAssignments")) {
		if err != nil {
			return nil, err
		}
		a, err := readAssigned(raw)
		if err != nil {
			return nil, err
		}
		if out = append(out, a); len(out) > maxListed {
			return nil, problem.New(problem.Limit, "a relationship has more than %d assignments", maxListed)
		}
	}
	return out, nil
}

func readAssigned(raw []byte) (Assigned, error) {
	var in struct {
		ID        string `json:"id"`
		Status    string `json:"status"`
		Container struct {
			ID string `json:"accessContainerId"`
		} `json:"accessContainer"`
		Access unifiedRoles `json:"accessDetails"`
		ETag   string       `json:"@odata.etag"`
	}
	if err := json.Unmarshal(raw, &in); err != nil || !double.MatchString(in.ID) || in.Status == "" {
		return Assigned{}, unreadable()
	}
	return Assigned{in.ID, strings.ToLower(in.Container.ID), in.Status, in.Access.ids(), in.ETag}, nil
}

// Assign gives roles to a group that has none of the relationship.
func (l live) Assign(ctx context.Context, id, group string, roles []string) error {
	_, err := l.g.Write(ctx, msapi.Write{Method: http.MethodPost, Path: l.at(id, "accessAssignments"), Body: map[string]any{
		"accessContainer": map[string]string{"accessContainerId": group, "accessContainerType": "securityGroup"}, "accessDetails": rolesOf(roles)}})
	return err
}

// etag reads the ETag of an assignment where its list did not say it.
func (l live) etag(ctx context.Context, id, assignment, etag string) (string, error) {
	if etag != "" {
		return etag, nil
	}
	a, err := l.g.Read(ctx, l.at(id, "accessAssignments", url.PathEscape(assignment)))
	return a.ETag, err
}

// Reassign gives a group other roles.
func (l live) Reassign(ctx context.Context, id, assignment, etag string, roles []string) (string, error) {
	etag, err := l.etag(ctx, id, assignment, etag)
	if err != nil {
		return "", err
	}
	a, err := l.g.Write(ctx, msapi.Write{Method: http.MethodPatch, Path: l.at(id, "accessAssignments", url.PathEscape(assignment)), IfMatch: etag,
		Body: map[string]any{"accessDetails": rolesOf(roles)}})
	return operationOf(a), err
}

// Unassign takes all roles of a relationship from a group.
func (l live) Unassign(ctx context.Context, id, assignment, etag string) error {
	etag, err := l.etag(ctx, id, assignment, etag)
	if err == nil {
		_, err = l.g.Write(ctx, msapi.Write{Method: http.MethodDelete, Path: l.at(id, "accessAssignments", url.PathEscape(assignment)), IfMatch: etag})
	}
	return err
}

// Operation reads an operation's status.
func (l live) Operation(ctx context.Context, id, operation string) (string, error) {
	a, err := l.g.Read(ctx, l.at(id, "operations", url.PathEscape(operation)))
	if err != nil {
		return "", err
	}
	var in struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(a.Body, &in) != nil {
		return "", unreadable()
	}
	return in.Status, nil
}

// DAP says whether the partner has DAP at a customer.
func (l live) DAP(ctx context.Context, tenant string) (delegation.Answer, error) {
	c, err := l.p.DAP(ctx, tenant)
	switch {
	case err != nil:
		return delegation.Unknown, err
	case c == msapi.Compliant:
		return delegation.Yes, nil
	case c == msapi.NotCompliant:
		return delegation.No, nil
	}
	return delegation.Unknown, nil
}

// RemoveDAP takes DAP away, and nothing else.
func (l live) RemoveDAP(ctx context.Context, tenant string) error { return l.p.RemoveDAP(ctx, tenant) }
