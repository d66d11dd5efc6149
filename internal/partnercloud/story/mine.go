package story

import (
	"fmt"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// mine is the story of an administrator without a second factor: signed in from far
// away, a guest made Owner, machines with graphics processors in five regions, and
// Microsoft's alerts hours later.
func mine() []act {
	const m = time.Minute
	out := []act{
		{after: 0, do: func(p *player) string {
			a := p.boss()
			if a == nil {
				return p.stop("the account is gone")
			}
			for range 3 {
				p.signIn(a, visit{risk: "medium", code: entra.CodeWrongPassword})
			}
			return "Wrong passwords for " + a.user.UPN + " from far away."
		}},
		{after: 3 * m, do: takeOver},
		{after: 6 * m, do: addMethod},
		{after: 10 * m, do: inviteGuest},
		{after: 12 * m, do: elevate},
		{after: 14 * m, do: makeOwner},
		{after: 18 * m, do: addSecret},
		{after: 25 * m, do: askQuotas},
		{after: 40 * m, do: func(p *player) string {
			g := p.guest()
			if why := g.unable(p.st.Begun); why != "" {
				return p.stop(why)
			}
			if !p.signIn(g, visit{risk: "low"}) {
				return p.stop("the guest was not let in")
			}
			return "The guest " + g.user.UPN + " signs in."
		}},
	}
	for i := range 5 {
		out = append(out, act{after: time.Duration(45+5*i) * m, do: func(p *player) string { return graphics(p, i) }})
	}
	out = append(out, act{after: 75 * m, do: scaleSets},
		act{after: 330 * m, microsoft: true, do: func(p *player) string {
			return p.raise("VM_AnomalousDeployment", "Unusual deployment of virtual machines", "More virtual machines than usual were created in new regions.",
				"medium", p.made(machineType), nil)
		}},
		act{after: 375 * m, microsoft: true, do: func(p *player) string {
			return p.raise("ARM_SuspiciousOperations", "Suspicious management operations", "A new Owner made resources in regions that were not used.", "high",
				p.made(setType), nil)
		}},
		act{after: 8 * 60 * m, microsoft: true, do: func(p *player) string { return p.mining(machineType) }},
		act{after: 10 * 60 * m, microsoft: true, do: func(p *player) string { return p.again("CryptoMining") }},
		act{after: 27 * 60 * m, microsoft: true, do: func(p *player) string {
			return p.raise("ARM_AnomalousResourceConsumption", "Unusual use of resources", "The subscription uses far more than usual.", "medium",
				p.made(machineType), nil)
		}})
	return out
}

func (p *player) boss() *actor {
	a := p.user(p.st.Facts["user"], true, 1)
	if a != nil {
		a.mfa = p.st.Facts["mfa"] != ""
	}
	return a
}

func (p *player) guest() *actor {
	a := p.user(p.st.Facts["guest"], true, 2)
	if a != nil {
		a.app = entra.AppAzureCLI
	}
	return a
}

func takeOver(p *player) string {
	a := p.boss()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	if !p.signIn(a, visit{risk: "high"}) {
		return p.stop("a policy blocks the sign-in of " + a.user.UPN)
	}
	if a.mfa {
		p.st.Facts["mfa"] = "stolen"
	}
	p.riskUp(a.user)
	return a.user.UPN + " signs in from " + p.d.Locate(a.ip).Country + "."
}

func addMethod(p *player) string {
	a := p.boss()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	method := world.Method{ID: p.id("method"), Type: world.MethodPush, Name: "SM-A155F", Created: p.at}
	p.t.Users.Change(a.user.ID, func(u *world.User) { u.Methods = append(append([]world.Method{}, u.Methods...), method) })
	p.s.Touch(p.t)
	p.audited(a, "User registered security info", "UserManagement", "Add", "Authentication Methods", userTarget(a.user),
		world.Modified{Name: "MethodExecutionIsEnabled", Old: "", New: `"User registered Authenticator App with Notification and Code"`})
	return "A second factor is registered for " + a.user.UPN + "."
}

func inviteGuest(p *player) string {
	a := p.boss()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	const address = "ops.backup@mailbox.example"
	g := &world.User{ID: p.id("guest"), UPN: guestName(address, p.t.Domain()), Name: "Ops Backup", Mail: address, Guest: true, Enabled: true,
		HomeTenant: p.id("home"), Created: p.at, Changed: p.s.Change(), Risk: "none", RiskState: "none", Profile: &world.Profile{Invited: true}}
	g.Password.None = true
	p.t.Users.Put(g)
	p.s.Touch(p.t)
	p.st.Facts["guest"] = g.ID
	p.audited(a, "Invite external user", "UserManagement", "Add", "Invited Users", userTarget(g),
		world.Modified{Name: "InvitedUserEmailAddress", Old: "[]", New: `["` + address + `"]`})
	return "A guest is invited: " + address + "."
}

// elevate is for an administrator who has no right in the subscription.
func elevate(p *player) string {
	a := p.boss()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	if assigned(p.sub(), a.user.ID, "Owner", "User Access Administrator") {
		return ""
	}
	const action = "Microsoft.Authorization/elevateAccess/action"
	p.t.AzureRoot = append(append([]world.AzureRole{}, p.t.AzureRoot...), world.AzureRole{ID: p.id("root"), Role: "User Access Administrator",
		Principal: a.user.ID, PrincipalType: "User", Scope: "/", Created: p.at, By: a.user.ID})
	e := world.AzureAct{Tenant: p.t.ID, Action: action, Resource: "/providers/Microsoft.Authorization/elevateAccess", At: p.at, Caller: a.user.UPN,
		Claims: p.claims(a), IP: a.ip.String(), Method: "POST", Correlation: world.NewGUID(), Status: "Succeeded"}
	p.t.AzureEvents = append(p.t.AzureEvents[:len(p.t.AzureEvents):len(p.t.AzureEvents)], e.JSON())
	p.audited(a, "User has elevated their access to User Access Administrator for their Azure Resources", "AzureRBACRoleManagementElevateAccess", "Assign",
		"Azure RBAC (Elevated Access)", userTarget(a.user))
	return a.user.UPN + " elevates to User Access Administrator at the root."
}

func makeOwner(p *player) string {
	a, g := p.boss(), p.guest()
	if g == nil {
		return p.stop("the guest is gone")
	}
	if why := p.does(a, p.assign(a, "Owner", ownerRole, g.user.ID, "User")); why != "" {
		return p.stop(why)
	}
	return "The guest becomes Owner of the subscription."
}

// addSecret adds a secret to an app of the customer's, or makes one.
func addSecret(p *player) string {
	a := p.boss()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	app := p.someApp(a)
	secret := world.PasswordCredential{KeyID: p.id("secret"), Name: "sync", Hint: "a1~", Start: p.at, End: p.at.AddDate(2, 0, 0),
		Hash: world.HashSecret(world.NewSecret())}
	p.t.Apps.Change(app.ID, func(x *world.Application) {
		x.Passwords = append(append([]world.PasswordCredential{}, x.Passwords...), secret)
	})
	p.s.Touch(p.t)
	p.audited(a, "Update application – Certificates and secrets management", "ApplicationManagement", "Update", "Core Directory",
		appTarget("Application", app.ID, app.Name), world.Modified{Name: "KeyDescription", Old: "[]",
			New: fmt.Sprintf(`["[KeyIdentifier=%s,KeyType=Password,KeyUsage=Verify,DisplayName=sync]"]`, secret.KeyID)})
	return "A secret is added to the app " + app.Name + "."
}

// someApp is an app of the tenant; the attacker makes one where there is none.
func (p *player) someApp(a *actor) *world.Application {
	for x := range p.t.Apps.All() {
		return x
	}
	app := &world.Application{ID: p.id("app"), AppID: p.id("appid"), Name: "Azure Backup Helper", Audience: "AzureADMyOrg", Created: p.at}
	p.t.Apps.Put(app)
	sp := &world.ServicePrincipal{ID: p.id("sp"), AppID: app.AppID, Name: app.Name, Owner: p.t.ID, Type: "Application", Enabled: true, Created: p.at}
	p.t.SPs.Put(sp)
	p.s.Put(p.t) // its app is known from now on
	p.audited(a, "Add application", "ApplicationManagement", "Add", "Core Directory", appTarget("Application", app.ID, app.Name))
	p.audited(a, "Add service principal", "ApplicationManagement", "Add", "Core Directory", appTarget("ServicePrincipal", sp.ID, sp.Name))
	return app
}

// Sizes of the story: graphics for mining, many cores for what is left of the budget.
const (
	graphicsSize = "Standard_NC64as_T4_v3"
	coresSize    = "Standard_F72s_v2"
	perRegion    = 6
	perSet       = 20
)

func askQuotas(p *player) string {
	a := p.boss()
	var steps []step
	for i, place := range p.fresh(5) {
		for j, name := range []string{"cores", world.QuotaFamily(graphicsSize), world.QuotaFamily(coresSize)} {
			q := p.quota(a, "Microsoft.Compute", place, name, 2_000)
			q.after = time.Duration(3*i+j) * 20 * time.Second
			steps = append(steps, q)
		}
	}
	if why := p.does(a, steps...); why != "" {
		return p.stop(why)
	}
	return "More quota is asked for in five regions."
}

func graphics(p *player, n int) string {
	places := p.fresh(5)
	if n >= len(places) {
		return ""
	}
	group := fmt.Sprintf("%s-%s", p.prefix(), places[n])
	steps := []step{p.group(group, places[n])}
	for i := range perRegion {
		vm := p.machine(group, fmt.Sprintf("vm%d%02d", n, i), places[n], graphicsSize, nil)
		vm.after = time.Duration(10+15*i) * time.Second
		steps = append(steps, vm)
	}
	if why := p.does(p.guest(), steps...); why != "" {
		return p.stop(why)
	}
	return fmt.Sprintf("%d machines %s are made in %s.", perRegion, graphicsSize, places[n])
}

func scaleSets(p *player) string {
	var steps []step
	for i, place := range p.fresh(2) {
		x := p.set(fmt.Sprintf("%s-%s", p.prefix(), place), fmt.Sprintf("pool%d", i), place, coresSize, perSet)
		x.after = time.Duration(i) * time.Minute
		steps = append(steps, x)
	}
	if why := p.does(p.guest(), steps...); why != "" {
		return p.stop(why)
	}
	return fmt.Sprintf("Two scale sets of %d machines %s are made.", perSet, coresSize)
}
