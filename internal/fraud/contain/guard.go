//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Azure's roles that a subscription must not be without.
const (
	azureOwner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	azureContributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	azureAccess      = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	foreignGroup     = "ForeignGroup"
)

// microsoft is the tenant of Microsoft's own apps.
const microsoft = entra.TenantMicrosoftServices

// refuse is a step that is not done, whoever approved it.
func refuse(hint, format string, args ...any) error {
	return problem.New(problem.Conflict, format, args...).WithHint("%s", hint)
}

// guard refuses what would lock somebody out who must not be: the last administrator, or
// ourselves. It reads what is so at this moment; what cannot be read is refused too.
func (c *Cloud) guard(ctx context.Context, steps []Step, s *Step) error {
	switch s.Kind {
	case RevokeSessions, DisableUser:
		return c.guardUser(ctx, steps, s)
	case DisableApp:
		a, err := readAccount(ctx, c.graph(s.Tenant), appPath(s.Target))
		if absent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case c.Self.App == "" || strings.EqualFold(a.App, c.Self.App):
			return refuse("do it by another connection: --connection NAME", "the app %s is the one that this program acts with", print.Clean(a.Name,
				print.MaxName))
		case strings.EqualFold(a.Owner, microsoft):
			return refuse("take the step out", "the app %s is Microsoft's own", print.Clean(a.Name, print.MaxName))
		}
	case RemoveCredential:
		r, err := c.graph(s.Tenant).Read(ctx, "/v1.0/"+s.Target+"?$select=id,appId")
		if absent(err) {
			return nil
		}
		var in account
		switch {
		case err != nil:
			return err
		case json.Unmarshal(r.Body, &in) != nil || in.App == "" || c.Self.App == "":
			return unreadable("an app")
		case strings.EqualFold(in.App, c.Self.App):
			return refuse("rotate it in Partner Center's connection: partnerguard connect", "it is a credential of the app that this program acts with")
		}
	case RemoveRole:
		return c.guardRole(ctx, steps, s)
	}
	return nil
}

func (c *Cloud) guardUser(ctx context.Context, steps []Step, s *Step) error {
	if c.Self.User == "" && c.Self.UPN == "" {
		return refuse("report it", "it is not known as whom this program acts")
	}
	switch mine, err := c.ourselves(ctx, s); {
	case absent(err):
		return nil
	case err != nil:
		return err
	case mine:
		return refuse("work from another account's connection: --connection NAME; another administrator of the partner can do it by hand",
			"%s is the account that this program acts with: it would lock itself out", print.Clean(c.Self.UPN, print.MaxName))
	}
	if s.Kind == RevokeSessions { // who signs in again loses nothing
		return nil
	}
	all, err := admins(ctx, c.graph(s.Tenant))
	if err != nil {
		return problem.Wrap(err, problem.Conflict, "who else is a Global Administrator cannot be read, so that nobody is disabled: %s", err.Error()).
			WithHint("give the connection RoleManagement.Read.Directory and User.Read.All, or have it done by hand: %s", c.Contact)
	}
	if len(all) <= maxAdmins && !slices.ContainsFunc(all, func(a account) bool { return strings.EqualFold(a.ID, s.Target) }) {
		return nil
	}
	gone := map[string]bool{strings.ToLower(s.Target): true}
	for i := range steps {
		if x := &steps[i]; x.Kind == DisableUser && x.Tenant == s.Tenant {
			gone[strings.ToLower(x.Target)] = true
		}
	}
	for _, a := range all {
		if !gone[strings.ToLower(a.ID)] && a.Enabled != nil && *a.Enabled {
			return nil
		}
	}
	return refuse("have the customer make or enable another Global Administrator first (its break-glass account), then make the plan anew; "+
		"its sessions are revoked all "+
		"the same", "%s is the last Global Administrator of its tenant that can sign in: disabling it would lock everybody out", s.Name)
}

// ourselves says whether a step is about the account that we act with: by its id, or by its
// name where the connection does not know the id.
func (c *Cloud) ourselves(ctx context.Context, s *Step) (bool, error) {
	if !strings.EqualFold(s.Tenant, c.Self.Tenant) {
		return false, nil
	}
	if c.Self.User != "" {
		return strings.EqualFold(s.Target, c.Self.User), nil
	}
	a, err := readAccount(ctx, c.graph(s.Tenant), userPath(s.Target))
	return strings.EqualFold(a.UPN, c.Self.UPN), err
}

// maxAdmins bounds who is looked at; of more, anybody may be one.
const maxAdmins = 200

// admins are the accounts that hold Global Administrator now, by themselves or by a group.
func admins(ctx context.Context, g Graph) (out []account, err error) {
	filter := url.QueryEscape("roleDefinitionId eq '" + entra.RoleGlobalAdministrator + "'")
	ids := map[string]bool{}
	for raw, err := range g.Items(ctx, "/v1.0/roleManagement/directory/roleAssignments?$filter="+filter) {
		var in struct {
			Principal string `json:"principalId"`
			Scope     string `json:"directoryScopeId"`
		}
		if err == nil && (json.Unmarshal(raw, &in) != nil || in.Principal == "") {
			err = unreadable("role assignments")
		}
		if err != nil {
			return nil, err
		}
		if in.Scope == "" || in.Scope == "/" {
			ids[strings.ToLower(in.Principal)] = true
		}
	}
	for id := range ids {
		a, err := readAccount(ctx, g, userPath(url.PathEscape(id)))
		switch {
		case err == nil:
			out = append(out, a)
			continue
		case !absent(err):
			return nil, err
		}
		for raw, err := range g.Items(ctx, "/v1.0/groups/"+url.PathEscape(id)+"/transitiveMembers?$select=id") {
			var m account
			if absent(err) {
				break // a service principal: it signs nobody in
			}
			if err == nil && json.Unmarshal(raw, &m) != nil {
				err = unreadable("members of a group")
			}
			if err != nil {
				return nil, err
			}
			if a, err := readAccount(ctx, g, userPath(url.PathEscape(m.ID))); err == nil {
				out = append(out, a)
			} else if !absent(err) {
				return nil, err
			}
			if len(out) > maxAdmins {
				return out, nil
			}
		}
	}
	return out, nil
}

// guardRole keeps the partner's own way in, and one Owner of the subscription.
func (c *Cloud) guardRole(ctx context.Context, steps []Step, s *Step) error {
	parts := strings.SplitN(s.Target, "/", 4)
	list, err := readRoles(ctx, c, strings.Join(parts[:3], "/"))
	if err != nil {
		return problem.Wrap(err, problem.Conflict, "the other role assignments cannot be read, so that none is removed: %s", err.Error()).
			WithHint("give the connection Reader on the subscription")
	}
	going := map[string]bool{strings.ToLower(s.Target): true}
	for i := range steps {
		if steps[i].Kind == RemoveRole {
			going[strings.ToLower(steps[i].Target)] = true
		}
	}
	below := strings.ToLower(strings.Join(parts[:3], "/")) + "/" // whose Owner is none of the whole subscription
	owners, mine := 0, (*role)(nil)
	for i := range list {
		r := &list[i]
		if strings.EqualFold(r.id, s.Target) {
			mine = r
		}
		if r.definition == azureOwner && !going[strings.ToLower(r.id)] && !strings.HasPrefix(r.scope, below) {
			owners++
		}
	}
	switch {
	case mine == nil: // it was there a moment ago
		return problem.New(problem.Unavailable, "it is not among the role assignments that Azure lists now")
	case strings.EqualFold(mine.kind, foreignGroup):
		return refuse("take the step out", "it is the partner's own way into the subscription")
	case strings.EqualFold(mine.principal, c.Self.User):
		return refuse("work from another connection: --connection NAME", "it is the role of the account that this program acts with")
	case mine.definition == azureOwner && owners == 0 && !strings.HasPrefix(mine.scope, below):
		return refuse("leave one Owner whom you trust, or make one first", "no Owner of the subscription would be left")
	case strings.EqualFold(mine.kind, "ServicePrincipal"):
		return c.guardApp(ctx, s.Tenant, mine.principal)
	}
	return nil
}

// guardApp keeps the roles of the app that we act with, whose object in a tenant has an id of
// its own.
func (c *Cloud) guardApp(ctx context.Context, tenant, principal string) error {
	a, err := readAccount(ctx, c.graph(tenant), appPath(url.PathEscape(principal)))
	switch {
	case absent(err): // of an app that is gone
		return nil
	case err != nil:
		return problem.Wrap(err, problem.Conflict, "whose role it is cannot be read, so that it is not removed: %s", err.Error()).
			WithHint("give the connection Application.Read.All, or have it done by hand: %s", c.Contact)
	case strings.EqualFold(a.App, c.Self.App):
		return refuse("work from another connection: --connection NAME", "it is the role of the app that this program acts with")
	}
	return nil
}
