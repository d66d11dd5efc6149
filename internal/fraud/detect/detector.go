package detect

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Detector folds records of many customers, and judges them. Folding serves one goroutine.
type Detector struct {
	o      Options
	parts  map[string]*Part
	owner  map[string]string // whose a subscription is, as the list of customers or a line of use says
	listed map[string]bool
	names  map[string]Customer
	newest time.Time
}

// New makes a detector that has seen nothing.
func New(o Options) *Detector {
	return &Detector{o: o, parts: map[string]*Part{}, owner: map[string]string{}, listed: map[string]bool{}, names: map[string]Customer{}}
}

// Customer tells of a customer and of its subscriptions.
func (d *Detector) Customer(c Customer) {
	d.names[c.Tenant] = c
	for _, s := range c.Subscriptions {
		d.owner[s], d.listed[s] = c.Tenant, true
	}
	d.part(c.Tenant)
}

// whose is the part that a record belongs to. Records of a subscription whose customer is not
// known yet stand in a part of the subscription's own, and are joined in the end.
func (d *Detector) whose(customer, sub string, sure bool) *Part {
	if owner, ok := d.owner[sub]; ok && sub != "" && (d.listed[sub] || customer == "" || !sure) {
		return d.part(owner)
	}
	if customer != "" && sub != "" && sure {
		d.owner[sub] = customer
	}
	if customer == "" || sub != "" && !sure {
		return d.part(orphan + customer + "/" + sub)
	}
	return d.part(customer)
}

// orphan begins the name of a part whose customer is not known for certain yet.
const orphan = "?/"

func (d *Detector) part(tenant string) *Part {
	p := d.parts[tenant]
	if p == nil {
		p = NewPart(tenant)
		d.parts[tenant] = p
	}
	return p
}

// Usage folds a line of use. The customer that it names is the subscription's, unless a list of
// customers says otherwise.
func (d *Detector) Usage(u *Usage) {
	if d.newest.Before(u.To) && sane(u.To) {
		d.newest = u.To
	}
	d.whose(u.Customer, u.Subscription, true).Usage(u)
}

// Activity folds a row of a log. A subscription's customer is rather the one of a list or of its
// use than the tenant that a row names.
func (d *Detector) Activity(e *Event) {
	if d.newest.Before(e.At) && sane(e.At) {
		d.newest = e.At
	}
	d.whose(e.Customer, e.Subscription, e.Subscription == "").Activity(e)
}

// Newest is the moment of the newest record.
func (d *Detector) Newest() time.Time { return d.newest }

// Parts settles whose each subscription is, and gives the parts by tenant: "" holds what no
// record says the customer of. Nothing may be folded afterwards.
func (d *Detector) Parts() []*Part {
	var names []string
	for name := range d.parts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if len(name) < len(orphan) || name[:len(orphan)] != orphan {
			continue
		}
		p := d.parts[name]
		delete(d.parts, name)
		rest := name[len(orphan):]
		at := slices.Index([]byte(rest), '/')
		tenant, sub := rest[:at], rest[at+1:]
		if owner, ok := d.owner[sub]; ok && sub != "" {
			tenant = owner
		}
		d.part(tenant).join(p)
	}
	var out []*Part
	for name, p := range d.parts {
		if c, ok := d.names[name]; ok {
			p.Customer(c)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Part) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return out
}

// Result judges what was folded, as of a moment: records after it count for nothing. A zero
// moment is the newest record's. Nothing may be folded afterwards.
func (d *Detector) Result(asOf time.Time) *Result {
	if asOf.IsZero() {
		asOf = d.newest
	}
	return JudgeAll(d.Parts(), d.o, time.Time{}, asOf)
}

// JudgeAll is Judge of many parts, on all processors.
func JudgeAll(parts []*Part, o Options, since, asOf time.Time) *Result {
	results := make([]*Result, len(parts))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				results[i] = Judge(parts[i], o, since, asOf)
			}
		})
	}
	for i := range parts {
		next <- i
	}
	close(next)
	wg.Wait()
	all := &Result{}
	for _, r := range results {
		all.Findings = append(all.Findings, r.Findings...)
		all.Blind = append(all.Blind, r.Blind...)
		all.Suppressed += r.Suppressed
	}
	slices.SortStableFunc(all.Findings, func(a, b Finding) int {
		return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.Subscription, b.Subscription))
	})
	return all
}
