//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/msapi"
	"partnerguard/internal/pack"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/trail"
)

// OnceFeatures are the least that a tenant is looked at by: who is there, what is set, who
// signed in, who may become an administrator. All of it reads.
func OnceFeatures() []capture.Feature {
	return []capture.Feature{capture.Accounts, capture.Policies, capture.SignIns, capture.Eligibility}
}

// readOnly are the features that change nothing at a customer.
var readOnly = []capture.Feature{capture.Accounts, capture.Policies, capture.SignIns, capture.Methods, capture.Eligibility, capture.Risk, capture.SecureScore,
	capture.Licences}

// Once is a read-only assessment of a tenant before it is taken on: the app's consent there
// with the fewest permissions, one reading, one pack, and the consent removed again.
type Once struct {
	Tenant     string            // a customer's domain or tenant id
	Connection string            // "" is the only one
	Features   []capture.Feature // none: [OnceFeatures]
	// Make makes the pack of the tenant, once it was read; required to apply.
	Make func(ctx context.Context, tenant string, from, to time.Time) (*pack.Made, error)
	// Tell is told each step as it ends; may be nil.
	Tell func(OnceStep)
}

// OnceStep is one step and how it ended.
type OnceStep struct {
	Step string `json:"step"` // consent, read, pack, remove, prove
	Done bool   `json:"done"`
	Text string `json:"text"` // a sentence
}

// OnceDone is what came of it.
type OnceDone struct {
	Tenant string           `json:"tenant"`
	Domain string           `json:"domain"`
	Wanted []consent.Wanted `json:"wanted"` // each permission, with what it lets the app do
	// Own says that it is the partner's own tenant: nothing is granted there and nothing removed.
	Own   bool       `json:"own,omitempty"`
	Steps []OnceStep `json:"steps"`
	Pack  *pack.Made `json:"pack,omitempty"`
	// Gone says that the consent was seen to be gone: a new token was refused for want of it.
	Gone bool `json:"gone"`
	// Left is what a person has to remove, in the order of doing; empty where all is gone.
	Left []string `json:"left"`
}

// The keys of details in the trail.
const (
	onceStep       = "step"
	onceBegun      = "begun"
	onceEnded      = "ended"
	onceConnection = "connection"
	onceDomain     = "domain"
)

// once is one that is under way.
type once struct {
	*Installation
	o    *Once
	c    sam.Connection
	row  consent.Row
	done *OnceDone
}

// PlanOnce tells what would be asked for at a tenant, and changes nothing. Kind
// problem.Conflict where the app has a consent there already: that is not ours to remove.
func (i *Installation) PlanOnce(ctx context.Context, o Once) (*OnceDone, error) {
	x, err := i.once(ctx, &o)
	if err != nil {
		return nil, err
	}
	return x.done, nil
}

// once looks at the tenant, and says what is wanted.
func (i *Installation) once(ctx context.Context, o *Once) (*once, error) {
	if len(o.Features) == 0 {
		o.Features = OnceFeatures()
	}
	for _, f := range o.Features {
		if !slices.Contains(readOnly, f) {
			return nil, problem.New(problem.Usage, "the feature %s does more than read a tenant", f).
				WithHint("these read: %s", words(readOnly))
		}
	}
	c, err := i.SAM.Connection(ctx, o.Connection)
	if err != nil {
		return nil, err
	}
	x := &once{Installation: i, o: o, c: c, done: &OnceDone{Wanted: i.SAM.Wanted(suite.ConsentRequest{Connection: c, Features: o.Features}), Left: []string{}}}
	if strings.EqualFold(o.Tenant, c.Tenant) || strings.EqualFold(o.Tenant, c.Domain) {
		// What the app may do there is what the connection stands on: it is neither asked for
		// nor removed, so nothing of it is for FinishOnces either.
		x.row.Customer.ID, x.row.Customer.Domain = c.Tenant, c.Domain
		x.done.Tenant, x.done.Domain, x.done.Own, x.done.Wanted = c.Tenant, c.Domain, true, []consent.Wanted{}
		return x, nil
	}
	if err := x.look(ctx, o.Tenant); errors.Is(err, problem.NotFound) {
		return nil, problem.Wrap(err, problem.NotFound, "%.120s is no customer of this connection, and Partner Center grants consents at customers alone",
			o.Tenant).
			WithHint("of a prospect an admin exports what partnerguard export plan lists, and partnerguard assess --from FOLDER judges it; " +
				"or send a relationship first")
	} else if err != nil {
		return nil, err
	}
	x.done.Tenant, x.done.Domain = x.row.Customer.ID, x.row.Customer.Domain
	open, err := i.openOnces(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(open, func(e trail.Entry) bool { return e.Tenant == x.done.Tenant }) {
		return nil, problem.New(problem.Conflict, "an assessment of %s was begun before and did not end", x.name()).
			WithHint("partnerguard pack once --finish removes what is left of it")
	}
	for _, it := range x.row.Items {
		switch it.State {
		case consent.Missing, consent.Absent:
		case consent.Unknown:
			return nil, problem.New(problem.Unavailable, "what the app may do at %s is not known: %s", x.name(), it.Why).WithHint("%s",
				hintOr(it.Fix, "try again later"))
		default:
			return nil, problem.New(problem.Conflict, "the app has a consent at %s already, and removing it would take that too", x.name()).
				WithHint("partnerguard collect --now --tenant %s reads it, and partnerguard pack make --customer %s makes its pack", x.name(), x.name())
		}
	}
	return x, nil
}

func hintOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func words(list []capture.Feature) string {
	out := make([]string, len(list))
	for k, f := range list {
		out[k] = string(f)
	}
	return strings.Join(out, ", ")
}

func (x *once) name() string {
	return hintOr(x.row.Customer.Domain, hintOr(x.row.Customer.ID, x.done.Tenant))
}

// look observes the consent by a fresh token of each resource.
func (x *once) look(ctx context.Context, tenant string) error {
	_, err := x.SAM.Consent(ctx, suite.ConsentRequest{Connection: x.c, Features: x.o.Features, Only: []string{tenant}}, func(r consent.Row) error {
		x.row = r
		return nil
	})
	return err
}

func (x *once) tell(step string, done bool, format string, args ...any) {
	s := OnceStep{step, done, fmt.Sprintf(format, args...)}
	x.done.Steps = append(x.done.Steps, s)
	if x.o.Tell != nil {
		x.o.Tell(s)
	}
}

func (x *once) record(ctx context.Context, outcome audit.Outcome, step, reason string, details map[string]string) error {
	all := map[string]string{onceStep: step, onceConnection: x.c.ID, onceDomain: x.row.Customer.Domain}
	for k, v := range details {
		all[k] = v
	}
	return x.Trail.Record(ctx, audit.Event{Action: audit.PackOnce, Outcome: outcome, Actor: x.Actor, Object: x.done.Tenant, Tenant: x.done.Tenant,
		Reason:  reason,
		Details: all})
}

// AssessOnce does it. Once the consent was asked for it is removed whatever happens between,
// also where ctx ends; where even that fails, what is left stands in Left and in the trail,
// and [Installation.FinishOnces] goes on from there. The pack's error comes before that of
// the removal.
func (i *Installation) AssessOnce(ctx context.Context, o Once) (*OnceDone, error) {
	if o.Make == nil {
		return nil, problem.New(problem.Internal, "an assessment without a pack is none")
	}
	x, err := i.once(ctx, &o)
	if err != nil {
		return nil, err
	}
	if x.done.Own {
		x.tell("consent", true, "%s is the partner's own tenant: the app has there what the connection stands on; nothing is granted and nothing removed.",
			x.name())
		return x.done, x.read(ctx)
	}
	// What is begun is written down before anything is granted, so that a crash leaves no
	// consent that nobody knows of.
	if err := x.record(ctx, audit.Done, onceBegun, "", map[string]string{"features": words(o.Features)}); err != nil {
		return nil, err
	}
	err = x.assess(ctx)
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
	defer stop()
	rerr := x.remove(ending)
	if err == nil {
		err = rerr
	}
	return x.done, err
}

// assess grants, then reads and makes the pack.
func (x *once) assess(ctx context.Context) error {
	var row consent.Row
	_, err := x.SAM.Consent(ctx, suite.ConsentRequest{Connection: x.c, Features: x.o.Features, Only: []string{x.done.Tenant}, Apply: true},
		func(r consent.Row) error {
			row = r
			return nil
		})
	if err == nil && row.Result != consent.Applied && row.Result != consent.Unseen {
		err = problem.New(problem.Unmet, "the consent at %s was not granted: %s", x.name(), hintOr(row.Why, string(row.Result))).WithHint("%s",
			hintOr(row.Fix, "try again later"))
	}
	if err != nil {
		x.tell("consent", false, "The consent was not granted.")
		return err
	}
	x.tell("consent", true, "The app may read %s: %s.", x.name(), scopesOf(x.done.Wanted))
	return x.read(ctx)
}

// read reads the tenant once and makes the pack.
func (x *once) read(ctx context.Context) error {
	if err := x.meet(ctx); err != nil {
		x.tell("read", false, "It was not read.")
		return err
	}
	pages, refused, failed := 0, 0, 0
	err := x.CollectNow(ctx, x.done.Tenant, collect.Ask{Now: true}, func(r collect.Round, err error) {
		pages += r.Pages
		failed += r.Failed()
		for _, res := range r.Results {
			if res.Outcome == collect.Refused {
				refused++
			}
		}
	})
	if err == nil && pages == 0 {
		err = problem.New(problem.Unmet, "nothing of %s could be read", x.name()).WithHint("partnerguard gaps --tenant %s says why", x.name())
	}
	if err != nil {
		x.tell("read", false, "It was not read.")
		return err
	}
	x.tell("read", true, "Read %d pages; %d lists were refused and %d failed, and stand in the pack as gaps.", pages, refused, failed)
	to := x.Now().UTC().Add(time.Second).Truncate(time.Second)
	x.done.Pack, err = x.o.Make(ctx, x.done.Tenant, to.AddDate(0, 0, -logDays), to)
	if err != nil {
		x.tell("pack", false, "The pack was not made.")
		return err
	}
	x.tell("pack", true, "%s, SHA-256 %s.", x.done.Pack.Path, x.done.Pack.SHA256)
	return nil
}

// meet makes the tenant one that is read: tenants are known by the partner's list of customers.
func (x *once) meet(ctx context.Context) error {
	if _, err := x.Collect.Meet(ctx); err != nil {
		return err
	}
	_, err := x.Collect.Tenant(ctx, x.done.Tenant)
	if !errors.Is(err, problem.NotFound) {
		return err
	}
	if err := x.CollectNow(ctx, "partner", collect.Ask{Only: []string{"customers"}, Now: true}, func(collect.Round, error) {}); err != nil {
		return err
	}
	_, err = x.Collect.Tenant(ctx, x.done.Tenant)
	return err
}

func scopesOf(list []consent.Wanted) string {
	var out []string
	for _, w := range list {
		out = append(out, w.Scopes...)
	}
	return strings.Join(out, ", ")
}

// onceTries and oncePause are how patiently it is looked whether a consent is gone: Microsoft
// says nothing of how long a removal takes to be seen.
const (
	onceTries = 5
	oncePause = 3 * time.Second
)

// remove removes the consent and looks whether it is gone. Kind problem.Unmet where it is not
// seen to be.
func (x *once) remove(ctx context.Context) error {
	center, err := x.SAM.PartnerCenter(x.c)
	if err != nil {
		return x.left(ctx, err)
	}
	removed, err := center.RemoveConsent(ctx, x.done.Tenant, x.c.ClientID)
	if err != nil && !(refusedForGood(err) && x.nothing(ctx)) {
		return x.left(ctx, err)
	}
	switch {
	case err != nil: // who may not grant may not remove either: where a token shows that nothing is there, all is well
		x.tell("remove", true, "Partner Center refuses to remove a consent at %s, and there is none: %s.", x.name(), print.Clean(err.Error(), print.MaxSaying))
	case removed:
		if err := x.Trail.Record(ctx, audit.Event{Action: audit.ConsentRemoved, Outcome: audit.Done, Actor: x.Actor, Object: x.done.Tenant,
			Tenant: x.done.Tenant,
			Reason: "the assessment is over", Details: map[string]string{onceConnection: x.c.ID}}); err != nil {
			return x.left(ctx, err)
		}
		x.tell("remove", true, "The consent at %s was removed.", x.name())
	default:
		x.tell("remove", true, "There was no consent at %s to remove.", x.name())
	}
	for n := 0; ; n++ {
		err = x.look(ctx, x.done.Tenant)
		if err == nil && x.bare() {
			break
		}
		if n == onceTries-1 || ctx.Err() != nil {
			if err == nil {
				err = problem.New(problem.Unmet, "a new token still shows the app's consent at %s", x.name())
			}
			return x.left(ctx, err)
		}
		select {
		case <-time.After(oncePause):
		case <-ctx.Done():
		}
	}
	x.done.Gone = true
	x.tell("prove", true, "A new token for %s was refused for want of a consent: it is gone.", x.name())
	details := map[string]string{"removed": fmt.Sprint(removed)}
	if x.done.Pack != nil {
		details["pack"], details["sha256"] = x.done.Pack.Manifest.Name, x.done.Pack.SHA256
	}
	return x.record(ctx, audit.Done, onceEnded, "", details)
}

// refusedForGood reports an answer of Partner Center's that trying again does not change.
func refusedForGood(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && !e.Transient && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusUnauthorized
}

// bare says that what was looked at last shows no consent at all.
func (x *once) bare() bool {
	return len(x.row.Items) > 0 && !slices.ContainsFunc(x.row.Items, func(it consent.Item) bool {
		return it.State != consent.Missing && it.State != consent.Absent
	})
}

// nothing says that a new token shows no consent at all.
func (x *once) nothing(ctx context.Context) bool {
	return x.look(ctx, x.done.Tenant) == nil && x.bare()
}

// left says what a person has to remove, here and in the trail.
func (x *once) left(ctx context.Context, why error) error {
	x.done.Left = []string{
		"partnerguard pack once --finish tries again, as often as it takes",
		"in the tenant " + x.done.Tenant + ": Entra admin center, Enterprise applications, the application " + x.c.ClientID + ", Properties, Delete",
		"there too: Get-MgServicePrincipal -Filter \"appId eq '" + x.c.ClientID + "'\" | Remove-MgServicePrincipal, and look again that none is found",
	}
	x.tell("prove", false, "That the consent at %s is gone is not shown.", x.name())
	if err := x.record(ctx, audit.Failed, "remove", why.Error(), nil); err != nil {
		return err
	}
	return problem.Wrap(why, problem.Unmet, "the app's consent at %s is not seen to be gone", x.name()).WithHint("%s; or %s", x.done.Left[0], x.done.Left[1])
}

// openOnces are the assessments that were begun and did not end, oldest first.
func (i *Installation) openOnces(ctx context.Context) ([]trail.Entry, error) {
	open := map[string]trail.Entry{}
	err := i.Trail.Each(ctx, string(audit.PackOnce), func(e *trail.Entry) error {
		switch e.Details[onceStep] {
		case onceBegun:
			open[e.Object] = *e
		case onceEnded:
			delete(open, e.Object)
		}
		return nil
	})
	var out []trail.Entry
	for _, e := range open {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b trail.Entry) int { return int(a.Seq - b.Seq) })
	return out, err
}

// FinishOnces removes what is left of assessments that were begun and did not end, and gives
// each. Its error is the first; the others are done all the same.
func (i *Installation) FinishOnces(ctx context.Context, tell func(OnceStep)) (all []*OnceDone, err error) {
	open, err := i.openOnces(ctx)
	if err != nil {
		return nil, err
	}
	all = []*OnceDone{}
	for k := range open {
		e := &open[k]
		c, cerr := i.SAM.Connection(ctx, e.Details[onceConnection])
		if cerr != nil {
			if err == nil {
				err = problem.Wrap(cerr, problem.Unmet, "the connection by which %s was assessed is not there any more", e.Object).
					WithHint("delete the app's enterprise application in the tenant %s", e.Object)
			}
			continue
		}
		x := &once{Installation: i, o: &Once{Tenant: e.Object, Features: OnceFeatures(), Tell: tell}, c: c, done: &OnceDone{Tenant: e.Object,
			Domain: e.Details[onceDomain],
			Left:   []string{}}}
		x.row.Customer.ID, x.row.Customer.Domain = e.Object, e.Details[onceDomain]
		if f := e.Details["features"]; f != "" {
			x.o.Features = nil
			for _, w := range strings.Split(f, ", ") {
				x.o.Features = append(x.o.Features, capture.Feature(w))
			}
		}
		if rerr := x.remove(ctx); rerr != nil && err == nil {
			err = rerr
		}
		all = append(all, x.done)
	}
	return all, err
}
