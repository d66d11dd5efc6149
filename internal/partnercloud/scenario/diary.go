package scenario

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// actor is an account as its habit makes it sign in.
type actor struct {
	user   *world.User
	habit  *Habit
	seed   uint64
	works  float64
	home   spot
	office spot
	host   uint32
	agent  agent
	admin  bool
}

// agent is a browser on a system.
type agent struct{ browser, os, platform, text string }

func agents() []agent {
	return []agent{
		{"Edge 142.0.0", "Windows11", "windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 " +
			"Safari/537.36 Edg/142.0.0.0"},
		{"Chrome 142.0.0", "Windows11", "windows",
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},
		{"Firefox 145.0", "Windows10", "windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"},
		{"Safari 26.1", "MacOs", "macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 " +
			"Safari/605.1.15"},
		{"Chrome Mobile 142.0.0", "Android", "android",
			"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"},
	}
}

// target is an app with the resource it wants a token for.
type target struct {
	id, name, resource, resourceName string
	native                           bool
}

func targets() (office, admin []target) {
	mail := target{entra.AppOffice, "Microsoft Office", entra.AppExchange, "Office 365 Exchange Online", true}
	home := target{entra.AppOfficeHome, "OfficeHome", entra.AppOfficeHome, "OfficeHome", false}
	teams := target{entra.AppTeamsClient, "Microsoft Teams", entra.AppTeams, "Microsoft Teams Services", true}
	portal := target{entra.AppAzurePortal, "Azure Portal", entra.AppARM, "Windows Azure Service Management API", false}
	admin365 := target{entra.AppM365Admin, "Microsoft 365 Admin portal", entra.AppGraph, "Microsoft Graph", false}
	line := target{entra.AppAzureCLI, "Microsoft Azure CLI", entra.AppARM, "Windows Azure Service Management API", true}
	return []target{home, teams, mail, mail}, []target{portal, admin365, teams, mail, line}
}

func centerTarget() target {
	return target{entra.AppPartner, "Microsoft Partner Center", entra.AppPartnerCenter, "Microsoft Partner Center", false}
}

func exchangeTarget() target {
	return target{entra.AppExchange, "Office 365 Exchange Online", entra.AppExchange, "Office 365 Exchange Online", true}
}

// visit is one sign-in as it is planned: everything but what policies make of it.
type visit struct {
	at          time.Time
	to          target
	from        spot
	host        uint32
	kind        string // "" interactive, refresh, legacy, ropc, sync, aobo, code
	client      string // clientAppUsed of a legacy one
	claim       bool   // an earlier MFA can be shown
	age         time.Duration
	interrupt   bool // the log shows the prompt apart
	refuses     bool // the second factor fails
	wrong       bool // a wrong password first
	unfamiliar  bool // a new device: remembered by nobody
	risk        string
	attack      bool
	id, session uint64
}

// deviceCode is the client of who tries the device code flow of the command line.
const deviceCode = "device code"

// week is the dice of somebody's day, and whether there is a sign-in on it.
func (a *actor) week(day time.Time) (*rand.Rand, bool) {
	d := diceOf(a.seed, uint64(day.Unix()/86400))
	chance := a.works
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		chance *= .12
		if a.habit != nil && (a.habit.Kind == "script" || a.habit.Kind == "sync") {
			chance = a.works
		}
	}
	return d, d.Float64() < chance && !a.user.Created.After(day) && a.user.Enabled
}

// hours gives a time of the working day, most of them in the morning and after
// lunch.
func hours(d *rand.Rand, day time.Time) time.Time {
	h := 6 + d.IntN(4)
	if d.Float64() < .4 {
		h = 11 + d.IntN(6)
	}
	return day.Add(time.Duration(h)*time.Hour + time.Duration(d.IntN(3600))*time.Second + time.Duration(d.IntN(1e9)).Truncate(100))
}

// plan lists what an account does on a day, oldest first.
func (a *actor) plan(day time.Time) []visit {
	d, on := a.week(day)
	if !on {
		return nil
	}
	kind := ""
	if a.habit != nil {
		kind = a.habit.Kind
	}
	v := visit{to: exchangeTarget(), from: a.home, host: a.host, id: d.Uint64(), session: d.Uint64()}
	office, admin := targets()
	switch kind {
	case "none":
		return nil
	case "drill":
		if day.Day() != 14 {
			return nil
		}
		v.at, v.to = day.Add(13*time.Hour+4*time.Minute), admin[0]
		return []visit{v}
	case "device":
		v.kind, v.client, v.at = "legacy", cmp.Or(a.habit.Client, "Authenticated SMTP"), hours(d, day)
		return []visit{v}
	case "sync":
		v.kind, v.at = "sync", day.Add(5*time.Hour+30*time.Minute+time.Duration(d.IntN(200))*time.Second)
		v.to = target{entra.AppEntraConnect, "Microsoft Azure Active Directory Connect", entra.AppAADGraph, "Windows Azure Active Directory", true}
		return []visit{v}
	case "script":
		v.kind, v.at = "ropc", day.Add(2*time.Hour+time.Duration(d.IntN(50))*time.Second)
		v.to = target{resource: entra.AppPartnerCenter, resourceName: "Microsoft Partner Center", name: a.habit.App, native: true}
		return []visit{v}
	}
	if a.habit != nil && d.Float64() < a.habit.Office {
		v.from = a.office
	}
	choose := office
	if a.admin {
		choose = admin
	}
	v.to, v.at = choose[d.IntN(len(choose))], hours(d, day)
	v.claim, v.age = d.Float64() < .58, time.Duration(1+d.IntN(20))*time.Hour
	v.interrupt, v.refuses, v.wrong, v.unfamiliar = d.Float64() < .3, d.Float64() < .012, d.Float64() < .03, d.Float64() < .04
	out := []visit{v}
	for n := range d.IntN(3) {
		r := v
		r.kind, r.at = "refresh", v.at.Add(time.Duration(35+d.IntN(150))*time.Minute+time.Duration(n)*3*time.Hour)
		r.to = choose[d.IntN(len(choose))]
		r.id = d.Uint64()
		out = append(out, r)
	}
	if a.habit != nil && a.habit.Client != "" && (day.Weekday() == time.Tuesday || day.Weekday() == time.Thursday) {
		l := v
		l.kind, l.client, l.at, l.to, l.id = "legacy", a.habit.Client, hours(d, day), exchangeTarget(), d.Uint64()
		if l.client == deviceCode {
			l.kind, l.client, l.to = "code", "", admin[len(admin)-1]
		}
		out = append(out, l)
		slices.SortStableFunc(out, func(a, b visit) int { return a.at.Compare(b.at) })
	}
	return out
}

// actor is an account with its habit, place and device.
func (b *builder) actor(t *world.Tenant, u *world.User, admins map[string]bool, sites map[string]spot, towns []spot) actor {
	seed := b.seedOf("habit/" + u.ID)
	a := actor{user: u, habit: b.habits[u.ID], seed: seed, works: .6, host: uint32(seed>>32)%0xfff + 3, admin: admins[u.ID]}
	list := agents()
	a.agent = list[seed%uint64(len(list))]
	a.home = home(t, towns, seed)
	a.office = a.home
	if a.habit != nil {
		if t.Kind == world.PartnerTenant {
			if s, ok := sites[strings.ToLower(a.habit.Site)]; ok {
				a.home = s
			}
			if len(b.sc.Sites) > 0 {
				a.office = sites[strings.ToLower(b.sc.Sites[0].Name)]
				if a.habit.Site == "" {
					a.home = a.office
				}
			}
		}
		if a.habit.Works != nil {
			a.works = *a.habit.Works
		} else if a.habit.Kind == "drill" || a.habit.Kind == "sync" || a.habit.Kind == "script" || a.habit.Kind == "device" {
			a.works = 1
		}
		if a.habit.Kind == "none" {
			a.works = 0
		}
	} else {
		a.works = .35 + float64(seed%40)/100
	}
	return a
}

// home is a city of the tenant's country; most people of a customer share one.
func home(t *world.Tenant, towns []spot, seed uint64) spot {
	var near []int
	for i := range towns {
		if towns[i].place.Country == t.Country {
			near = append(near, i)
		}
	}
	if len(near) == 0 {
		near = []int{0}
	}
	if seed%10 < 8 && len(t.ID) > 0 {
		return towns[near[int(t.ID[0])%len(near)]]
	}
	return towns[near[seed%uint64(len(near))]]
}

// admins are the accounts with a directory role, active or eligible.
func admins(t *world.Tenant) map[string]bool {
	out := map[string]bool{}
	for _, table := range []*world.Table[world.RoleAssignment, *world.RoleAssignment]{&t.Held, &t.Eligible} {
		for a := range table.All() {
			out[a.Principal] = true
		}
	}
	return out
}

// actors lists them all.
func (b *builder) actors(t *world.Tenant) []actor {
	adm, sites, towns := admins(t), b.sc.spots(), citySpots()
	out := make([]actor, 0, t.Users.Len())
	for u := range t.Users.All() {
		out = append(out, b.actor(t, u, adm, sites, towns))
	}
	return out
}

// lastsBack is how far back an account's last sign-ins are looked for.
const lastsBack = 45

// lasts gives accounts their last sign-ins, as the history will show them. That
// an account without a method got in is assumed where no policy is enabled, and
// for scripts, devices and those who only work at the office.
func (b *builder) lasts(t *world.Tenant) {
	if b.o.Days == 0 {
		return
	}
	guarded := t.SecurityDefaults
	for d := range t.Policies.All() {
		guarded = guarded || strings.Contains(string(d.Raw), `"state":"enabled"`)
	}
	back := min(b.o.Days, lastsBack)
	list := b.actors(t)
	for i := range list {
		a := &list[i]
		u := a.user // the row is still the builder's
		day := b.created.Truncate(24 * time.Hour)
		for range back + 1 {
			for _, v := range slices.Backward(a.plan(day)) {
				if !v.at.Before(b.created) || v.kind == "code" { // whether that one got in is the policies' to say
					continue
				}
				quiet := v.kind == "refresh" || v.kind == "sync"
				able := len(u.Methods) > 0 || !guarded || u.Guest && t.AcceptsHomeMFA || v.kind != "" && v.kind != "refresh" || a.habit != nil &&
					a.habit.Office == 1
				switch {
				case quiet && u.LastNonInteractive.IsZero() && able:
					u.LastNonInteractive = v.at
				case !quiet && u.LastInteractive.IsZero():
					u.LastInteractive = v.at
				}
				if able && u.LastSuccess.IsZero() {
					u.LastSuccess = v.at
				}
			}
			if !u.LastInteractive.IsZero() && !u.LastSuccess.IsZero() {
				break
			}
			day = day.Add(-24 * time.Hour)
		}
	}
}

// proof is how an account answers a challenge.
type proof struct {
	method, detail, combo string
	amr                   []string
	external, primary     bool
}

func proofOf(u *world.User) (proof, bool) {
	for _, p := range []struct {
		typ string
		proof
	}{
		{world.MethodFIDO2, proof{"FIDO2 security key", "Security key", "fido2", []string{"fido", "mfa"}, false, true}},
		{world.MethodHello, proof{"Windows Hello for Business", "", "windowsHelloForBusiness", []string{"rsa", "mfa"}, false, true}},
		{world.MethodPush, proof{"Authenticator App", "", "password,microsoftAuthenticatorPush", []string{"pwd", "mfa"}, false, false}},
		{world.MethodTOTP, proof{"Software OATH token", "", "password,softwareOath", []string{"pwd", "otp", "mfa"}, false, false}},
		{world.MethodPhone, proof{"SMS", "+1 XXXXXXXX01", "password,sms", []string{"pwd", "mfa"}, false, false}},
		{world.MethodExternal, proof{"External MFA", "", "external", []string{"pwd", "mfa"}, true, false}},
	} {
		if u.Method(p.typ) != nil {
			return p.proof, true
		}
	}
	return proof{}, false
}

func passwordStep(at time.Time, u *world.User, ok bool) world.Step {
	kind := "Password in the cloud"
	if u.Synced {
		kind = "Password Hash Sync"
	}
	result := "Correct password"
	if !ok {
		result = "Invalid username or password or Invalid on-premise username or password."
	}
	return world.Step{At: world.Stamp{Time: at}, Method: "Password", Detail: &kind, Succeeded: ok, Result: result, Requirement: "Primary authentication"}
}

// steps are those of a sign-in with both factors, here and now.
func (p *proof) steps(at time.Time, u *world.User, ok bool) []world.Step {
	first := passwordStep(at, u, true)
	if p.primary {
		first.Method, first.Detail, first.Result = p.method, &p.detail, "First factor requirement satisfied by "+p.method
	}
	second := world.Step{At: world.Stamp{Time: at.Add(9 * time.Second)}, Method: p.method, Detail: &p.detail, Succeeded: ok,
		Result: "MFA completed in Azure AD", Requirement: "Multifactor authentication"}
	switch {
	case !ok:
		second.Result = "MFA denied; user declined the authentication"
	case p.external:
		second.Result = "MFA requirement satisfied by claim provided by external provider"
	}
	return []world.Step{first, second}
}

// clientOf is the engine's word for the client of a visit.
func clientOf(v *visit) string {
	switch {
	case v.kind == "legacy":
		return signon.Legacy
	case v.kind == "code":
		return signon.DeviceCode
	case v.to.native:
		return signon.Native
	}
	return signon.Browser
}

func addressOf(v *visit) netip.Addr { return v.from.address(v.host) }
