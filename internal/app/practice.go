package app

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/facts"
	"partnerguard/internal/intake"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/sample"
	"partnerguard/internal/signin/fold"
)

// Practices reads, and judges the CSP security best practices: the partner's own lists, and
// beside them those of customers in customers/<tenant id>/ of a folder that is named.
func Practices(ctx context.Context, r Reading, q Question) (*practice.Report, error) {
	var kept besidePractices
	if open := r.Archive; open != nil {
		r.Archive = func(ctx context.Context, a Archived) (fs.FS, error) {
			f, err := open(ctx, a)
			kept, _ = f.(besidePractices)
			return f, err
		}
	}
	j, err := judge(ctx, r, q, nil)
	if err != nil {
		return nil, err
	}
	var own *practice.Own
	var folders []CustomerFolder
	if kept != nil {
		if folders, own, err = kept.practicesBeside(ctx, j.Report.AsOf); err != nil {
			return nil, err
		}
	}
	customers, err := customersRead(ctx, r, j, folders)
	if err != nil {
		return nil, err
	}
	return j.practices(customers, own), nil
}

// besidePractices is an archive that knows the lists of the partner's customers, and what it
// keeps of the partner's audit log.
type besidePractices interface {
	practicesBeside(ctx context.Context, asOf time.Time) ([]CustomerFolder, *practice.Own, error)
}

// practices judges them by what was judged already.
func (j *Judged) practices(customers []practice.Customer, own *practice.Own) *practice.Report {
	return practice.Judge(j.Facts, j.Report, practice.Options{AsOf: j.Report.AsOf, Kind: partner.Kind(j.Report.Partner.Kind),
		Cloud: partner.Cloud(j.Report.Partner.Cloud), Sample: j.Report.Sample, Assess: j.options, Customers: customers, Own: own})
}

// customersRead reads the customers' own lists and judges each as a tenant.
func customersRead(ctx context.Context, r Reading, j *Judged, folders []CustomerFolder) (out []practice.Customer, err error) {
	for _, p := range r.From {
		found, err := customerFolders(p)
		if err != nil {
			return nil, err
		}
		folders = append(folders, found...)
	}
	if r.Sample() {
		for tenant, files := range sample.Customers() {
			folders = append(folders, CustomerFolder{Tenant: tenant, Path: "sample:" + customersFolder + "/" + tenant, files: files})
		}
	}
	slices.SortStableFunc(folders, func(a, b CustomerFolder) int { return strings.Compare(a.Tenant, b.Tenant) })
	for i := range folders {
		f, err := customerFacts(ctx, r, &folders[i], j)
		if err != nil {
			return nil, err
		}
		c := customerOf(folders[i].Tenant, f, j)
		c.Own = folders[i].own
		out = append(out, c)
	}
	return out, nil
}

// customerOf is what the practices take of one customer's own facts.
func customerOf(tenant string, f *facts.Facts, j *Judged) practice.Customer {
	o := assess.Options{AsOf: j.Report.AsOf, Kind: partner.Kind(j.Report.Partner.Kind), Cloud: partner.Cloud(j.Report.Partner.Cloud)}
	if at := f.Ages().SettledAt(o.AsOf); !f.Alike(at, o.AsOf) {
		f.SetTime(at)
	}
	if f.SettingsKnown() {
		o.Engine = access.Compile(f.Tenant())
	}
	c := practice.Customer{Tenant: strings.ToLower(tenant), Facts: f, Report: assess.Assess(f, o)}
	if len(f.Directory.Organizations) > 0 {
		c.Name = f.Directory.Organizations[0].DisplayName
	}
	return c
}

// customerFacts reads all that lies in a customer's folder.
func customerFacts(ctx context.Context, r Reading, c *CustomerFolder, j *Judged) (*facts.Facts, error) {
	rows := fold.New(fold.Options{Scratch: scratch{}})
	s := &sink{facts: facts.New(), fold: rows}
	s.facts.SetTime(j.Report.AsOf)
	inputs, err := c.read(ctx, intake.Options{Now: r.Now}, s)
	if err != nil {
		rows.Discard()
		return nil, err
	}
	s.facts.Inputs = inputs
	if kept, ok := c.files.(interface{ known() known }); ok {
		beside := kept.known()
		beside.tell(s.facts)
	}
	summary, err := rows.Finish(ctx, nil)
	if err != nil {
		return nil, err
	}
	if len(summary.Accounts) > 0 || summary.Rows > 0 {
		s.facts.SignIns = &summary
	}
	s.facts.TellLog(&summary)
	s.facts.DateLog(&summary)
	return s.facts, nil
}
