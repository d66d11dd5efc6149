//go:build !judge

package app

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/facts"
	"partnerguard/internal/fraud/budget"
	fraudpages "partnerguard/internal/fraud/pages"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
	"partnerguard/internal/trail"
)

// makeBudgets makes what sets spending budgets.
func (i *Installation) makeBudgets() (err error) {
	d := budget.Deps{DB: i.DB, Record: i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	if !i.look {
		d.Last = i.lastOfBudgets
	}
	if i.SAM != nil {
		d.Cloud = i.budgetCloud
	}
	i.Budgets, err = budget.New(d)
	return err
}

// aboutBudgets begins the lines of the trail that say something of plans of budgets.
var aboutBudgets = []byte(`"action":"budget.`)

// lastOfBudgets gives what the trail says last of a plan of budgets.
func (i *Installation) lastOfBudgets(ctx context.Context) (func(plan string) audit.Action, error) {
	all, err := i.budgetWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, aboutBudgets) },
		func(e *trail.Entry) (string, bool) {
			return e.Object, e.Action == audit.BudgetApplied || e.Action == audit.BudgetRolledBack
		})
	if err != nil {
		return nil, err
	}
	return func(plan string) audit.Action { return all[plan] }, nil
}

// budgetCloud is the way to Microsoft by the connection of the partner's tenant.
func (i *Installation) budgetCloud(ctx context.Context, tenant string) (budget.Cloud, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.Tenant, tenant) {
		return nil, problem.New(problem.Conflict, "the plan is of the partner %s, and the connection %s of %s", tenant, c.Name, c.Tenant).
			WithHint("name the connection of that partner with the setting collectConnection")
	}
	p, err := i.SAM.PartnerCenter(c)
	if err != nil {
		return nil, err
	}
	return budget.Live(p, func(customer string) (*msapi.Consumption, error) {
		t := i.SAM.Target(c, customer)
		return i.API.Consumption(t.Cloud, customer, t.Bearer(t.Cloud.ARMResource))
	}), nil
}

// spendMaker makes of the partner's judgement what customers' Azure costs, joined with what
// was known before.
type spendMaker struct{ i *Installation }

func (spendMaker) visitor(whereIs) signin.Visitor { return nil }

func (m spendMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	before, _, err := snapshot.Get[budget.Book](ctx, m.i.Snapshot, strings.ToLower(tenant), budget.PartName)
	if errors.Is(err, problem.NotFound) || errors.Is(err, snapshot.ErrBroken) {
		before, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := budget.Build(before, j.Facts, j.Report.AsOf)
	b.Partner = strings.ToLower(tenant)
	return map[string]any{budget.PartName: b}, nil
}

// ownBudgetMaker makes of a customer's judgement which budgets of Azure's own it has.
type ownBudgetMaker struct{}

func (ownBudgetMaker) visitor(whereIs) signin.Visitor { return nil }

func (ownBudgetMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	return map[string]any{budget.OwnName: budget.BuildOwn(j.Facts, j.Report.AsOf)}, nil
}

// SpendingKept is what was collected of customers' spending: shared, and never changed.
type SpendingKept struct {
	Book *budget.Book
	Own  map[string]*budget.Own // by customer
}

// spendingFacts are what was collected. Kind problem.NotFound where nothing was yet.
func (i *Installation) spendingFacts(ctx context.Context) (*SpendingKept, error) {
	none := problem.New(problem.NotFound, "nothing was collected yet of what customers' Azure costs").
		WithHint("partnerguard collect --now, or name an export with --from")
	if i.Snapshot == nil { // it is only looked at
		return nil, none
	}
	t, err := i.Collect.Tenant(ctx, "partner")
	if err != nil {
		return nil, err
	}
	out := &SpendingKept{Own: map[string]*budget.Own{}}
	out.Book, _, err = snapshot.Get[budget.Book](ctx, i.Snapshot, strings.ToLower(t.ID), budget.PartName)
	if errors.Is(err, problem.NotFound) || errors.Is(err, snapshot.ErrBroken) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	for x, err := range snapshot.All[budget.Own](ctx, i.Snapshot, budget.OwnName) {
		if err != nil && x.Tenant == "" {
			return nil, err
		}
		if err == nil { // one that cannot be read is made anew, and not known until then
			out.Own[x.Tenant] = x.Part
		}
	}
	return out, nil
}

// spendingLists are the files of a customer's folder that tell its budgets, by how their names
// begin, in lower case.
var spendingLists = []string{"azuresubscriptions", "azurebudgets"}

// SpendingFrom reads what files say of customers' spending: the partner's own lists, and
// beside them those in customers/<tenant id>/.
func SpendingFrom(ctx context.Context, r Reading) (*SpendingKept, error) {
	r.apart = customersApart(r.From)
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	at := r.At
	if at.IsZero() {
		at = r.Now
	}
	out := &SpendingKept{Book: budget.Build(nil, f, at), Own: map[string]*budget.Own{}}
	for _, p := range r.From {
		folders, err := customerFolders(p)
		if err != nil {
			return nil, err
		}
		for _, c := range folders {
			own, err := listsOf(ctx, r, c, spendingLists)
			if err != nil {
				return nil, err
			}
			if own != nil {
				o := budget.BuildOwn(own, at)
				out.Own[c.Tenant] = &o
			}
		}
	}
	return out, nil
}

// listsOf reads those files of a customer's folder whose names begin so; nil: there is none.
func listsOf(ctx context.Context, r Reading, c CustomerFolder, begin []string) (*facts.Facts, error) {
	names, err := filepath.Glob(filepath.Join(c.Path, "*"))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder %.200q cannot be listed", c.Path).WithHint("check who may read it")
	}
	one := Reading{At: r.At, Now: r.Now}
	for _, n := range names {
		if slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(strings.ToLower(filepath.Base(n)), b) }) {
			one.From = append(one.From, n)
		}
	}
	if len(one.From) == 0 {
		return nil, nil //nolint:nilnil // nothing of it is known
	}
	return Read(ctx, one, nil)
}

// Spending says how customers' spending stands, by what was collected or by files. customer
// "" is all of them, else a tenant id or a domain; kind problem.NotFound for one that is not there.
func (i *Installation) Spending(ctx context.Context, from []string, customer string) (*budget.Report, error) {
	kept, err := i.spendingOf(ctx, from)
	if err != nil {
		return nil, err
	}
	return kept.Stand(i.Now(), customer)
}

// Stand says how customers stand at a moment.
func (k *SpendingKept) Stand(now time.Time, customer string) (*budget.Report, error) {
	if customer == "" {
		return budget.Stand(k.Book, k.Own, now, nil), nil
	}
	tenant := ""
	for _, a := range k.Book.Customers {
		if strings.EqualFold(a.Tenant, customer) || a.Domain != "" && strings.EqualFold(a.Domain, customer) {
			tenant = a.Tenant
		}
	}
	if tenant == "" {
		return nil, problem.New(problem.NotFound, "no customer with Azure is called %.80q", customer).
			WithHint("name a tenant id or domain; partnerguard spend status lists them")
	}
	return budget.Stand(k.Book, k.Own, now, func(t string) bool { return t == tenant }), nil
}

func (i *Installation) spendingOf(ctx context.Context, from []string) (*SpendingKept, error) {
	if len(from) == 0 {
		return i.spendingFacts(ctx)
	}
	return SpendingFrom(ctx, Reading{From: from, Now: i.Now(), At: i.Now(), Archive: i.Shown})
}

// BudgetPlan makes a plan of budgets. It asks nobody for anything and changes nothing.
func (i *Installation) BudgetPlan(ctx context.Context, from []string, a budget.Ask) (budget.Plan, error) {
	kept, err := i.spendingOf(ctx, from)
	if err != nil {
		return budget.Plan{}, err
	}
	a.Cloud, a.Now, a.Book, a.Own = i.Cloud.Name, i.Now(), kept.Book, kept.Own
	return budget.Make(&a)
}

// BudgetApply takes a plan of budgets over.
func (i *Installation) BudgetApply(ctx context.Context, p budget.Plan) (budget.Run, error) {
	if p.Cloud != i.Cloud.Name {
		return budget.Run{}, problem.New(problem.Conflict, "the plan is for the cloud %.40q, and this is %s", p.Cloud, i.Cloud.Name).
			WithHint("have it made here")
	}
	return i.Budgets.Apply(ctx, p)
}

// spendPage is the page of what customers' Azure costs.
func (i *Installation) spendPage() pager {
	return fraudpages.NewSpend(func(ctx context.Context) (*budget.Report, error) { return i.Spending(ctx, nil, "") },
		func(ctx context.Context) (map[string][]fraudpages.OddSpending, error) {
			if i.OddSpending == nil { // nobody looks
				return nil, nil
			}
			return i.OddSpending(ctx)
		})
}
