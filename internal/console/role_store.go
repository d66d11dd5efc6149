package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

func isForged(err error) bool { return errors.Is(err, vault.ErrForged) }

// Limits of grants.
const (
	maxGrants = 5000
	maxName   = 120 // bytes
)

// grants are the rows of roles, each held to its mark: one that does not hold says so in
// Refused and gives nothing.
func (c *Console) grants(ctx context.Context) ([]Grant, error) {
	rows, err := c.roleRows(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		g := &rows[i]
		if err := c.holds(ctx, roleBook, g.ID, g.mark, g.values(), audit.ConsoleRoleGiven); isForged(err) {
			g.Refused = err.Error()
		} else if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Grants lists the roles that were given, oldest first.
func (c *Console) Grants(ctx context.Context) ([]Grant, error) { return c.grants(ctx) }

// Give gives a role to a person or a group of a tenant. It counts from their next sign-in
// on. Kind problem.Usage for what cannot be, problem.Conflict where it stands already.
func (c *Console) Give(ctx context.Context, g Grant, actor string) (Grant, error) {
	g.ID, g.By, g.Made, g.Refused = token.ID("cr"), actor, c.now(), ""
	g.Tenant, g.Subject, g.Name = strings.ToLower(g.Tenant), strings.ToLower(strings.TrimSpace(g.Subject)), strings.TrimSpace(g.Name)
	g.Customers = lowered(g.Customers)
	if g.Name == "" {
		g.Name = g.Subject
	}
	if err := g.check(); err != nil {
		return Grant{}, err
	}
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := c.roleRows(ctx)
		if err != nil {
			return err
		}
		if len(rows) >= maxGrants {
			return problem.New(problem.Limit, "%d roles are given, and no more can be", len(rows)).WithHint("give them to groups")
		}
		for _, o := range rows {
			if o.Tenant == g.Tenant && o.Kind == g.Kind && o.Subject == g.Subject {
				return problem.New(problem.Conflict, "%s has the role %s already (%s)", g.Name, o.Role, o.ID).
					WithHint("partnerguard console roles remove %s takes it away; then give another", o.ID)
			}
		}
		if err := c.insertRole(ctx, &g); err != nil {
			return err
		}
		return c.tellRole(ctx, audit.ConsoleRoleGiven, &g, actor)
	})
	return g, err
}

func (g *Grant) check() error {
	bad := func(format string, args ...any) *problem.Error { return problem.New(problem.Usage, format, args...) }
	r, ok := FindRole(g.Role)
	switch {
	case !ok || r.ID == RoleOperator:
		return bad("there is no role %.40q to give", g.Role).WithHint("one of %s", strings.Join(Given(), ", "))
	case g.Kind != KindUser && g.Kind != KindGroup:
		return bad("a role is given to a user or a group")
	case !guidForm.MatchString(g.Subject):
		return bad("%.60q is no object id", g.Subject).
			WithHint("Entra ID shows it with the user or group; who was refused at the sign-in is told theirs")
	case !guidForm.MatchString(g.Tenant):
		return bad("%.60q is no tenant id", g.Tenant)
	case g.Customers != nil && !r.Limits:
		return bad("the role %s cannot be limited to customers", r.ID).WithHint("engineer, on-call, auditor and reader can")
	case g.Customers != nil && len(g.Customers) == 0:
		return bad("the list of customers is empty, so the role would show nothing").WithHint("name customers, or none for all")
	}
	if why := textFault(g.Name, maxName); why != "" {
		return bad("the name %s", why)
	}
	if why := textFault(g.By, 200); why != "" {
		return bad("who gives the role %s", why)
	}
	return checkCustomers(g.Customers)
}

// Take takes a role away: it is gone at the next request of whoever had it. Kind
// problem.NotFound when there is none.
func (c *Console) Take(ctx context.Context, id, actor string) (Grant, error) {
	var was Grant
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := c.roleRows(ctx)
		if err != nil {
			return err
		}
		found := false
		for _, g := range rows {
			if g.ID == id {
				was, found = g, true
			}
		}
		if !found {
			return problem.New(problem.NotFound, "no role that was given has the id %.40q", id).WithHint("partnerguard console roles lists them")
		}
		if _, err := c.deleteRole(ctx, id); err != nil {
			return err
		}
		return c.tellRole(ctx, audit.ConsoleRoleTaken, &was, actor)
	})
	return was, err
}

func (c *Console) tellRole(ctx context.Context, action audit.Action, g *Grant, actor string) error {
	d := map[string]string{"role": g.Role, "kind": g.Kind, "subject": g.Subject, "name": g.Name}
	if g.Customers != nil {
		d["customers"] = fmt.Sprint(len(g.Customers))
	}
	return c.record(ctx, audit.Event{Action: action, Outcome: audit.Done, Actor: actor, Object: g.ID, Tenant: g.Tenant, Details: d})
}

// Tenant is whose people come in: its id and what it is called. Kind problem.NotFound
// where nothing is connected.
func (c *Console) Tenant(ctx context.Context) (id, name string, err error) {
	si, err := c.app(ctx)
	return si.Tenant, si.Name, err
}
