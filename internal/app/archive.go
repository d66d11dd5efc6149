//go:build !judge

package app

import (
	"context"
	"errors"
	"strings"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Archived shows the archive as of a moment, for [Reading.Archive].
func (i *Installation) Archived(ctx context.Context, a Archived) (*view.View, error) {
	tenant, err := i.ArchiveTenant(ctx, a.Tenant)
	if err != nil {
		return nil, err
	}
	return i.Archive.View(ctx, archive.ViewOf{Tenant: tenant, AsOf: a.AsOf, Since: a.Since})
}

// ArchiveTenant is the tenant that is meant where none is named: the only one in the
// archive, or the one of which what a partner alone has was read.
func (i *Installation) ArchiveTenant(ctx context.Context, named string) (string, error) {
	if named != "" {
		t, err := i.Collect.Tenant(ctx, named) // by a domain too
		if err == nil {
			return t.ID, nil
		}
		if errors.Is(err, problem.NotFound) {
			err = nil // its pages were restored from elsewhere
		}
		return named, err
	}
	all, err := i.Archive.Tenants(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", problem.New(problem.NotFound, "the archive is empty").WithHint("partnerguard collect --now reads what a connection may read")
	}
	if len(all) == 1 {
		return all[0], nil
	}
	var partners []string
	for _, t := range all {
		is, err := i.readAsPartner(ctx, t)
		if err != nil {
			return "", err
		}
		if is {
			partners = append(partners, t)
		}
	}
	if len(partners) == 1 {
		return partners[0], nil
	}
	return "", problem.New(problem.Usage, "the archive holds %d tenants, and it is not clear which of them is the partner", len(all)).
		WithHint("name one: archive:%s", all[0])
}

// readAsPartner reports that something was read of a tenant that partners alone
// have.
func (i *Installation) readAsPartner(ctx context.Context, tenant string) (bool, error) {
	for _, r := range evidence.Resources() {
		if r.Service != evidence.PartnerCenter && !strings.HasPrefix(r.Path, "/security/partner/") {
			continue
		}
		for _, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, Resource: r.Name}) {
			return err == nil, err
		}
	}
	return false, nil
}
