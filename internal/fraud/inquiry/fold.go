//go:build !judge

package inquiry

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

var (
	errTooLong = errors.New("the record has more than 1 MiB")
	errNoRow   = errors.New("not a JSON object of its kind")
	errNoTime  = errors.New("the row does not say when it was")
	errNoAct   = errors.New("the row does not say what was done")
)

// decode reads one object. A member of an unusable type reads as absent.
func decode(raw []byte, into any) error {
	if len(raw) > MaxRecord {
		return errTooLong
	}
	err := json.Unmarshal(raw, into)
	if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !wrong {
		return errNoRow
	}
	return nil
}

// clean is a text of others, bounded.
func clean[T ~string](s T) string { return print.Clean(string(s), maxText) }

// id is an id of others, as it compares.
func id[T ~string](s T) string { return strings.ToLower(print.Clean(string(s), maxText)) }

// maxText bounds a text of others: paths of Azure are long.
const maxText = 400

// Options say what a fold is of.
type Options struct {
	Alert   fraud.Alert
	Known   time.Time     // when it was first known here; zero: it is not
	Now     time.Time     // as of when: what is later is left out
	Earlier []fraud.Alert // other alerts of the customer
	Reads   []Read        // how what is wanted stands
	Done    []Done
	Files   bool // the records come from files, so that nothing is known of what was not there
}

// Fold takes the records that an inquiry looks at, in any order. Not safe for concurrent use.
type Fold struct {
	o       Options
	decoder read.Decoder
	event   signin.Event

	acts     []act
	seen     map[string]struct{}
	phases   map[string]int // of one act of Azure's: its place among acts
	alias    map[string]string
	names    map[string]*Actor
	listed   map[string]resourceRow   // by lower path
	assigned map[string]assignmentRow // by lower path
	at       map[string]Place         // of both
	risky    map[string]risk          // the newest state of an account, by id
	costs    []Cost
	first    map[Source]time.Time // the oldest record of a log, whoever's
	dropped  int
	lost     time.Time // acts before it were dropped
	unread   int
}

// act is one act, before those that belong together are joined.
type act struct {
	at         time.Time
	source     Source
	actor      string
	op         string // Azure's operation, lower case
	raw        string // as Microsoft calls it
	what       string
	kind       ThingKind
	key        string // of the reason that it is one of
	strong     bool
	to         string // the key of whom it was done to
	toName     string
	toApp      string
	ip         string
	country    string
	path       string
	typ        string
	region     string
	sku        string
	role       string
	forType    string
	scope      string
	failed     bool
	started    bool // it is not said how it ended
	mfa        signin.Verdict
	risk       string
	place      Place
	late       bool
	foreignAct bool
}

// NewFold makes an empty fold.
func NewFold(o Options) *Fold {
	o.Alert.Customer, o.Alert.Subscription = strings.ToLower(o.Alert.Customer), strings.ToLower(o.Alert.Subscription)
	return &Fold{o: o, seen: map[string]struct{}{}, phases: map[string]int{}, alias: map[string]string{}, names: map[string]*Actor{},
		listed: map[string]resourceRow{}, assigned: map[string]assignmentRow{}, at: map[string]Place{}, risky: map[string]risk{},
		first: map[Source]time.Time{}}
}

// Take adds one record, of the customer's tenant or of the partner's: place says which; where
// it says none it is the customer's. Kinds that say nothing here are ignored. The error says in
// words what could not be read; it is counted. raw is not retained.
func (f *Fold) Take(kind evidence.Kind, raw []byte, p Place) error {
	own := p.Tenant == "" || strings.EqualFold(p.Tenant, f.o.Alert.Customer)
	var err error
	switch kind {
	case evidence.AzureActivity:
		err = f.activity(raw, p)
	case evidence.DirectoryAudit:
		if own {
			err = f.audit(raw, p)
		}
	case evidence.SignIn:
		err = f.signIn(raw, p, own)
	case evidence.RiskyUser:
		if own {
			err = f.riskyUser(raw, p)
		}
	case evidence.RiskDetection:
		if own {
			err = f.detection(raw, p)
		}
	case evidence.AzureRoleAssignment:
		err = f.assignment(raw, p)
	case evidence.AzureResource:
		err = f.resource(raw, p)
	case evidence.CustomerUsage:
		err = f.usage(raw, p)
	}
	if err != nil {
		f.unread++
	}
	return err
}

// add keeps an act, once; the oldest go where there are too many.
func (f *Fold) add(a *act) {
	if a.at.After(f.o.Now) && !f.o.Now.IsZero() {
		return
	}
	if key := string(a.source) + "|" + a.place.ID; a.place.ID != "" {
		if _, again := f.seen[key]; again {
			return
		}
		f.seen[key] = struct{}{}
	}
	if !f.lost.IsZero() && a.at.Before(f.lost) {
		f.dropped++
		return
	}
	if len(f.acts) >= MaxActs {
		f.cut()
	}
	f.acts = append(f.acts, *a)
}

// cut drops the oldest tenth.
func (f *Fold) cut() {
	slices.SortStableFunc(f.acts, func(a, b act) int { return a.at.Compare(b.at) })
	n := len(f.acts) / 10
	f.lost, f.dropped = f.acts[n].at, f.dropped+n
	f.acts = slices.Delete(f.acts, 0, n)
	clear(f.phases) // the places moved: what comes of older acts counts as acts of their own
}

// reach notes the oldest record of a log.
func (f *Fold) reach(s Source, at time.Time) {
	if old, ok := f.first[s]; !ok || at.Before(old) {
		f.first[s] = at
	}
}

// who names an actor by what is known of it, and gives its key; "" is nobody.
func (f *Fold) who(object, upn, app, name string) string {
	object, upn, app = id(object), id(upn), id(app)
	if object == "00000000-0000-0000-0000-000000000000" {
		object = ""
	}
	key := cmp.Or(object, upn)
	if key == "" && app != "" {
		key = "app:" + app
	}
	if key == "" {
		return ""
	}
	if object != "" && upn != "" {
		f.alias[upn] = object
	}
	a := f.names[key]
	if a == nil {
		if len(f.names) >= 50*MaxActors {
			return key
		}
		a = &Actor{Key: key}
		f.names[key] = a
	}
	a.Object, a.UPN, a.App = cmp.Or(a.Object, object), cmp.Or(a.UPN, upn), cmp.Or(a.App, app)
	a.Name = cmp.Or(a.Name, print.Clean(name, print.MaxName))
	if strings.Contains(upn, "#ext#") {
		a.Foreign = true
		a.addWhy("it is a guest")
	}
	return key
}

func (a *Actor) addWhy(s string) {
	if !slices.Contains(a.Why, s) && len(a.Why) < 20 {
		a.Why = append(a.Why, s)
	}
}

func (f *Fold) usage(raw []byte, p Place) error {
	var r usageRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	if id(r.ID) != f.o.Alert.Customer || r.Total == nil {
		return nil
	}
	if !r.At.Set {
		return errNoTime
	}
	p.ID = ""
	f.costs = append(f.costs, Cost{At: r.At.Time.UTC(), Known: p.Read, Total: print.Finite(*r.Total), Currency: clean(r.Currency), Budget: r.Budget.Amount,
		Place: p})
	return nil
}

func (f *Fold) assignment(raw []byte, p Place) error {
	var r assignmentRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	if key := id(r.ID); key != "" && f.mine(key, "") && len(f.assigned) < 10*MaxThings {
		p.ID = clean(r.ID)
		f.assigned[key], f.at[key] = r, p
	}
	return nil
}

func (f *Fold) resource(raw []byte, p Place) error {
	var r resourceRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	key := id(r.ID)
	if key == "" || !f.mine(key, "") || len(f.listed) >= 50*MaxThings {
		return nil
	}
	p.ID = clean(r.ID)
	old, had := f.listed[key]
	if had && r.SKU == "" && r.Properties.Hardware.VMSize == "" { // the plain list says less than the list of its type
		r.SKU, r.Properties.Hardware.VMSize = old.SKU, old.Properties.Hardware.VMSize
	}
	f.listed[key], f.at[key] = r, p
	return nil
}

// mine says that something is of the alert's subscription.
func (f *Fold) mine(path, sub string) bool {
	if f.o.Alert.Subscription == "" {
		return true
	}
	if s := subscriptionOf(path); s != "" {
		sub = s
	}
	return sub == "" || sub == f.o.Alert.Subscription
}
