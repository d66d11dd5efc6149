package world

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// World guards a State by one lock. Safe for concurrent use.
type World struct {
	Clock *Clock

	mu       sync.Mutex
	state    *State
	changed  bool          // since the last save
	waiters  chan struct{} // closed when the log grows
	onChange []func()      // called without the lock after a change
}

// State is everything there is. It is read and changed inside World.Do only.
type State struct {
	Clock   *Clock    `json:"-"`
	Seed    uint64    `json:"seed"`
	Name    string    `json:"name"` // of the scenario
	Created time.Time `json:"created"`
	Partner string    `json:"partner"` // id of the partner tenant

	Sessions    Table[Session, *Session]           `json:"sessions"`
	Refresh     Table[RefreshToken, *RefreshToken] `json:"refresh"`
	Enforcement Enforcement                        `json:"enforcement"`
	// Replication is how long readers of Microsoft Graph may see the form before of policies, named
	// locations, strengths and groups that were changed; 0: not at all.
	Replication time.Duration        `json:"replication,omitempty"`
	ChangeNo    int64                `json:"changeNo"`
	KeyVault    *KeyVault            `json:"keyVault,omitempty"`
	Stories     Table[Story, *Story] `json:"stories,omitzero"`

	// History makes the generated rows of a day that lies before Created; nil
	// means there is none. It must give the same rows each time.
	History Historian `json:"-"`
	// Live lets the partner's people live through a span that the clock jumped, and gives the
	// number of sign-ins; nil means that nobody does. It is called under the lock.
	Live func(s *State, from, to time.Time) int `json:"-"`
	// Metered makes an Azure subscription as far as its usage follows from it, without
	// making its tenant: what it used, a row a day and meter, oldest first, and its
	// machines; nil means there is none. It must give the same each time.
	Metered func(tenant, subscription string) *AzureSubscription `json:"-"`
	// Settle writes down what the passing of time made of subscriptions that were
	// bought. It is called under the lock, when a day of the clock has begun.
	Settle func(now time.Time) `json:"-"`
	// Play plays the acts of a story that are due, and gives the moment of the next; zero
	// when it is over. It is called under the lock.
	Play func(s *State, id string, now time.Time) time.Time `json:"-"`
	// Make makes the tenant of an id that is known and not yet made.
	Make func(s *State, id string) *Tenant `json:"-"`

	tenants  map[string]*Tenant
	known    map[string]string // domain or id of tenants that Make can make, to id
	domains  map[string]string // lower domain to tenant id
	appOwner map[string]string // lower app id to tenant id
	seq      int64             // of sign-in rows
	follow   []*SignIn         // live rows of all tenants in order, for following
	dirty    bool
	logged   bool
	touched  []*Tenant // since the last change was closed: their rules are looked at
	due      struct {  // see comeDue
		known   bool
		version int64
		at      time.Time
		settled time.Time // day
	}
}

// Historian gives the generated part of the logs, a day at a time, each list
// oldest first. It is called under the lock.
type Historian interface {
	// First is the day before which there is nothing.
	First() time.Time
	SignIns(s *State, t *Tenant, day time.Time) []*SignIn
	Requests(s *State, t *Tenant, day time.Time) []*PartnerRequest
}

// New makes a world without tenants.
func New(seed uint64, clock *Clock) *World {
	if clock == nil {
		clock = NewClock(nil)
	}
	return &World{Clock: clock, waiters: make(chan struct{}), state: &State{Clock: clock, Seed: seed, Created: clock.Now(), Enforcement: History()}}
}

// Do runs f with the state locked. Rows it took from tables may be read after
// it returned; nothing else of the state may. f must not block and not call Do.
// Its error is Do's.
func (w *World) Do(f func(s *State) error) error {
	w.mu.Lock()
	s := w.state
	if s.due.known && !s.Clock.Now().Before(s.due.at) {
		s.comeDue()
	}
	err := f(s)
	saved := false
	if s.dirty {
		for _, t := range s.touched {
			s.applyRules(t)
		}
		s.touched = s.touched[:0]
		s.comeDue()
		s.dirty, w.changed, saved = false, true, true
	}
	if s.logged {
		s.logged = false
		close(w.waiters)
		w.waiters = make(chan struct{})
	}
	hooks := w.onChange
	w.mu.Unlock()
	if saved {
		for _, f := range hooks {
			f()
		}
	}
	return err
}

// Read is Do for reading that cannot fail.
func (w *World) Read(f func(s *State)) {
	_ = w.Do(func(s *State) error { f(s); return nil })
}

// Grown gives a channel that is closed when the sign-in log grows.
func (w *World) Grown() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiters
}

// Put adds or replaces a tenant with its domains and apps.
func (s *State) Put(t *Tenant) {
	if s.tenants == nil {
		s.tenants, s.domains, s.appOwner, s.known = map[string]*Tenant{}, map[string]string{}, map[string]string{}, map[string]string{}
	}
	t.ID = strings.ToLower(t.ID)
	s.tenants[t.ID] = t
	for i, d := range t.Domains {
		t.Domains[i] = strings.ToLower(d)
		s.domains[t.Domains[i]] = t.ID
	}
	for a := range t.Apps.All() {
		if s.appOwner == nil {
			s.appOwner = map[string]string{}
		}
		s.appOwner[strings.ToLower(a.AppID)] = t.ID
	}
	s.Touch(t)
}

// Announce says that Make can make a tenant, by id and domains.
func (s *State) Announce(id string, domains ...string) {
	if s.tenants == nil {
		s.tenants, s.domains, s.appOwner, s.known = map[string]*Tenant{}, map[string]string{}, map[string]string{}, map[string]string{}
	}
	s.known[strings.ToLower(id)] = strings.ToLower(id)
	for _, d := range domains {
		s.known[strings.ToLower(d)] = strings.ToLower(id)
	}
}

// Tenant finds a tenant by id or verified domain, making it when it is asked
// for the first time; nil when there is none.
func (s *State) Tenant(idOrDomain string) *Tenant {
	k := strings.ToLower(idOrDomain)
	if t := s.tenants[k]; t != nil {
		return t
	}
	if id := s.domains[k]; id != "" {
		return s.tenants[id]
	}
	if id := s.known[k]; id != "" && s.Make != nil {
		if t := s.tenants[id]; t != nil {
			return t
		}
		if t := s.Make(s, id); t != nil {
			s.Put(t)
			return t
		}
	}
	return nil
}

// MadeTenant finds a tenant by id that exists by now, without making it; nil for none.
func (s *State) MadeTenant(id string) *Tenant { return s.tenants[strings.ToLower(id)] }

// PartnerTenant is the partner's own tenant.
func (s *State) PartnerTenant() *Tenant { return s.Tenant(s.Partner) }

// Made yields the tenants that exist by now, in order of id.
func (s *State) Made() iter.Seq[*Tenant] {
	ids := make([]string, 0, len(s.tenants))
	for id := range s.tenants {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return func(yield func(*Tenant) bool) {
		for _, id := range ids {
			if !yield(s.tenants[id]) {
				return
			}
		}
	}
}

func (s *State) ownersOfApps() iter.Seq[*Tenant] {
	return func(yield func(*Tenant) bool) {
		for t := range s.Made() {
			if t.Apps.Len() > 0 && !yield(t) {
				return
			}
		}
	}
}

// Home finds the tenant that a sign-in name belongs to, by its domain; a
// guest's or unknown domain gives nil.
func (s *State) Home(upn string) *Tenant {
	i := strings.LastIndexByte(upn, '@')
	if i < 0 {
		return nil
	}
	return s.Tenant(upn[i+1:])
}

// Touch says that something of the tenant that decides sign-ins changed: users,
// groups, roles, policies, locations, strengths. Call it after every change.
func (s *State) Touch(t *Tenant) {
	t.version++
	t.upns = nil
	s.dirty = true
	if !slices.Contains(s.touched, t) {
		s.touched = append(s.touched, t)
	}
}

// Dirty says that something changed that decides no sign-in.
func (s *State) Dirty() { s.dirty = true }

// Change is the next change number, for delta queries: put it into what changed.
func (s *State) Change() int64 {
	s.ChangeNo++
	s.dirty = true
	return s.ChangeNo
}

// LogSignIn appends a row to a tenant's log and fills in what it lacks of id,
// moment and sequence. The row is immutable from then on.
func (s *State) LogSignIn(t *Tenant, r *SignIn) {
	if r.ID == "" {
		r.ID = NewGUID()
	}
	if r.CreatedDateTime.IsZero() {
		r.CreatedDateTime = Stamp{s.Clock.Now()}
	}
	s.seq++
	r.Seq = s.seq
	t.SignIns = append(t.SignIns, r)
	s.follow = append(s.follow, r)
	if len(s.follow) > maxFollow {
		s.follow = slices.Clone(s.follow[len(s.follow)-maxFollow/2:])
	}
	s.dirty, s.logged = true, true
}

const maxFollow = 20_000

// maxRecords bounds the audit records kept: Partner Center forgets too.
const maxRecords = 50_000

// Follow gives live rows of all tenants after a sequence number; -n stands for
// the newest n.
func (s *State) Follow(after int64, limit int) (rows []*SignIn, next int64) {
	if after < 0 {
		after = max(0, s.seq+after)
	}
	next = after
	i, _ := slices.BinarySearchFunc(s.follow, after+1, func(r *SignIn, n int64) int { return int(r.Seq - n) })
	for ; i < len(s.follow) && len(rows) < limit; i++ {
		rows = append(rows, s.follow[i])
		next = s.follow[i].Seq
	}
	return rows, next
}

// Audit appends a row to the directory audit log of a tenant.
func (s *State) Audit(t *Tenant, a *DirectoryAudit) {
	if a.ID == "" {
		a.ID = "Directory_" + NewGUID()
	}
	if a.At.IsZero() {
		a.At = Stamp{s.Clock.Now()}
	}
	if a.Result == "" {
		a.Result = "success"
	}
	if a.Service == "" {
		a.Service = "Core Directory"
	}
	if a.Correlation == "" {
		a.Correlation = NewGUID()
	}
	if a.Targets == nil {
		a.Targets = []AuditTarget{}
	}
	if a.Details == nil {
		a.Details = []KeyValue{}
	}
	t.Audits = append(t.Audits, a)
	s.dirty = true
}

// Record appends a Partner Center audit record to the partner's.
func (s *State) Record(r *AuditRecord) {
	if r.ID == "" {
		r.ID = NewGUID()
	}
	if r.At.IsZero() {
		r.At = s.Clock.Now()
	}
	if r.Status == "" {
		r.Status = "succeeded"
	}
	p := s.PartnerTenant()
	p.Records = append(p.Records, r)
	if len(p.Records) > maxRecords {
		p.Records = slices.Clone(p.Records[len(p.Records)-maxRecords/2:])
	}
	s.dirty = true
}

// Newest yields the sign-ins of a tenant between two moments, newest first: the
// live rows, then the generated days back to from. Stop early: a day is made
// only when it is reached.
func (s *State) Newest(t *Tenant, from, to time.Time) iter.Seq[*SignIn] {
	return func(yield func(*SignIn) bool) {
		give := func(rows []*SignIn) bool {
			for _, r := range slices.Backward(rows) {
				if !r.CreatedDateTime.Before(from) && (to.IsZero() || !r.CreatedDateTime.After(to)) && !yield(r) {
					return false
				}
			}
			return true
		}
		if !give(t.SignIns) || s.History == nil {
			return
		}
		first := s.History.First()
		if from.After(first) {
			first = from
		}
		last := s.Created
		if !to.IsZero() && to.Before(last) {
			last = to
		}
		for day := last.UTC().Truncate(24 * time.Hour); !day.Before(first.UTC().Truncate(24 * time.Hour)); day = day.Add(-24 * time.Hour) {
			if !give(s.History.SignIns(s, t, day)) {
				return
			}
		}
	}
}
