package provider

import (
	"context"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Tenant is a tenant whose people are asked here.
type Tenant struct {
	ID    string `json:"tenant"` // its id, in lower case
	Name  string `json:"name"`   // shown to its people
	Cloud string `json:"cloud"`
	// App is the app id in Entra ID, which hints are for; Client the client id of the
	// method's configuration, which answers are for.
	App           string    `json:"appId"`
	Client        string    `json:"clientId"`
	Configuration string    `json:"configurationId,omitempty"` // of the method in Entra ID; "" where it is not known
	Added         time.Time `json:"added"`
	AddedBy       string    `json:"addedBy"`
	Ended         time.Time `json:"ended,omitzero"`

	version int64
	mark    []byte
}

// Limits of what is kept of tenants.
const (
	maxTenants = 10_000
	maxText    = 256
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// Served gives a tenant whose people are asked here; kind problem.NotFound where it is
// none. A row that we did not write is an error.
func (p *Provider) Served(ctx context.Context, id string) (Tenant, error) {
	id = strings.ToLower(id)
	rows, err := p.readTenant(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	if len(rows) == 0 {
		return Tenant{}, problem.New(problem.NotFound, "the tenant is not served")
	}
	t := rows[0]
	if t.ID != id {
		return Tenant{}, vault.Other(TenantBook, id)
	}
	if err := p.d.Vault.Fits(ctx, TenantBook, t.mark, t.values()...); err != nil {
		return Tenant{}, err
	}
	if !t.Ended.IsZero() || t.Cloud != p.d.Cloud.Name {
		return Tenant{}, problem.New(problem.NotFound, "the tenant is not served")
	}
	if p.d.Last == nil {
		return t, nil
	}
	said, err := p.d.Last(ctx)
	if err == nil {
		err = p.notEnded(ctx, TenantBook.Table, t.ID, said, audit.MFATenantEnded)
	}
	return t, err
}

// Tenants are all that were ever served. Rows are held to their marks where the vault
// is open.
func (p *Provider) Tenants(ctx context.Context) ([]Tenant, error) {
	rows, err := p.readTenants(ctx)
	for i := range rows {
		if err != nil || p.d.Vault == nil {
			break
		}
		err = p.d.Vault.Fits(ctx, TenantBook, rows[i].mark, rows[i].values()...)
	}
	return rows, err
}

// Serve has the people of a tenant asked here from now on, or changes by what ids.
// Kind problem.Usage for what cannot be.
func (p *Provider) Serve(ctx context.Context, t Tenant, actor string) (Tenant, error) {
	t.ID, t.Cloud, t.Added, t.AddedBy, t.Ended = strings.ToLower(t.ID), p.d.Cloud.Name, p.d.Now().UTC().Truncate(time.Microsecond), actor, time.Time{}
	t.App = strings.ToLower(t.App)
	switch {
	case !guid.MatchString(t.ID):
		return Tenant{}, problem.New(problem.Usage, "the tenant is not named by its id").WithHint("an id is 8-4-4-4-12 hex digits")
	case !guid.MatchString(t.App):
		return Tenant{}, problem.New(problem.Usage, "the app is not named by its id").WithHint("it is the application (client) id of the app in Entra ID")
	case t.Client == "" || len(t.Client) > maxText || len(t.Name) > maxText || len(t.Configuration) > maxText:
		return Tenant{}, problem.New(problem.Usage, "a text is missing or longer than %d bytes", maxText)
	}
	return t, p.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := p.readTenant(ctx, t.ID)
		if err != nil {
			return err
		}
		t.version = 1
		if len(rows) > 0 {
			if err := p.d.Vault.Fits(ctx, TenantBook, rows[0].mark, rows[0].values()...); err != nil {
				return err
			}
			t.version = rows[0].version + 1
		}
		if err := p.putTenant(ctx, &t); err != nil {
			return err
		}
		return p.d.Record.Record(ctx, audit.Event{Action: audit.MFATenantAdded, Outcome: audit.Done, Actor: actor, Object: t.ID, Tenant: t.ID,
			Details: map[string]string{"app": t.App, "client": t.Client, "configuration": t.Configuration}})
	})
}

// End has nobody of a tenant asked here any more.
func (p *Provider) End(ctx context.Context, id, actor string) error {
	return p.d.DB.InTx(ctx, func(ctx context.Context) error {
		t, err := p.Served(ctx, id)
		if err != nil {
			return err
		}
		t.Ended = p.d.Now().UTC().Truncate(time.Microsecond)
		t.version++
		if err := p.putTenant(ctx, &t); err != nil {
			return err
		}
		return p.d.Record.Record(ctx, audit.Event{Action: audit.MFATenantEnded, Outcome: audit.Done, Actor: actor, Object: t.ID, Tenant: t.ID})
	})
}
