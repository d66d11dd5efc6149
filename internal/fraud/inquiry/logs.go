//go:build !judge

package inquiry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/lenient"
	"partnerguard/internal/print"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

func (f *Fold) activity(raw []byte, p Place) error {
	var r activityRow
	if err := decode(raw, &r); err != nil {
		return err
	}
	at := r.when()
	switch {
	case at.IsZero():
		return errNoTime
	case r.Operation == "":
		return errNoAct
	case !f.mine(id(r.Resource), id(r.Sub)):
		return nil
	}
	f.reach(Resources, at)
	op := id(r.Operation)
	if c := strings.ToLower(string(r.Category)); c != "" && c != "administrative" {
		return nil
	}
	if !strings.HasSuffix(op, "/write") && !strings.HasSuffix(op, "/delete") && !strings.HasSuffix(op, "/action") {
		return nil
	}
	claims := r.claims()
	caller := string(r.Caller)
	upn, object := claims[claimUPN], claims[claimObject]
	if strings.Contains(caller, "@") {
		upn = cmp.Or(upn, caller)
	} else {
		object = cmp.Or(object, caller)
	}
	told := r.told()
	p.ID = clean(r.ID)
	a := act{at: at, source: Resources, actor: f.who(object, upn, claims["appid"], claims["name"]), op: op, raw: clean(r.Operation),
		ip: clean(cmp.Or(string(r.HTTP.IP), string(r.IP), claims["ipaddr"])), path: clean(r.Resource), typ: typeOf(op),
		region: clean(cmp.Or(told.region, string(r.Location))), sku: clean(told.sku), place: p}
	if strings.EqualFold(a.region, "global") {
		a.region = ""
	}
	if idp := claims[claimIDP]; idp != "" && f.names[a.actor] != nil {
		f.names[a.actor].Foreign = true
		f.names[a.actor].addWhy("it signed in by another tenant")
	}
	switch s := strings.ToLower(cmp.Or(string(r.Status), string(r.Result))); s {
	case "failed", "failure", "canceled", "cancelled":
		a.failed = true
	case "started", "accepted", "start", "accept", "":
		a.started = true
	}
	f.sort(&a, &told)
	f.phase(&a, string(r.Correlation))
	return nil
}

// sort says what an act of Azure's is.
func (f *Fold) sort(a *act, told *about) {
	what := heavy[a.op]
	verb := "made or changed a "
	switch {
	case strings.HasSuffix(a.op, "/start/action"):
		verb = "started a "
	case strings.HasSuffix(a.op, "/delete"):
		verb = "deleted a "
	}
	switch {
	case what != "":
		a.kind, a.what = Made, verb+what
	case a.op == opAssign:
		a.source, a.kind, a.key, a.strong = Rights, Assignment, "newRight", true
		a.role, a.to, a.forType, a.scope = roleOf(told.role), id(told.principal), clean(told.ptype), clean(told.scope)
		a.what = "gave a right in Azure"
	case a.op == opElevate:
		a.source, a.kind, a.key, a.strong, a.what = Rights, RoleGiven, "elevated", true, "took access to all of Azure"
	case asksQuota(a.op):
		a.key, a.strong, a.what = "quota", true, "asked for more quota"
	case strings.HasSuffix(a.op, "/delete"):
		a.what = "deleted " + strings.TrimPrefix(a.typ, "microsoft.")
	case strings.HasSuffix(a.op, "/write"):
		a.what = "wrote " + strings.TrimPrefix(a.typ, "microsoft.")
	default:
		a.what = strings.TrimPrefix(a.op, "microsoft.")
	}
}

// phase joins the rows by which Azure tells of one act: begun, accepted, ended.
func (f *Fold) phase(a *act, correlation string) {
	if correlation == "" {
		f.add(a)
		return
	}
	key := id(correlation) + "|" + a.op + "|" + strings.ToLower(a.path)
	i, ok := f.phases[key]
	if !ok || i >= len(f.acts) {
		n := len(f.acts)
		if f.add(a); len(f.acts) > n {
			f.phases[key] = len(f.acts) - 1
		}
		return
	}
	o := &f.acts[i]
	if a.at.Before(o.at) {
		o.at = a.at
	}
	switch {
	case !a.failed && !a.started: // it ended well, whatever was said before
		o.failed, o.started, o.place = false, false, a.place
	case o.started:
		o.failed, o.started = a.failed, a.started
	}
	o.ip, o.region, o.sku = cmp.Or(o.ip, a.ip), cmp.Or(o.region, a.region), cmp.Or(o.sku, a.sku)
	o.role, o.to, o.forType, o.scope = cmp.Or(o.role, a.role), cmp.Or(o.to, a.to), cmp.Or(o.forType, a.forType), cmp.Or(o.scope, a.scope)
}

func (f *Fold) audit(raw []byte, p Place) error {
	r, err := parseAudit(raw)
	if err != nil {
		return err
	}
	f.reach(Identity, r.At.Time)
	by, app := &r.By.User, &r.By.App
	a := act{at: r.At.Time.UTC(), source: Identity, raw: clean(r.Activity), ip: clean(by.IP), place: p}
	a.place.ID = clean(r.ID)
	a.actor = f.who(string(by.ID), string(by.UPN), "", "")
	if a.actor == "" {
		a.actor = f.who(string(app.SP), "", string(app.ID), string(app.Display))
	}
	if s := strings.ToLower(string(r.Result)); s != "" && s != "success" && s != "succeeded" && s != "0" {
		a.failed = true
	}
	for i := range r.Targets.Items[:min(len(r.Targets.Items), 20)] {
		t := &r.Targets.Items[i]
		if strings.EqualFold(string(t.Type), "role") {
			a.role = clean(t.Name)
			continue
		}
		if a.to == "" && t.ID != "" {
			a.to, a.toName = id(t.ID), print.First(clean(t.UPN), clean(t.Name), clean(t.ID))
			f.who(string(t.ID), string(t.UPN), "", string(t.Name))
		}
	}
	if a.role == "" {
		a.role = clean(r.value("Role.DisplayName"))
	}
	a.toApp = id(r.value("AppId"))
	x, ok := identityOf(string(r.Activity))
	if !ok {
		a.what = print.Clean(strings.ToLower(string(r.Activity)), 120)
		f.add(&a)
		return nil
	}
	a.kind, a.key, a.strong = x.kind, x.key, x.strong
	a.what = fmt.Sprintf(x.words, cmp.Or(a.toName, "somebody"))
	if a.kind == RoleGiven && a.role != "" {
		a.what += ": " + a.role
	}
	f.add(&a)
	return nil
}

// signIn keeps sign-ins of the customer's log, and those of the partner's that led there.
func (f *Fold) signIn(raw []byte, p Place, own bool) error {
	shape, err := f.decoder.Decode(raw, &f.event)
	e := &f.event
	switch {
	case err != nil:
		return errNoRow
	case shape == read.ShapeNone:
		return nil
	case e.Created.IsZero():
		return errNoTime
	case !own && !strings.EqualFold(e.ResourceTenantID, f.o.Alert.Customer):
		return nil
	}
	if own {
		f.reach(SignIns, e.Created)
	}
	j := signin.Judge(e)
	p.ID = clean(e.ID)
	a := act{at: e.Created.UTC(), source: SignIns, ip: clean(e.IPAddress), country: strings.ToUpper(clean(e.Country)), mfa: j.Verdict,
		risk: strings.ToLower(clean(e.RiskLevelDuringSignIn)), failed: e.HasStatus && e.ErrorCode != 0, place: p,
		what: "signed in to " + print.First(clean(e.AppDisplayName), clean(e.ResourceDisplayName), "an app"), raw: "signIn"}
	if j.Verdict == signin.NotUser || e.UserID == "" && e.ServicePrincipalID != "" {
		a.actor = f.who(e.ServicePrincipalID, "", e.AppID, cmp.Or(e.ServicePrincipalName, e.AppDisplayName))
		a.what = "an app signed in by itself"
	} else {
		a.actor = f.who(e.UserID, e.UserPrincipalName, "", e.UserDisplayName)
	}
	f.add(&a)
	return nil
}

// risk is what Identity Protection held of an account when it was read last.
type risk struct {
	row   riskyUser
	place Place
}

func (f *Fold) riskyUser(raw []byte, p Place) error {
	var r riskyUser
	if err := decode(raw, &r); err != nil {
		return err
	}
	key := id(r.ID)
	old, had := f.risky[key]
	if key == "" || !had && len(f.risky) >= 50*MaxActors || had && old.row.At.Time.After(r.At.Time) {
		return nil
	}
	p.ID = clean(r.ID)
	f.risky[key] = risk{r, p}
	return nil
}

// atRisk makes rows of the accounts that are held for at risk, as of the last reading.
func (f *Fold) atRisk() {
	for _, key := range slices.Sorted(maps.Keys(f.risky)) {
		r := f.risky[key].row
		if !risky(r.State) {
			continue
		}
		a := act{source: Risk, actor: f.who(string(r.ID), string(r.UPN), "", ""), raw: "riskyUser", risk: strings.ToLower(clean(r.Level)), key: "riskyUser",
			strong: true, what: "is held for at risk by Microsoft (" + clean(r.State) + ", " + clean(r.Level) + ")", place: f.risky[key].place}
		if r.At.Set {
			a.at = r.At.Time.UTC()
		}
		f.add(&a)
	}
}

// risky says that a state of a risk was not settled the other way.
func risky(state lenient.String) bool {
	switch strings.ToLower(string(state)) {
	case "atrisk", "confirmedcompromised":
		return true
	}
	return false
}

func (f *Fold) detection(raw []byte, p Place) error {
	var r riskDetection
	if err := decode(raw, &r); err != nil {
		return err
	}
	if !r.At.Set && !r.Acted.Set {
		return errNoTime
	}
	if s := strings.ToLower(string(r.State)); s == "dismissed" || s == "confirmedsafe" || s == "remediated" {
		return nil
	}
	at := r.Acted
	if !at.Set {
		at = r.At
	}
	p.ID = clean(r.ID)
	a := act{at: at.Time.UTC(), source: Risk, actor: f.who(string(r.User), string(r.UPN), "", ""), raw: clean(r.Event), risk: strings.ToLower(clean(r.Level)),
		ip: clean(r.IP), country: strings.ToUpper(clean(r.Location.Country)), key: "riskDetected", strong: strings.EqualFold(string(r.Level), "high"),
		what: "did something that Microsoft holds for risky: " + clean(r.Event), place: p}
	f.add(&a)
	return nil
}
