package detect

import "time"

// Detector folds records of many customers, and judges them. It serves one goroutine.
type Detector struct {
	o     Options
	parts map[string]*Part
}

// New makes a detector that has seen nothing.
func New(o Options) *Detector { return &Detector{o: o, parts: map[string]*Part{}} }

// Customer tells of a customer and of its subscriptions.
func (d *Detector) Customer(Customer) {}

// Usage folds a line of use. A line without a customer is held until the subscription's is known.
func (d *Detector) Usage(*Usage) {}

// Activity folds a row of a log.
func (d *Detector) Activity(*Event) {}

// Result judges what was folded, as of a moment: records after it count for nothing.
func (d *Detector) Result(asOf time.Time) *Result { return &Result{} }

// Part is what was folded of one customer: what live judging keeps and continues.
type Part struct{ Tenant string }

// NewPart makes a part of a customer that nothing is known of yet.
func NewPart(tenant string) *Part { return &Part{Tenant: tenant} }

// Customer tells who the customer is.
func (p *Part) Customer(Customer) {}

// Usage folds a line of use of this customer.
func (p *Part) Usage(*Usage) {}

// Activity folds a row of this customer's logs.
func (p *Part) Activity(*Event) {}

// MarshalBinary is the part to be kept.
func (p *Part) MarshalBinary() ([]byte, error) { return nil, nil }

// UnmarshalBinary reads what MarshalBinary wrote: kind problem.BadInput for anything else.
func (p *Part) UnmarshalBinary([]byte) error { return nil }

// Judge says what a customer's part shows as of a moment. since bounds the work: findings that
// were detected before it are left out, and need not be looked for; zero looks through all.
func Judge(p *Part, o Options, since, asOf time.Time) *Result { return &Result{} }

// ParseUsage reads a rated usage line, JSON, names in any case.
func ParseUsage([]byte) (Usage, error) { return Usage{}, nil }

// ParseEvent reads a row of the Activity Log (REST, diagnostic or flat form), of the
// directory's audit log or a sign-in.
func ParseEvent([]byte) (Event, error) { return Event{}, nil }
