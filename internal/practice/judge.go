package practice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// ruling is what a judge says of a practice.
type ruling = assess.Ruling

// judge holds what the practices share while one report is made.
type judge struct {
	*facts.Facts
	o         Options
	report    *assess.Report
	bench     *assess.Bench
	tenant    *access.Tenant // for what is not known of roles
	standing  *directory.Standing
	customers []known
}

// known is a customer, with what was read of its own tenant.
type known struct {
	tenant, name string
	source       evidence.Source
	own          *Customer // nil: nothing
	foreign      string    // the tenant whose export lies there instead
}

// judges holds one judge a practice; a test keeps it equal to the table.
var judges = map[string]func(*judge) ruling{
	"P01": (*judge).taken, "P02": (*judge).taken, "P03": (*judge).secureScore, "P04": (*judge).everyAccount, "P05": (*judge).customersMFA,
	"P06": (*judge).reachWithoutMFA, "P07": (*judge).phishingResistant, "P08": (*judge).riskyUsers, "P09": (*judge).taken, "P10": (*judge).taken,
	"P11": (*judge).consent, "P12": (*judge).apps, "P13": (*judge).separateAdmins, "P14": (*judge).agents, "P15": (*judge).fewGlobals,
	"P16": (*judge).leavers, "P17": (*judge).onRequest, "P18": (*judge).dap, "P19": (*judge).taken, "P20": (*judge).relationshipsReviewed,
	"P21": (*judge).azureOwners, "P22": (*judge).mailTenant, "P23": (*judge).dedicated, "P24": (*judge).partnersAccounts, "P25": (*judge).healthyDevices,
	"P26": (*judge).workstations, "P27": (*judge).said, "P28": (*judge).auditKept, "P29": (*judge).unifiedAudit, "P30": (*judge).recovery,
	"P31": (*judge).said, "P32": (*judge).taken, "P33": (*judge).costAlerts, "P34": (*judge).regions, "P35": (*judge).said,
	"P36": (*judge).customersAdmins, "P37": (*judge).said, "P38": (*judge).said,
}

// Judge judges the practices by the facts and by the report that was made of them. It is
// pure: equal facts, report and options give equal reports.
func Judge(f *facts.Facts, report *assess.Report, o Options) *Report {
	o.Kind, o.Cloud, o.AsOf = cmp.Or(o.Kind, partner.DirectBill), cmp.Or(o.Cloud, partner.Public), o.AsOf.UTC()
	b := o.Assess
	b.AsOf, b.Kind, b.Cloud = o.AsOf, o.Kind, o.Cloud
	j := &judge{Facts: f, o: o, report: report, bench: assess.NewBench(f, b), tenant: f.Tenant(), standing: f.Standing()}
	j.customers = j.allCustomers()
	out := &Report{Schema: SchemaID, AsOf: o.AsOf, Partner: report.Partner, Sample: o.Sample, Program: report.Program, RuleBook: partner.Revised.String(),
		Complete: report.Complete, Incomplete: append([]string{}, report.Incomplete...), Customers: len(j.customers), From: report.From, Inputs: report.Inputs}
	for i := range j.customers {
		if c := &j.customers[i]; c.own != nil && c.own.Facts.Whole(evidence.User) {
			out.CustomersRead++
		} else if c.foreign != "" {
			out.Complete = false
			out.Incomplete = append(out.Incomplete,
				fmt.Sprintf("what lies there as %s is the export of another tenant, %s: it was not counted", c.name, c.foreign))
		}
	}
	remedies := Remedies()
	for _, p := range partner.Practices() {
		row := j.row(&p)
		row.Remedy = remedies[p.ID]
		out.Practices = append(out.Practices, row)
		out.Sum.add(row.Verdict)
	}
	out.Attestations = j.bench.Statements(func(id string) bool { _, is := partner.FindPractice(id); return is })
	return out
}

func (s *Sum) add(v assess.Verdict) {
	switch v {
	case assess.Met:
		s.Met++
	case assess.NotMet:
		s.NotMet++
	case assess.Attested:
		s.Attested++
	case assess.NotApplicable:
		s.NotApplicable++
	default:
		s.Unknown++
	}
}

// row settles one practice.
func (j *judge) row(p *partner.Practice) Row {
	say := func() ruling { return judges[p.ID](j) }
	if len(p.Rules) > 0 {
		say = func() ruling { return j.beside(p, judges[p.ID]) }
	}
	row := Row{Area: p.Area, Mode: string(p.Mode), Text: p.Text, Rules: p.Rules}
	row.Requirement = j.bench.Row(&p.Rule, say, p.Mode.Attestable())
	if row.Verdict == assess.Unknown {
		if p.Mode.Attestable() && row.Action == "" {
			row.Action = attestCommand(p.ID)
		}
		row.Settles = cmp.Or(row.Action, p.Interface)
		row.Affected = 0
	}
	return row
}

// attestCommand is what a person runs who vouches for a practice.
func attestCommand(id string) string {
	return "partnerguard attest --requirement " + id + " --who NAME --until DATE --reason WHY"
}

// beside joins what the requirements of the book say with what the practice asks beyond
// them: the worse of both.
func (j *judge) beside(p *partner.Practice, more func(*judge) ruling) ruling {
	ru := j.requirements(p.Rules)
	if p.ID == "P18" { // which weighs them itself
		return more(j)
	}
	beyond := more(j)
	if beyond.Verdict == "" {
		return ru
	}
	if worse(beyond.Verdict, ru.Verdict) {
		return beyond
	}
	if ru.Verdict == assess.Met { // both are: the practice's own words say more
		beyond.Evidence = append(beyond.Evidence, ru.Evidence...)
		return beyond
	}
	return ru
}

// taken has nothing beyond what the requirements say.
func (j *judge) taken() ruling { return ruling{} }

// gravity orders verdicts, the worst first.
var gravity = []assess.Verdict{assess.NotMet, assess.Unknown, assess.Attested, assess.Met, assess.NotApplicable}

func worse(a, b assess.Verdict) bool { return slices.Index(gravity, a) < slices.Index(gravity, b) }

// requirements is the worst of what the report says of some of the book.
func (j *judge) requirements(ids []string) (out ruling) {
	for _, id := range ids {
		q := j.requirement(id)
		if q == nil {
			return ruling{Verdict: assess.Unknown, Reason: "the report does not judge " + id}
		}
		if out.Verdict != "" && !worse(q.Verdict, out.Verdict) {
			continue
		}
		out = ruling{Verdict: q.Verdict, Reason: q.Reason, Affected: q.Affected, Total: q.Total, Action: q.Action, Evidence: q.Evidence,
			By: q.AttestedBy, Until: q.AttestedUntil}
	}
	return out
}

func (j *judge) requirement(id string) *assess.Requirement {
	for i := range j.report.Requirements {
		if j.report.Requirements[i].ID == id {
			return &j.report.Requirements[i]
		}
	}
	return nil
}

// allCustomers are the customers that any list names, by tenant.
func (j *judge) allCustomers() []known {
	all := map[string]*known{}
	add := func(tenant, name string, src evidence.Source) {
		tenant = strings.ToLower(strings.TrimSpace(tenant))
		if tenant == "" {
			return
		}
		if all[tenant] == nil {
			all[tenant] = &known{tenant: tenant, source: src}
		}
		all[tenant].name = cmp.Or(all[tenant].name, name)
	}
	for _, c := range sorted(j.Customers) {
		add(cmp.Or(c.CompanyProfile.TenantID, c.ID), c.Name(), c.Source)
	}
	for _, r := range sorted(j.Relationships) {
		if r.Customer != nil && r.Active(j.bench.At(evidence.Relationship)) {
			add(r.Customer.TenantID, r.Customer.DisplayName, r.Source)
		}
	}
	for _, kind := range []evidence.Kind{evidence.Contract, evidence.DelegatedCustomer} {
		for _, c := range sorted(j.Named[kind]) {
			add(cmp.Or(c.CustomerID, c.TenantID), c.Name, c.Source)
		}
	}
	for _, u := range sorted(j.Usage) {
		add(u.Tenant(), string(u.Name), u.Source)
	}
	for _, i := range sorted(j.Insights) {
		add(i.TenantID, "", i.Source)
	}
	for i := range j.o.Customers {
		c := &j.o.Customers[i]
		add(c.Tenant, "", evidence.Source{})
		k := all[strings.ToLower(strings.TrimSpace(c.Tenant))]
		if k == nil {
			continue
		}
		if k.foreign = otherTenant(c); k.foreign == "" {
			k.own, k.name = c, cmp.Or(k.name, c.Name)
		}
	}
	out := make([]known, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		k := all[id]
		k.name = cmp.Or(k.name, k.tenant)
		out = append(out, *k)
	}
	return out
}

// otherTenant is the tenant that a customer's own export names where that is not the
// customer; "" where it is, or names none.
func otherTenant(c *Customer) string {
	for _, org := range c.Facts.Directory.Organizations {
		if id := cmp.Or(org.ID, org.TenantID); id != "" && !strings.EqualFold(id, strings.TrimSpace(c.Tenant)) {
			return strings.ToLower(id)
		}
	}
	return ""
}

// asked is what each customer's own tenant says: the worst first.
type asked struct {
	against, open []assess.Evidence
	settle        string // the request for the first open one
	well          int
}

// ask asks of every customer; say answers "" with what is wrong, Unknown with the request
// that settles it, or Met.
func (j *judge) ask(say func(c *known) (assess.Verdict, assess.Evidence, string)) (a asked) {
	for i := range j.customers {
		c := &j.customers[i]
		v, e, settle := say(c)
		e.Subject, e.RecordID = cmp.Or(e.Subject, c.name), cmp.Or(e.RecordID, c.tenant)
		if e.Source.Path == "" {
			e.Source = c.source
		}
		switch v {
		case assess.NotMet:
			a.against = append(a.against, e)
		case assess.Met, assess.NotApplicable:
			a.well++
		default:
			a.open = append(a.open, e)
			a.settle = cmp.Or(a.settle, inTenant(settle, c))
		}
	}
	return a
}

// inTenant says of a request in whose tenant it is made.
func inTenant(request string, c *known) string {
	if request == "" {
		return ""
	}
	return request + ", in the tenant of " + c.name
}

// ofCustomers makes a ruling of what was asked of each customer. bad and good are clauses
// whose subject is customers; act is what to do about what is bad.
func (j *judge) ofCustomers(a asked, bad, good, act string) ruling {
	n := len(j.customers)
	switch {
	case len(a.against) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(a.against), Total: n, Evidence: a.against, Action: act,
			Reason: fmt.Sprintf("%s of %d: %s", count(len(a.against), "customer", "customers"), n, bad)}
	case len(a.open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: a.open, Action: a.settle,
			Reason: fmt.Sprintf("of %s of %d it is not known: %s", count(len(a.open), "customer", "customers"), n, a.open[0].Detail)}
	case n > 0:
		return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.Customer}, Reason: fmt.Sprintf("all %d: %s", n, good)}
	case j.Whole(evidence.Customer):
		return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.Customer}, Reason: "the partner has no customers"}
	}
	return ruling{Verdict: assess.Unknown, Reason: "who the customers are is not in the export", Action: evidence.ReadingOf(evidence.Customer)}
}

// said is of practices that a person's word alone decides.
func (j *judge) said() ruling {
	return ruling{Verdict: assess.Unknown, Reason: "no export shows it: somebody who answers for it has to say so, by name and until a day"}
}

// sorted gives the values of a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// count writes "1 account" or "3 accounts".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
