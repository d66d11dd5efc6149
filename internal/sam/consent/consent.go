package consent

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
)

// Access observes what is granted; sam/exchange meets it. The scopes are those
// of a token that was asked for after the call began.
type Access interface {
	FreshAccess(ctx context.Context, connection, tenant, resource string) (scopes []string, err error)
}

// Center is what is asked of Partner Center; *msapi.PartnerCenter meets it.
type Center interface {
	Customers(ctx context.Context, size int) iter.Seq2[msapi.Customer, error]
	GrantConsent(ctx context.Context, customer, application, name string, grants []msapi.ConsentGrant) ([]msapi.ConsentResult, error)
	RemoveConsent(ctx context.Context, customer, application string) (removed bool, err error)
}

// Deps is everything a Service needs.
type Deps struct {
	Access  Access         // required
	Intents Intents        // required to apply; [NewIntents]
	Record  audit.Recorder // optional; when it fails, the run ends
	Now     func() time.Time
	Log     *slog.Logger
	// Wait waits; nil waits on the machine's clock.
	Wait func(context.Context, time.Duration) error
}

// Service plans and applies consents. Safe for concurrent use; two runs for the
// same connection at once would work against each other.
type Service struct{ d Deps }

// New makes a Service.
func New(d Deps) (*Service, error) {
	if d.Access == nil {
		return nil, errors.New("consent: Access is required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Wait == nil {
		d.Wait = wait
	}
	return &Service{d}, nil
}

// Wanted is what the app is to hold on one resource at every customer.
type Wanted struct {
	Resource string   `json:"resource"` // app id
	Name     string   `json:"name"`
	URI      string   `json:"uri"` // of the resource, as the cloud names it
	Scopes   []string `json:"scopes"`
	Asks     []Asked  `json:"asks"` // of each scope, in the same order
}

// Asked is one permission that is wanted, for people to agree to.
type Asked struct {
	Scope  string            `json:"scope"`
	Allows string            `json:"allows"` // what the app can do with it
	For    []capture.Feature `json:"for"`
}

// atHome are permissions that mean something in the partner's own tenant only,
// or nothing but the sign-in.
var atHome = []string{"openid", "profile", "email", "offline_access", "User.Read", "DelegatedAdminRelationship.Read.All",
	"DelegatedAdminRelationship.ReadWrite.All", "PartnerSecurity.Read.All", "PartnerSecurity.ReadWrite.All"}

// WantedFor is the least that some features need at a customer: Graph and
// Azure. It may be empty.
func WantedFor(cloud msapi.Cloud, features []capture.Feature) []Wanted {
	var out []Wanted
	m := capture.Permissions(features)
	for _, r := range m.Resources {
		w := Wanted{Resource: r.AppID, Name: r.Name}
		switch r.AppID {
		case capture.GraphApp:
			w.URI = cloud.GraphResource
		case capture.ARMApp:
			w.URI = cloud.ARMResource
		default: // Partner Center and the account's mail are asked at home
			continue
		}
		for _, p := range r.Scopes {
			if !slices.Contains(atHome, p.Value) {
				w.Scopes = append(w.Scopes, p.Value)
				w.Asks = append(w.Asks, Asked{p.Value, capture.Allows(r.AppID, p.Value), p.For})
			}
		}
		if len(w.Scopes) > 0 && w.URI != "" {
			out = append(out, w)
		}
	}
	return out
}

// State is how one resource stands at one customer.
type State string

// The states.
const (
	InOrder State = "in order"
	Missing State = "missing" // nobody consented
	Drift   State = "drift"   // granted, and it lacks something
	Excess  State = "excess"  // granted, all that is wanted and more
	Absent  State = "absent"  // the customer never used the service
	Unknown State = "unknown"
)

// Item is one resource at one customer.
type Item struct {
	Resource string   `json:"resource"`
	URI      string   `json:"uri"`
	State    State    `json:"state"`
	Granted  []string `json:"granted,omitempty"`
	Lacks    []string `json:"lacks,omitempty"`
	More     []string `json:"more,omitempty"`
	Why      string   `json:"why,omitempty"`
	Fix      string   `json:"fix,omitempty"`
	Code     int      `json:"code,omitempty"` // AADSTS
}

// Action is what is to be done at a customer.
type Action string

// The actions.
const (
	None    Action = "none"
	Grant   Action = "grant"   // POST what is missing
	Replace Action = "replace" // DELETE, then POST all
	Skip    Action = "skip"    // something would be to do and cannot: Why says so
)

// Result is how it ended.
type Result string

// The results.
const (
	Planned   Result = "planned"   // a dry run: nothing was changed
	Unchanged Result = "unchanged" // there was nothing to do
	Applied   Result = "applied"   // and seen in a fresh token
	Unseen    Result = "unseen"    // accepted, and not yet in a token: look again later
	Failed    Result = "failed"
	Skipped   Result = "skipped"
)

// Row is one customer.
type Row struct {
	Customer msapi.Customer `json:"customer"`
	Items    []Item         `json:"items"` // after the run, where something was done
	Action   Action         `json:"action"`
	Result   Result         `json:"result"`
	Why      string         `json:"why,omitempty"`
	Fix      string         `json:"fix,omitempty"`
	// Left says since when a removed consent waits to be granted anew, from an
	// earlier run that ended in between.
	Left time.Time `json:"left,omitzero"`
}

// Options is one run.
type Options struct {
	Connection sam.Connection
	Center     Center // for the connection; required
	Wanted     []Wanted
	Name       string // of the app, for the customer's eyes
	// Only these customers, by tenant id or domain; empty is all. One that is no
	// customer is an error at the end.
	Only    []string
	Apply   bool // otherwise it is a dry run
	Trim    bool // take away what is more than wanted, too
	Workers int  // 0 is 8, at most 32
	Actor   string
	// Progress is told of each customer that is done and how many are known so
	// far; whole says that the list has ended. It is called in turn.
	Progress func(done, known int, whole bool)
}

// Summary counts customers.
type Summary struct {
	Customers int            `json:"customers"`
	Actions   map[Action]int `json:"actions"`
	Results   map[Result]int `json:"results"`
	States    map[State]int  `json:"states"`         // of resources at customers
	Left      int            `json:"left,omitempty"` // found half done from an earlier run
}

// check says what is wrong with a run.
func (s *Service) check(o *Options) error {
	switch {
	case o.Center == nil:
		return problem.New(problem.Internal, "there is no Partner Center to ask")
	case len(o.Wanted) == 0:
		return problem.New(problem.Usage, "nothing is wanted at customers").WithHint("switch a feature on that works in customers' tenants")
	case o.Apply && s.d.Intents == nil:
		return problem.New(problem.Internal, "there is nowhere to write down what is about to be removed")
	case o.Connection.ID == "" || o.Connection.ClientID == "":
		return problem.New(problem.Internal, "there is no connection")
	}
	for _, w := range o.Wanted {
		if w.Resource == "" || w.URI == "" || len(w.Scopes) == 0 {
			return problem.New(problem.Internal, "a wanted resource is not whole")
		}
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	o.Workers = min(o.Workers, 32)
	return nil
}

// observe looks at one resource at one customer.
func (s *Service) observe(ctx context.Context, o *Options, customer string, w Wanted) Item {
	it := Item{Resource: w.Resource, URI: w.URI}
	scopes, err := s.d.Access.FreshAccess(ctx, o.Connection.ID, customer, w.URI)
	if err != nil {
		it.judge(err)
		if it.State == Missing {
			it.Lacks = slices.Clone(w.Scopes)
		}
		return it
	}
	it.Granted = slices.Sorted(slices.Values(scopes))
	d := capture.Diff(map[string][]string{w.URI: scopes}, map[string][]string{w.URI: w.Scopes})
	it.Lacks, it.More = d.Missing[w.URI], d.More[w.URI]
	switch {
	case len(it.Lacks) > 0:
		it.State = Drift
	case len(it.More) > 0:
		it.State = Excess
	default:
		it.State = InOrder
	}
	return it
}

// judge reads why there is no token.
func (it *Item) judge(err error) {
	it.State = Unknown
	e, ok := errors.AsType[*msapi.TokenError](err)
	if !ok {
		it.Why, it.Fix = plain(err), problem.HintOf(err)
		return
	}
	it.Why, it.Fix, it.Code = e.Public(), e.Fix(), e.Code
	if e.Transient {
		return
	}
	switch e.Code {
	case entra.CodeNoConsent, entra.CodeNotAuthorizedForPartner, entra.CodePrincipalMissing:
		it.State, it.Why, it.Fix = Missing, "", ""
	case entra.CodeResourceNotFound, entra.CodeServiceNeverUsed:
		it.State = Absent
	}
}

// plain is an error's public words; what has none is not repeated.
func plain(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	if e, ok := errors.AsType[*msapi.APIError](err); ok {
		return e.Error()
	}
	if errors.Is(err, problem.Limit) {
		return "it is throttled just now"
	}
	return "it could not be asked"
}

// decide says what is to be done for what was seen.
func decide(items []Item, trim bool) (Action, string) {
	n := map[State]int{}
	for _, it := range items {
		n[it.State]++
	}
	replace := n[Drift] > 0 || trim && n[Excess] > 0
	switch {
	case replace && n[Unknown] > 0:
		return Skip, "what is granted on another resource there is not known, and a removal would take it too"
	case replace:
		return Replace, ""
	case n[Missing] > 0:
		return Grant, ""
	case n[Unknown] > 0:
		return Skip, "what is granted there is not known"
	}
	return None, ""
}

// grants are what is asked for: what is missing, or with all everything that
// the customer has the service for.
func grants(items []Item, wanted []Wanted, all bool) (out []msapi.ConsentGrant) {
	for i, it := range items {
		if it.State == Missing || all && it.State != Absent {
			out = append(out, msapi.ConsentGrant{Resource: wanted[i].Resource, Scopes: wanted[i].Scopes})
		}
	}
	return out
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) record(ctx context.Context, o *Options, action audit.Action, outcome audit.Outcome, customer, reason string,
	details map[string]string) error {
	if s.d.Record == nil {
		return nil
	}
	if details == nil {
		details = map[string]string{}
	}
	details["app"], details["connection"] = o.Connection.ClientID, o.Connection.ID
	return s.d.Record.Record(ctx, audit.Event{
		At: s.d.Now().UTC().Truncate(time.Microsecond), Action: action, Outcome: outcome, Actor: o.Actor, Object: customer, Tenant: customer, Reason: reason,
		Details: details,
	})
}

// named says whether a customer is among those that were named.
func named(c msapi.Customer, only []string) int {
	return slices.IndexFunc(only, func(v string) bool { return strings.EqualFold(v, c.ID) || strings.EqualFold(v, c.Domain) })
}
