//go:build !judge

package inquiry

import (
	"time"

	"partnerguard/internal/fraud"
)

// Source is where a row comes from; a timeline has one lane for each.
type Source string

// The sources, in the order of the lanes.
const (
	Alerts    Source = "alert"
	Identity  Source = "identity"  // the directory's audit log: credentials, consents, roles, methods
	SignIns   Source = "signIns"   // of those who acted
	Risk      Source = "risk"      // what Identity Protection holds for compromised
	Rights    Source = "rights"    // Azure role assignments
	Resources Source = "resources" // Azure's activity log: what was made, changed, deleted
	Costs     Source = "cost"
	Ours      Source = "response" // what was done about it here
)

// Sources are all of them, in the order of the lanes.
func Sources() []Source {
	return []Source{Alerts, Identity, SignIns, Risk, Rights, Resources, Costs, Ours}
}

// Weight says how much a row is looked at.
type Weight string

// The weights.
const (
	Cause   Weight = "cause"   // where it began, as far as the rows say
	Suspect Weight = "suspect" // part of what the alert is about
	Mark    Weight = "mark"    // the alert, an answer, what was done
	Usual   Weight = "usual"   // beside it
)

// Place is where a row was read: an entry of a segment of the archive, or a line of a file.
type Place struct {
	Tenant   string    `json:"tenant,omitempty"`
	Resource string    `json:"resource,omitempty"` // as the collection names it
	Segment  string    `json:"segment,omitempty"`
	Entry    int64     `json:"entry,omitempty"`  // of the segment, from 0
	Seq      int64     `json:"seq,omitempty"`    // the segment's entry of the trail
	SHA256   string    `json:"sha256,omitempty"` // of the page
	Read     time.Time `json:"read,omitzero"`    // when it was answered
	ID       string    `json:"id,omitempty"`     // Microsoft's, of the record
	File     string    `json:"file,omitempty"`   // where it was read from files
}

// Row is one line of a timeline: one act, or several of one kind that belong together.
type Row struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at,omitzero"`    // zero: it does not say
	Until    time.Time `json:"until,omitzero"` // of the last, where it is several
	Source   Source    `json:"source"`
	Weight   Weight    `json:"weight"`
	Who      string    `json:"who,omitempty"` // the actor's name
	Actor    string    `json:"actor,omitempty"`
	What     string    `json:"what"`          // in words
	Act      string    `json:"act,omitempty"` // as Microsoft calls it
	IP       string    `json:"ip,omitempty"`
	Country  string    `json:"country,omitempty"`
	Resource string    `json:"resource,omitempty"` // Azure's path, or what it was done to
	Type     string    `json:"type,omitempty"`
	Region   string    `json:"region,omitempty"`
	SKU      string    `json:"sku,omitempty"`
	Count    int       `json:"count"` // acts
	Failed   bool      `json:"failed,omitempty"`
	Late     bool      `json:"late,omitempty"` // it was known long after it happened: cost
	Why      []string  `json:"why,omitempty"`  // why it is looked at
	Places   []Place   `json:"places,omitempty"`
	More     int       `json:"morePlaces,omitempty"` // beyond those
	Private  bool      `json:"-"`                    // a note of the partner's own
}

// Actor is who acted: an account or an app.
type Actor struct {
	Key       string    `json:"key"`
	Object    string    `json:"objectId,omitempty"`
	UPN       string    `json:"userPrincipalName,omitempty"`
	App       string    `json:"appId,omitempty"`
	Name      string    `json:"name,omitempty"`
	IPs       []string  `json:"ips,omitempty"`
	Countries []string  `json:"countries,omitempty"`
	Days      int       `json:"daysBefore"` // days with acts in this subscription, before what the alert is about
	Acts      int       `json:"acts"`
	First     time.Time `json:"first,omitzero"`
	Last      time.Time `json:"last,omitzero"`
	Foreign   bool      `json:"foreign,omitempty"` // a guest, or of another tenant
	Suspect   bool      `json:"suspect,omitempty"` // it made what the alert is about
	Why       []string  `json:"why,omitempty"`
}

// ThingKind is what was made.
type ThingKind string

// The kinds of things.
const (
	Made       ThingKind = "resource"
	Assignment ThingKind = "roleAssignment"
	Credential ThingKind = "credential"
	Consent    ThingKind = "consent"
	Method     ThingKind = "method" // a method of MFA, or a password that was reset
	RoleGiven  ThingKind = "directoryRole"
	Account    ThingKind = "account"
)

// Thing is what was made or given in the days before the alert, and after.
type Thing struct {
	Kind    ThingKind `json:"kind"`
	ID      string    `json:"id,omitempty"` // Azure's path, an assignment's id, an app's object id
	Name    string    `json:"name,omitempty"`
	Type    string    `json:"type,omitempty"`
	Region  string    `json:"region,omitempty"`
	SKU     string    `json:"sku,omitempty"`
	Role    string    `json:"role,omitempty"`
	For     string    `json:"principal,omitempty"` // whom it was given to
	Scope   string    `json:"scope,omitempty"`
	At      time.Time `json:"at,omitzero"`
	By      string    `json:"by,omitempty"` // the actor's key
	Gone    bool      `json:"gone,omitempty"`
	Foreign bool      `json:"foreign,omitempty"` // its principal is of another tenant
	Suspect bool      `json:"suspect,omitempty"`
}

// Reason is one thing that speaks for fraud or against it, or that is not known.
type Reason struct {
	Key    string   `json:"key"`
	Text   string   `json:"text"`
	Strong bool     `json:"strong,omitempty"`
	Rows   []string `json:"rows,omitempty"` // ids of the rows it rests on
	Ask    string   `json:"ask,omitempty"`  // of what is not known: the one request that settles it
}

// Read is how one thing that an inquiry wants stands.
type Read struct {
	Tenant   string    `json:"tenant"`
	Partner  bool      `json:"partner,omitempty"`
	Resource string    `json:"resource"`
	Proves   string    `json:"proves,omitempty"`
	State    ReadState `json:"state"`
	At       time.Time `json:"at,omitzero"` // of the last reading to its end
	Why      string    `json:"why,omitempty"`
	Needs    string    `json:"needs,omitempty"` // permission or licence, by name
	Ask      string    `json:"ask,omitempty"`
}

// ReadState is how it stands.
type ReadState string

// The states.
const (
	ReadSince   ReadState = "read"    // since the alert was known here
	ReadBefore  ReadState = "older"   // read, but not since
	ReadRefused ReadState = "refused" // a permission, role, licence or consent is missing: a fact
	ReadFailed  ReadState = "failed"  // it is tried again
	ReadNever   ReadState = "never"
)

// Known says that the record's absence from it says something.
func (s ReadState) Known() bool { return s == ReadSince || s == ReadBefore }

// Done is one thing that was done about an alert here: a step of containment, a note, an answer.
type Done struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	What    string    `json:"what"`
	Outcome string    `json:"outcome,omitempty"` // done, failed, refused, rolled back, waiting
	Private bool      `json:"-"`                 // a note of the partner's own: not for the customer
	Contain bool      `json:"contain,omitempty"` // it is a step of containment
	Ended   bool      `json:"ended,omitempty"`   // with it the bleeding stopped
}

// Cost is what Azure cost the customer this month, as it was known at a moment.
type Cost struct {
	At       time.Time `json:"at"`    // of the estimate, as Partner Center dates it
	Known    time.Time `json:"known"` // when it was read
	Total    float64   `json:"total"` // of the month until then
	Currency string    `json:"currency,omitempty"`
	Budget   *float64  `json:"budget,omitempty"`
	Place    Place     `json:"place"`
}

// Timeline is all that is known of an alert. Nothing in it is changed once it is made.
type Timeline struct {
	Alert   fraud.Alert `json:"alert"`
	AsOf    time.Time   `json:"asOf"`
	Known   time.Time   `json:"known,omitzero"` // when the alert was first known here
	From    time.Time   `json:"from"`           // what rows are looked at
	Rows    []Row       `json:"rows"`           // by time; those without one last
	Actors  []Actor     `json:"actors"`
	Things  []Thing     `json:"things"`
	For     []Reason    `json:"forFraud"`
	Against []Reason    `json:"againstFraud"`
	Unknown []Reason    `json:"notKnown"`
	Says    string      `json:"says"` // in one sentence; it decides nothing
	Reads   []Read      `json:"reads"`
	Costs   []Cost      `json:"costs"`
	Dropped int         `json:"dropped,omitempty"` // acts beyond what is kept
	Unread  int         `json:"unread,omitempty"`  // records that could not be read
	Places  []Segment   `json:"segments"`          // of the archive that it rests on
}

// Segment is a segment of the archive that rows come from, with what proves it.
type Segment struct {
	Name   string    `json:"name"`
	Tenant string    `json:"tenant"`
	Seq    int64     `json:"seq"` // its entry in the trail
	SHA256 string    `json:"sha256"`
	Root   string    `json:"root"`
	Made   time.Time `json:"made"`
	Gone   bool      `json:"gone,omitempty"` // removed by policy: its entry remains
}

// Limits of a timeline. What is beyond is counted and said.
const (
	MaxRows   = 2000    // after acts that belong together were joined
	MaxActs   = 200_000 // before
	MaxPlaces = 8       // of a row
	MaxThings = 2000
	MaxActors = 500
	MaxRecord = 1 << 20 // bytes of a record

	Before = 30 * 24 * time.Hour // how far before the alert rows are shown
)
