package renew

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
)

// SettingsReader reads what of the partner tenant decides a connection's life,
// usually with the connection's own token. What could not be read it names in
// Settings.Unknown; an error means that nothing could be read.
type SettingsReader interface {
	Settings(ctx context.Context, c sam.Connection) (Settings, error)
}

// Settings are the facts a forecast is made from.
type Settings struct {
	// Tenant has policies, named locations and strengths, and among its users the
	// connection's account with its groups and roles. Nil: not read.
	Tenant *access.Tenant
	// Credentials are those of the app registration; CredentialsRead tells none
	// from not read.
	Credentials     []Credential
	CredentialsRead bool
	// IP and Country say from where this installation asks. Zero: not known;
	// a policy for some places then counts as one that can apply.
	IP      netip.Addr
	Country string
	// Unknown lists in words what could not be read and could end the connection.
	Unknown []string
}

// Credential is one of an app registration's, as Graph tells it.
type Credential struct {
	ID         string // keyId
	Name       string
	Kind       msapi.CredentialKind // Certificate or ClientSecret
	Thumbprint string               // SHA-256 of a certificate in hex, when Graph tells
	NotBefore  time.Time
	NotAfter   time.Time
}

// Causes of a connection's end.
const (
	CauseIdle        = "idle"
	CauseFrequency   = "sign-in frequency"
	CauseCertificate = "certificate"
	CauseSecret      = "secret"
	CauseBlocked     = "blocked"
)

// Forecast reads the settings, foretells the connection's end and keeps that.
func (r *Renewer) Forecast(ctx context.Context, id string) (sam.Connection, error) {
	c, err := r.d.Store.Find(ctx, id)
	if err != nil {
		return c, err
	}
	f, err := r.foretell(ctx, c)
	if err != nil {
		return c, err
	}
	kept, err := r.d.Store.SetForecast(ctx, c.ID, c.Generation, f)
	if errors.Is(err, sam.ErrMoved) { // renewed meanwhile, and foretold then
		return r.d.Store.Find(ctx, c.ID)
	}
	return kept, err
}

// foretold is Forecast after a renewal, which it cannot spoil.
func (r *Renewer) foretold(ctx context.Context, c sam.Connection) sam.Connection {
	out, err := r.Forecast(ctx, c.ID)
	if err != nil {
		r.d.Log.WarnContext(ctx, "no forecast was made", "connection", c.ID, "error", err)
		return c
	}
	return out
}

func (r *Renewer) foretell(ctx context.Context, c sam.Connection) (sam.Forecast, error) {
	var facts Facts
	if reg, err := r.d.Store.Registration(ctx, c.ClientID); err == nil {
		facts.Registration = &reg
	} else if !errors.Is(err, problem.NotFound) {
		return sam.Forecast{}, err
	}
	if r.d.Settings != nil {
		switch s, err := r.d.Settings.Settings(ctx, c); {
		case err == nil:
			facts.Settings = &s
		case ctx.Err() != nil:
			return sam.Forecast{}, ctx.Err()
		default:
			if p, ok := errors.AsType[*problem.Error](err); ok {
				facts.Why = p.Public
			} else if te, ok := errors.AsType[*msapi.TokenError](err); ok {
				facts.Why = te.Public()
			}
			r.d.Log.InfoContext(ctx, "the settings behind a forecast were not read", "connection", c.ID, "error", err)
		}
	}
	return Predict(c, facts, r.d.Now()), nil
}

// Facts are what Predict knows besides the connection.
type Facts struct {
	Registration *sam.Registration // nil: this installation has no credential for the app
	Settings     *Settings         // nil: not read
	Why          string            // why Settings were not read, for people; optional
}

// end is one thing that ends a connection.
type end struct {
	at                        time.Time
	cause, words, fix, object string
	rank                      int // of ends at the same moment the lower comes first
}

// Predict says when a connection stops working if nobody does anything, and
// what could end it sooner but is not known. It is pure.
//
// An end that hangs on something not known (the place it asks from, a group
// that was not read) counts from its earliest date, unless a renewal after that
// date, with the policy as it is now, has shown that it does not apply.
func Predict(c sam.Connection, f Facts, now time.Time) sam.Forecast {
	out := sam.Forecast{Computed: now}
	var ends []end
	if !c.ObtainedAt.IsZero() {
		ends = append(ends, end{at: c.ObtainedAt.Add(IdleLimit), cause: CauseIdle, rank: 9,
			words: "a refresh token dies when it is not used for 90 days", fix: "let the renewal run: partnerguard keeps it alive by itself"})
	}
	ends = append(ends, credentialEnds(&c, &f, now, &out.Unknown)...)
	ends = append(ends, policyEnds(&c, &f, now, &out.Unknown)...)
	if f.Settings != nil {
		out.Unknown = append(out.Unknown, f.Settings.Unknown...)
	}
	slices.Sort(out.Unknown)
	out.Unknown = slices.Compact(out.Unknown)
	if len(ends) == 0 {
		return out
	}
	first := slices.MinFunc(ends, func(a, b end) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank)) })
	out.At, out.Cause, out.Words, out.Fix, out.Object = first.at, first.cause, first.words, first.fix, first.object
	return out
}

// credentialEnds looks at what proves the app: our own certificate or secret,
// and what the registration in Entra ID says of it.
func credentialEnds(c *sam.Connection, f *Facts, now time.Time, unknown *[]string) []end {
	r := f.Registration
	if r == nil {
		*unknown = append(*unknown, "when the app's credential expires: this installation has none for "+c.ClientID)
		return nil
	}
	fix := "make a new certificate and put it on the app registration; nobody needs to sign in again"
	var ends []end
	put := func(cause string, at time.Time, object, words string) {
		if !at.IsZero() {
			ends = append(ends, end{at: at, cause: cause, object: object, words: words, fix: fix, rank: 2})
		}
	}
	read := f.Settings != nil && f.Settings.CredentialsRead
	switch r.Kind {
	case msapi.Certificate:
		put(CauseCertificate, r.NotAfter, r.Thumbprint, "the app's certificate expires")
		if !read {
			*unknown = append(*unknown, "whether the app registration still has the certificate, and until when")
			break
		}
		var seen, untold bool
		for _, k := range f.Settings.Credentials {
			if k.Kind != msapi.Certificate {
				continue
			}
			switch {
			case k.Thumbprint == "":
				untold = true
			case strings.EqualFold(k.Thumbprint, r.Thumbprint):
				seen = true
				if k.NotAfter.Before(r.NotAfter) || r.NotAfter.IsZero() {
					put(CauseCertificate, k.NotAfter, cmp.Or(k.ID, r.Thumbprint), "the app registration lets the certificate end")
				}
			}
		}
		switch {
		case seen:
		case untold:
			*unknown = append(*unknown, "whether one of the app registration's certificates is ours")
		default:
			put(CauseCertificate, now, r.Thumbprint, "the app registration does not have the certificate that is used")
		}
	case msapi.ClientSecret:
		put(CauseSecret, r.NotAfter, "", "the app's client secret expires")
		var list []Credential
		if read {
			for _, k := range f.Settings.Credentials {
				if k.Kind == msapi.ClientSecret {
					list = append(list, k)
				}
			}
		}
		slices.SortFunc(list, func(a, b Credential) int { return a.NotAfter.Compare(b.NotAfter) })
		switch {
		case !read:
			*unknown = append(*unknown, secretWords(r))
		case len(list) == 0:
			put(CauseSecret, now, "", "the app registration has no client secret any more")
		case len(list) == 1:
			put(CauseSecret, list[0].NotAfter, list[0].ID, "the app's client secret expires")
		case slices.ContainsFunc(list, func(k Credential) bool { return !r.NotAfter.IsZero() && k.NotAfter.Equal(r.NotAfter) }):
		default:
			// Which of them is ours is not told: the first that has not ended yet may be.
			*unknown = append(*unknown, fmt.Sprintf("which of the app registration's %d client secrets is ours", len(list)))
			for _, k := range list {
				if k.NotAfter.After(now) {
					put(CauseSecret, k.NotAfter, k.ID, "one of the app's client secrets expires, perhaps the one in use")
					break
				}
			}
		}
	}
	return ends
}

func secretWords(r *sam.Registration) string {
	if r.NotAfter.IsZero() {
		return "when the app's client secret expires"
	}
	return "whether the app registration still has the client secret"
}

// appIDs are the apps behind the resources a connection asks for.
func appIDs(c *sam.Connection) (ids []string, unknown []string) {
	known := map[string]string{
		strings.ToLower(c.Cloud.GraphResource):         entra.AppGraph,
		strings.ToLower(c.Cloud.PartnerCenterResource): entra.AppPartnerCenter,
		strings.ToLower(c.Cloud.ARMResource):           entra.AppARM,
		entra.OutlookResource:                          entra.AppExchange,
	}
	delete(known, "")
	resources := []string{c.Cloud.PartnerCenterResource}
	for r := range c.Scopes {
		resources = append(resources, r)
	}
	slices.Sort(resources)
	for _, r := range slices.Compact(resources) {
		switch id := known[strings.TrimSuffix(strings.ToLower(r), "/")]; {
		case id != "":
			ids = append(ids, id)
		case r != "":
			unknown = append(unknown, "which policies hold for the resource "+r)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), unknown
}

// policyEnds asks the access engine.
func policyEnds(c *sam.Connection, f *Facts, now time.Time, unknown *[]string) []end {
	if f.Settings == nil || f.Settings.Tenant == nil {
		words := "the Conditional Access policies: sign-in frequencies and blocks"
		if f.Why != "" {
			words += " (" + f.Why + ")"
		}
		*unknown = append(*unknown, words)
		return nil
	}
	e := access.Compile(f.Settings.Tenant)
	user, ok := -1, false
	for _, name := range []string{c.ObjectID, c.Account} {
		if user, ok = e.Find(name); ok {
			break
		}
	}
	if !ok {
		user = e.Stranger()
		*unknown = append(*unknown, "the account's groups and roles")
	}
	s := access.SignIn{User: user, Client: "browser", IP: f.Settings.IP, Country: f.Settings.Country}
	if f.Registration != nil && f.Registration.Kind == msapi.Public {
		s.Client = "native"
	}
	apps, strange := appIDs(c)
	*unknown = append(*unknown, strange...)
	var ends []end
	// shown says that a renewal worked under a policy as it is now.
	shown := func(changed time.Time) bool { return !changed.IsZero() && changed.Before(c.ObtainedAt) }
	// since is when a policy that takes effect before the newest token came did
	// so: at its last change, or, where something else changed, now.
	since := func(changed time.Time) time.Time {
		if changed.Before(c.ObtainedAt) || changed.After(now) {
			return now
		}
		return changed
	}
	for _, x := range e.Refusals(s, apps) {
		words := fmt.Sprintf("the Conditional Access policy %q asks for %s", x.Policy, x.Demands)
		if x.Demands == "block" {
			words = fmt.Sprintf("the Conditional Access policy %q blocks it", x.Policy)
		}
		switch {
		case x.Applies == "yes":
			ends = append(ends, end{at: since(x.Changed), cause: CauseBlocked, object: x.ID, rank: 1, words: words + appWords(apps, x.App),
				fix: "leave this account out of that policy and hold it to another one that asks for MFA alone"})
		case !shown(x.Changed):
			*unknown = append(*unknown, fmt.Sprintf("%s, if it applies: that hangs on %s", words, x.Hangs))
		}
	}
	from, about := c.AuthTime, ""
	if from.IsZero() {
		from, about = c.ConsentedAt, ", counted from the consent"
	}
	dated := false
	for _, l := range e.Lifetimes(s, apps) {
		at := from.Add(l.Every)
		words := fmt.Sprintf("the Conditional Access policy %q wants a new sign-in %s%s", l.Policy, often(l), appWords(apps, l.App))
		switch {
		case l.Every <= 0:
			if !shown(l.Changed) {
				*unknown = append(*unknown, fmt.Sprintf("%s: that hangs on %s", strings.TrimSuffix(words, " "), l.Hangs))
			}
			continue
		case l.Applies != "yes" && shown(l.Changed) && !at.After(c.ObtainedAt):
			continue // it would have ended it before the newest renewal
		case l.Applies != "yes":
			words += ", if it applies: that hangs on " + l.Hangs
		}
		if !at.After(c.ObtainedAt) || at.Before(l.Changed) && !at.After(now) {
			at = since(l.Changed) // it was not there, or not so, at that moment
		}
		dated = true
		ends = append(ends, end{at: at, cause: CauseFrequency, object: l.ID, rank: 3, words: words + about,
			fix: "sign in again before that: partnerguard connect; or leave this account out of the policy's sign-in frequency and hold it to MFA otherwise"})
	}
	if dated && about != "" {
		*unknown = append(*unknown, "when the account last signed in, which is before the consent")
	}
	return ends
}

// often says a frequency in words.
func often(l access.Lifetime) string {
	switch {
	case l.EveryTime:
		return "every time"
	case l.Every <= 0:
		return "after a time"
	case l.Every%(24*time.Hour) == 0:
		return fmt.Sprintf("every %s", count(int(l.Every/(24*time.Hour)), "day"))
	}
	return fmt.Sprintf("every %s", count(int(l.Every/time.Hour), "hour"))
}

func count(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// appWords names the app that a policy is about when it is not about all.
func appWords(apps []string, app string) string {
	names := map[string]string{
		entra.AppGraph: "Microsoft Graph", entra.AppPartnerCenter: "Partner Center",
		entra.AppARM: "Azure", entra.AppExchange: "Exchange Online",
	}
	if n := names[app]; n != "" && len(apps) > 1 {
		return " for " + n
	}
	return ""
}
