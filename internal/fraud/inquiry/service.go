//go:build !judge

package inquiry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
)

// Case is an alert as the desk has it, as far as an inquiry wants to know.
type Case struct {
	Alert fraud.Alert
	Known time.Time // first known here
	Done  []Done    // notes, answers, containment
}

// Deps are what an Inquiry needs of others.
type Deps struct {
	Record audit.Recorder   // required
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
	Actor  string           // who asks where nobody does; "" is system:fraud

	// Case finds an alert by its id or a unique part of it. Required.
	Case func(ctx context.Context, id string) (*Case, error)
	// Waiting are the alerts that are to be looked into by itself: open, no tests.
	Waiting func(context.Context) ([]Case, error)
	// Earlier are other alerts of the same customer. nil: none are known.
	Earlier func(ctx context.Context, of *fraud.Alert) ([]fraud.Alert, error)
	// Partner is the partner's own tenant. Required.
	Partner func(context.Context) (string, error)
	// Standing tells how resources of a tenant stand: those named. Required.
	Standing func(ctx context.Context, tenant string, resources []string) ([]Stand, error)
	// Collect reads resources of a tenant now, whether due or not; nil where nothing can be read.
	// Kind problem.Conflict where somebody else reads the tenant at this moment.
	Collect func(ctx context.Context, tenant string, resources []string) error
	// Records hands out what the archive has of resources of a tenant, in the order in which it
	// was read, and says in which segments it lies. Required.
	Records func(ctx context.Context, q Query, each func(evidence.Kind, []byte, Place) error) ([]Segment, error)
}

// Stand is how a resource of a tenant stands, as the collection knows it.
type Stand struct {
	Resource string
	Read     time.Time // to its end, or, of a log, up to when; zero: never
	Refused  bool      // by a missing permission, role, licence or consent
	Failing  bool
	Tried    time.Time // refused or failed then; zero: it is not known
	Why      string
	Needs    string
	Ask      string
}

// Query says which records of the archive are wanted.
type Query struct {
	Tenant    string
	Resources []string
	Since     time.Time // answered then or later
}

// Inquiry investigates alerts. Safe for concurrent use, by several processes too.
type Inquiry struct {
	d     Deps
	queue queue // where jobs go; nil before Jobs

	mu   sync.Mutex // guards kept
	kept []kept     // newest last
}

// kept is a timeline that was made lately.
type kept struct {
	key  string
	at   time.Time
	made *Timeline
}

// How long and how many timelines are remembered: reading the archive takes a while, and a
// page asks again and again.
const (
	keepFor  = time.Minute
	keepMany = 16
)

// New makes an Inquiry.
func New(d Deps) (*Inquiry, error) {
	if d.Record == nil || d.Now == nil || d.Case == nil || d.Partner == nil || d.Standing == nil || d.Records == nil {
		return nil, problem.New(problem.Internal, "an inquiry without a trail, a clock, alerts, readings and an archive is none")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Actor == "" {
		d.Actor = "system:fraud"
	}
	return &Inquiry{d: d}, nil
}

// now is the installation's clock, in UTC.
func (q *Inquiry) now() time.Time { return q.d.Now().UTC() }

// What is read of the customer, and of the partner itself, by the names of the collection's
// resources.
var (
	ofCustomer = []string{"azureActivity", "azureRoleAssignments", "azureSubscriptions", "azureResources", "azureMachines", "azureScaleSets", "directoryAudits",
		"signIns.interactiveUser", "signIns.nonInteractiveUser", "signIns.servicePrincipal", "riskyUsers", "riskDetections", "servicePrincipals",
		"applications", "oauth2PermissionGrants"}
	ofPartner = []string{"securityAlerts", "fraudEvents", "usageRecords", "auditRecords", "signIns.interactiveUser", "signIns.nonInteractiveUser",
		"signIns.servicePrincipal"}
)

// Wanted are what an inquiry reads, of the customer and of the partner.
func Wanted() (customer, partner []string) {
	return slices.Clone(ofCustomer), slices.Clone(ofPartner)
}

// Reads tells how what an inquiry wants stands: the customer's, then the partner's. A log was
// read since the alert came where it is read up to then or later.
func (q *Inquiry) Reads(ctx context.Context, c *Case) ([]Read, error) {
	partner, err := q.d.Partner(ctx)
	if err != nil {
		return nil, err
	}
	var out []Read
	for _, side := range []struct {
		tenant    string
		resources []string
		partner   bool
	}{{c.Alert.Customer, ofCustomer, false}, {partner, ofPartner, true}} {
		if side.tenant == "" {
			continue
		}
		list, err := q.d.Standing(ctx, side.tenant, side.resources)
		if err != nil && !errors.Is(err, problem.NotFound) { // one that is no customer (any more): nothing was read
			return nil, err
		}
		for _, name := range side.resources {
			i := slices.IndexFunc(list, func(s Stand) bool { return s.Resource == name })
			s := Stand{Resource: name}
			if i >= 0 {
				s = list[i]
			} else if err != nil {
				s.Why = "the tenant is not among those that are read"
			}
			out = append(out, readOf(&s, side.tenant, side.partner, c.Known))
		}
	}
	return out, nil
}

// readOf says how a resource stands against when the alert was known.
func readOf(s *Stand, tenant string, partner bool, known time.Time) Read {
	r := Read{Tenant: tenant, Partner: partner, Resource: s.Resource, At: s.Read, Why: s.Why, Needs: s.Needs, Ask: s.Ask}
	if x, ok := evidence.ResourceNamed(s.Resource); ok {
		r.Proves = x.Proves
		if r.Ask == "" {
			r.Ask = x.String()
		}
	}
	switch {
	case s.Refused:
		r.State = ReadRefused
	case s.Failing:
		r.State = ReadFailed
	case s.Read.IsZero():
		r.State = ReadNever
	case s.Read.Before(known):
		r.State = ReadBefore
	default:
		r.State, r.Why = ReadSince, ""
	}
	return r
}

// Missing are the resources that still are to be read: not refused, and not read since. fresh
// has everything read again, but what is refused.
func missing(reads []Read, partner bool) (names []string) {
	for i := range reads {
		if r := &reads[i]; r.Partner == partner && r.State != ReadSince && r.State != ReadRefused {
			names = append(names, r.Resource)
		}
	}
	return names
}

// Timeline makes the timeline of an alert out of the archive, as of now. id may be a part of
// the alert's that no other has.
func (q *Inquiry) Timeline(ctx context.Context, id string) (*Timeline, error) {
	c, err := q.d.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	key := c.Alert.ID + "|" + string(c.Alert.Status) + "|" + c.Alert.Changed.Format(time.RFC3339Nano) + "|" + doneKey(c.Done)
	if t := q.remembered(key); t != nil {
		return t, nil
	}
	t, err := q.make(ctx, c)
	if err != nil {
		return nil, err
	}
	q.remember(key, t)
	return t, nil
}

func doneKey(list []Done) string {
	s := ""
	for i := max(0, len(list)-3); i < len(list); i++ {
		s += list[i].At.Format(time.RFC3339Nano) + list[i].Outcome
	}
	return s + "|" + time.Duration(len(list)).String()
}

func (q *Inquiry) remembered(key string) *Timeline {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, k := range q.kept {
		if k.key == key && time.Since(k.at) < keepFor {
			return k.made
		}
	}
	return nil
}

func (q *Inquiry) remember(key string, t *Timeline) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept = slices.DeleteFunc(q.kept, func(k kept) bool { return k.key == key || time.Since(k.at) >= keepFor })
	if len(q.kept) >= keepMany {
		q.kept = slices.Delete(q.kept, 0, 1)
	}
	q.kept = append(q.kept, kept{key, time.Now(), t}) // the machine's clock: it measures how long, and says of nothing when
}

// forget has timelines made anew: something was read.
func (q *Inquiry) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept = nil
}

// archiveBack is how far back answers are read: as far as Azure's log reaches at its first
// reading, and a little.
const archiveBack = 95 * 24 * time.Hour

func (q *Inquiry) make(ctx context.Context, c *Case) (*Timeline, error) {
	reads, err := q.Reads(ctx, c)
	if err != nil {
		return nil, err
	}
	o := Options{Alert: c.Alert, Known: c.Known, Now: q.now(), Reads: reads, Done: c.Done}
	if q.d.Earlier != nil {
		if o.Earlier, err = q.d.Earlier(ctx, &c.Alert); err != nil {
			return nil, err
		}
	}
	partner, err := q.d.Partner(ctx)
	if err != nil {
		return nil, err
	}
	since := o.Now.Add(-archiveBack)
	if at := c.Alert.Detected; !at.IsZero() && at.Add(-archiveBack).Before(since) {
		since = at.Add(-archiveBack)
	}
	f := NewFold(o)
	var segments []Segment
	for _, x := range []Query{{c.Alert.Customer, ofCustomer, since}, {partner, []string{"usageRecords", "signIns.interactiveUser", "signIns.nonInteractiveUser",
		"signIns.servicePrincipal"}, since}} {
		if x.Tenant == "" {
			continue
		}
		list, err := q.d.Records(ctx, x, func(kind evidence.Kind, raw []byte, p Place) error {
			_ = f.Take(kind, raw, p) // what cannot be read is counted, and said
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		segments = append(segments, list...)
	}
	t := f.Timeline()
	t.restOn(segments)
	return t, nil
}

// restOn keeps the segments that rows come from.
func (t *Timeline) restOn(all []Segment) {
	used := map[string]bool{}
	for i := range t.Rows {
		for _, p := range t.Rows[i].Places {
			used[p.Segment] = true
		}
	}
	for i := range t.Costs {
		used[t.Costs[i].Place.Segment] = true
	}
	for _, s := range all {
		if used[s.Name] {
			t.Places = append(t.Places, s)
		}
	}
}
