package use

import (
	"cmp"
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation/role"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// Limits of what a [Fold] remembers. What is beyond is counted, said, and never taken for
// nothing: see [Part.Overflow].
const (
	MaxKinds   = 1 << 16 // kinds of acts, times actors
	MaxTargets = 1 << 18 // acts whose target's roles are still to be looked up
	MaxEvents  = 1 << 17 // rows that gave or took a role
	maxSeen    = 1 << 22 // ids of the partner's rows, to know copies by
)

// Roles is what the fold asks of the catalog of roles; [role.Catalog] has it.
type Roles interface {
	Role(id string) (role.Role, bool)
	ByName(name string) (role.Role, bool)
	TargetOf(roles []string) role.Target
}

// Options is what a [Fold] needs to know.
type Options struct {
	Tenant string            // the customer's
	To     time.Time         // rows later than it are not looked at; zero: none is too late
	Apps   map[string]bool   // the partner's apps by app id, lower case
	People map[string]string // object ids of the partner's people by user principal name, both lower case: Partner Center's records name these alone
	Roles  Roles             // nil: the product's own
}

// Fold adds up the rows of one customer's logs, in any order. Not safe for concurrent use.
type Fold struct {
	o       Options
	decoder read.Decoder
	event   signin.Event

	acts    map[actKey]*tally
	waiting int // acts whose target is still to be looked up
	logs    map[evidence.Kind]*extent
	seen    map[uint64]struct{}
	seed    maphash.Seed

	held       Held
	events     map[string][]roleEvent
	nEvents    int
	eventsLost bool

	rows, unread, late int64
	overflow           bool
	newest             time.Time
}

type extent struct {
	first, last  time.Time
	rows, unread int64
	why          string // what the first row that could not be read lacks
}

// actKey is one kind of act of one actor; user is whom it was done to, until the roles of
// that user are known.
type actKey struct {
	actor                                string
	app, failed                          bool
	log, category, activity, props, user string
	target                               role.Target
}

type tally struct {
	count       int64
	first, last time.Time
	days        Days
	row         string
	times       []time.Time // where user is said
}

// New makes an empty fold.
func New(o Options) *Fold {
	o.Tenant = strings.ToLower(o.Tenant)
	if o.Roles == nil {
		o.Roles = role.Load()
	}
	return &Fold{o: o, acts: map[actKey]*tally{}, logs: map[evidence.Kind]*extent{}, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(),
		events: map[string][]roleEvent{}}
}

// Held says which roles the customer's users hold. It is asked for before [Fold.Part]; without
// it nothing is known of any target.
func (f *Fold) Held(h Held) { f.held = h }

// Newest is the time of the newest row, whoever's; zero where there was none.
func (f *Fold) Newest() time.Time { return f.newest }

// Take adds one record. Kinds that say nothing of use are ignored. The error says in words
// what of the record could not be read; the record is counted as not read, and its log is not
// whole by it. raw is not retained.
func (f *Fold) Take(kind evidence.Kind, raw []byte, _ evidence.Source) error {
	var err error
	switch kind {
	case evidence.DirectoryAudit:
		err = f.audit(raw)
	case evidence.SignIn:
		err = f.signIn(raw)
	case evidence.AzureActivity:
		err = f.azure(raw)
	case evidence.PartnerAuditRecord:
		err = f.center(raw)
	default:
		return nil
	}
	f.rows++
	if err != nil {
		f.unread++
		x := f.extent(kind)
		x.unread++
		x.why = cmp.Or(x.why, err.Error())
	}
	return err
}

func (f *Fold) extent(kind evidence.Kind) *extent {
	x := f.logs[kind]
	if x == nil {
		x = &extent{}
		f.logs[kind] = x
	}
	return x
}

// at notes a row's time, and reports that the row is looked at.
func (f *Fold) at(kind evidence.Kind, t time.Time) bool {
	if !f.o.To.IsZero() && t.After(f.o.To) {
		f.late++
		return false
	}
	x := f.extent(kind)
	x.rows++
	if x.first.IsZero() || t.Before(x.first) {
		x.first = t
	}
	if t.After(x.last) {
		x.last = t
	}
	if t.After(f.newest) {
		f.newest = t
	}
	return true
}

func (f *Fold) audit(raw []byte) error {
	r, err := parseAudit(raw)
	if r == nil || !r.At.Set {
		return cmp.Or(err, errNoTime)
	}
	if !f.at(evidence.DirectoryAudit, r.At.Time) || err != nil {
		return err
	}
	act := activity(string(r.Activity))
	bad := failed(string(r.Result))
	if user, e, ok := f.roleChange(act, r); ok && !bad {
		f.addEvent(user, e)
	}
	actor, ours := Technician(r.upn())
	app := false
	if !ours {
		if id := r.app(); id != "" && f.o.Apps[id] {
			actor, ours, app = id, true, true
		}
	}
	if !ours {
		return nil
	}
	if act == "" {
		return errNoAct
	}
	k := actKey{actor: actor, app: app, failed: bad, log: string(evidence.DirectoryAudit), category: print.Clean(string(r.Category), maxText), activity: act}
	if strings.HasPrefix(strings.ToLower(act), "update") {
		k.props = strings.Join(r.properties(), "\n")
	}
	if !bad && !app {
		k.user, k.target = actedOn(k.category, r)
	}
	f.add(k, r.At.Time, string(r.ID))
	return nil
}

// elsewhere are categories whose acts do not touch an account, though its name stands in
// the row.
var elsewhere = map[string]bool{"rolemanagement": true, "applicationmanagement": true, "administrativeunit": true,
	"device": true, "policy": true, "directorymanagement": true, "keymanagement": true, "entitlementmanagement": true}

// actedOn is the user whose roles decide who may do the act: "" where none is touched, and
// TargetUnknown where it is not said who.
func actedOn(category string, r *auditRow) (user string, t role.Target) {
	u, ok := r.user()
	act := strings.ToLower(string(r.Activity))
	if strings.EqualFold(category, "groupmanagement") || category == "" && strings.Contains(act, " group") {
		return r.group(), role.TargetNone
	}
	if !ok && strings.EqualFold(category, "usermanagement") && len(r.Targets.Items) > 0 && r.Targets.Items[0].Type == "" {
		u, ok = &r.Targets.Items[0], true // the export left out what it is: this category is about users
	}
	if !ok || elsewhere[strings.ToLower(category)] || category == "" && strings.Contains(act, " role") {
		return "", role.TargetNone
	}
	if id, ok := ObjectID(string(u.ID)); ok {
		return id, role.TargetNone
	}
	return "", role.TargetUnknown
}

func (f *Fold) addEvent(user string, e roleEvent) {
	if f.nEvents++; f.nEvents > MaxEvents {
		f.eventsLost = true
		return
	}
	f.events[user] = append(f.events[user], e)
}

// SignIn adds a sign-in, as [Fold.Take] does, and reports whether the record is one.
func (f *Fold) SignIn(raw []byte) (ok bool, err error) {
	if !read.Recognise(raw) {
		return false, nil
	}
	return true, f.Take(evidence.SignIn, raw, evidence.Source{})
}

// signIn takes a sign-in of a technician in the customer's log, and one of the partner's own
// log that led into this customer. It calls for no role: it says who is there, and where.
func (f *Fold) signIn(raw []byte) error {
	shape, err := f.decoder.Decode(raw, &f.event)
	switch {
	case err != nil:
		return errNoRow
	case shape == read.ShapeNone:
		return nil
	case f.event.Created.IsZero():
		return errNoTime
	}
	e := &f.event
	if !f.at(evidence.SignIn, e.Created) {
		return nil
	}
	actor, ours := Technician(e.UserPrincipalName)
	if !ours && f.o.Tenant != "" && strings.EqualFold(e.CrossTenantAccessType, "serviceProvider") && strings.EqualFold(e.ResourceTenantID, f.o.Tenant) {
		actor, ours = ObjectID(e.UserID)
	}
	if !ours {
		return nil
	}
	k := actKey{actor: actor, log: string(evidence.SignIn), activity: print.Clean(cmp.Or(e.AppDisplayName, e.AppID), maxText),
		category: print.Clean(e.ResourceDisplayName, maxText), failed: e.HasStatus && e.ErrorCode != 0}
	f.add(k, e.Created, strings.Clone(e.ID))
	return nil
}

func (f *Fold) azure(raw []byte) error {
	var r azureRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	if !r.At.Set {
		return errNoTime
	}
	if !f.at(evidence.AzureActivity, r.At.Time) {
		return nil
	}
	actor, ours := Technician(string(r.Caller))
	if !ours {
		actor, ours = f.o.People[strings.ToLower(string(r.Caller))], f.o.People[strings.ToLower(string(r.Caller))] != ""
	}
	app := false
	if id := strings.ToLower(string(r.Claims.App)); !ours && f.o.Apps[id] && strings.EqualFold(string(r.Caller), string(r.Claims.Object)) {
		actor, ours, app = id, true, true
	}
	if !ours {
		return nil
	}
	f.add(actKey{actor: actor, app: app, log: string(evidence.AzureActivity), category: print.Clean(string(r.Provider), maxText),
		activity: print.Clean(string(r.Operation), maxText), failed: failed(string(r.Status))}, r.At.Time, string(r.ID))
	return nil
}

func (f *Fold) center(raw []byte) error {
	var r centerRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	if id, ok := ObjectID(string(r.Customer)); !ok || id != f.o.Tenant {
		return nil
	}
	if !r.At.Set {
		return errNoTime
	}
	if !f.at(evidence.PartnerAuditRecord, r.At.Time) || r.UPN == "" || r.Operation == "" {
		return nil // an act of the service itself
	}
	actor := f.o.People[strings.ToLower(string(r.UPN))]
	if actor == "" {
		actor = print.Clean(strings.ToLower(string(r.UPN)), print.MaxName)
	}
	f.add(actKey{actor: actor, log: CenterLog, category: print.Clean(string(r.Type), maxText), activity: print.Clean(string(r.Operation), maxText),
		failed: failed(string(r.Status))}, r.At.Time, string(r.ID))
	return nil
}

// CenterLog is how an act of Partner Center's audit records names its log.
const CenterLog = "partnerCenter"

// CustomerOf is the customer that a record of the partner's own logs is about, lower case:
// that of an audit record of Partner Center, and the one a sign-in led into as a service
// provider. "" is none.
func CustomerOf(kind evidence.Kind, raw []byte) string {
	switch kind {
	case evidence.PartnerAuditRecord:
		var r centerRow
		if decode(raw, &r) == nil {
			id, _ := ObjectID(string(r.Customer))
			return id
		}
	case evidence.SignIn:
		var r struct {
			Access lenientText `json:"crossTenantAccessType"`
			Tenant lenientText `json:"resourceTenantId"`
		}
		if json.Unmarshal(raw, &r) == nil && strings.EqualFold(string(r.Access), "serviceProvider") {
			id, _ := ObjectID(string(r.Tenant))
			return id
		}
	}
	return ""
}

// add counts an act.
func (f *Fold) add(k actKey, at time.Time, row string) {
	if row != "" && len(f.seen) < maxSeen {
		h := maphash.String(f.seed, k.log+row)
		if _, copied := f.seen[h]; copied {
			return
		}
		f.seen[h] = struct{}{}
	}
	if k.user != "" {
		if f.waiting++; f.waiting > MaxTargets {
			k.user, k.target = "", role.TargetUnknown
		}
	}
	t := f.acts[k]
	if t == nil {
		if len(f.acts) >= MaxKinds {
			f.overflow = true
			return
		}
		t = &tally{}
		f.acts[k] = t
	}
	t.see(at, row, 1)
	if k.user != "" {
		t.times = append(t.times, at)
	}
}

func (t *tally) see(at time.Time, row string, n int64) {
	t.count += n
	if t.first.IsZero() || at.Before(t.first) {
		t.first = at
	}
	if at.After(t.last) || at.Equal(t.last) && row < t.row {
		t.last, t.row = at, row
	}
	d := day(at)
	i, ok := slices.BinarySearchFunc(t.days, d, func(x Day, d int64) int { return cmp.Compare(x[0], d) })
	if !ok {
		t.days = slices.Insert(t.days, i, Day{d, 0})
	}
	t.days[i][1] += n
}

// settled are the acts with their targets looked up.
func (f *Fold) settled() map[actKey]*tally {
	for _, list := range f.events {
		slices.SortStableFunc(list, func(a, b roleEvent) int { return a.at.Compare(b.at) })
	}
	out := map[actKey]*tally{}
	into := func(k actKey) *tally {
		t := out[k]
		if t == nil {
			t = &tally{}
			out[k] = t
		}
		return t
	}
	for k, t := range f.acts {
		if k.user == "" {
			into(k).join(t)
			continue
		}
		for _, at := range t.times {
			k := k
			k.user, k.target = "", f.targetAt(k.user, at)
			row := ""
			if at.Equal(t.last) {
				row = t.row
			}
			into(k).see(at, row, 1)
		}
	}
	return out
}

func (t *tally) join(o *tally) {
	t.count += o.count
	if t.first.IsZero() || o.first.Before(t.first) {
		t.first = o.first
	}
	if o.last.After(t.last) || o.last.Equal(t.last) && o.row < t.row {
		t.last, t.row = o.last, o.row
	}
	t.days = addDays(t.days, o.days)
}

// addDays adds two lists of days.
func addDays(a, b Days) Days {
	sum := map[int64]int64{}
	for _, d := range slices.Concat(a, b) {
		sum[d[0]] += d[1]
	}
	out := make(Days, 0, len(sum))
	for _, d := range slices.Sorted(maps.Keys(sum)) {
		out = append(out, Day{d, sum[d]})
	}
	return out
}

// Part is what was seen, without a window. inputs say how the files were read that the rows
// came from.
func (f *Fold) Part(inputs []evidence.Input) *Part {
	p := &Part{Tenant: f.o.Tenant, Rows: f.rows, Unread: f.unread, Outside: f.late, Overflow: f.overflow, Newest: f.newest, Acts: []Act{}}
	for k, t := range f.settled() {
		a := Act{Actor: k.actor, App: k.app, Failed: k.failed, Count: t.count, First: t.first.UTC(), Last: t.last.UTC(), Days: t.days,
			Row: print.Clean(t.row, print.MaxName), Act: role.Act{Log: k.log, Category: k.category, Activity: k.activity, Target: k.target}}
		if k.props != "" {
			a.Act.Properties = strings.Split(k.props, "\n")
		}
		p.Acts = append(p.Acts, a)
	}
	sortActs(p.Acts)
	for _, kind := range Logs {
		p.Logs = append(p.Logs, f.log(kind, inputs))
	}
	return p
}
