package story

import (
	"fmt"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// containers is the story of a deployment app whose secret was stolen: a second secret,
// containers in three regions, a Machine Learning cluster and a Batch pool.
func containers() []act {
	const m = time.Minute
	return []act{
		{after: 0, do: func(p *player) string { p.pipeline(); return "" }},
		{after: m, do: func(p *player) string {
			a := p.app()
			if why := a.unable(p.st.Begun); why != "" {
				return p.stop(why)
			}
			p.appSignIn(a, p.id("old secret"))
			return "The app " + a.sp.Name + " signs in from " + p.d.Locate(a.ip).Country + "."
		}},
		{after: 4 * m, do: secondSecret},
		{after: 8 * m, do: func(p *player) string {
			if why := p.does(p.app(), p.register("Microsoft.ContainerInstance"), p.register("Microsoft.MachineLearningServices"),
				p.register("Microsoft.Batch")); why != "" {
				return p.stop(why)
			}
			return "Three resource providers are registered."
		}},
		{after: 15 * m, do: containerGroups},
		{after: 30 * m, do: cluster},
		{after: 45 * m, do: pool},
		{after: 280 * m, microsoft: true, do: func(p *player) string {
			return p.raise("AzureContainerInstances_AnomalousDeployment", "Unusual deployment of containers",
				"More container groups than usual were created in several regions.", "medium", p.made(containerType), nil)
		}},
		{after: 340 * m, microsoft: true, do: func(p *player) string {
			return p.raise("AzureMachineLearning_AnomalousDeployment", "Unusual Machine Learning computes",
				"A Machine Learning workspace of today runs a large cluster.", "high", p.made(computeType), nil)
		}},
		{after: 400 * m, microsoft: true, do: func(p *player) string {
			return p.raise("AzureBatch_AnomalousDeployment", "Unusual Batch pool", "A Batch account of today has a large pool.", "high", p.made(poolType), nil)
		}},
		{after: 26 * 60 * m, microsoft: true, do: func(p *player) string {
			return p.raise("ARM_AnomalousResourceConsumption", "Unusual use of resources", "The subscription uses far more than usual.", "medium",
				p.made(containerType), nil)
		}},
	}
}

// pipeline is the app that was there all along, with rights in the subscription.
func (p *player) pipeline() {
	made := p.st.Begun.AddDate(0, -7, 0)
	secret := world.PasswordCredential{KeyID: p.id("old secret"), Name: "pipeline", Hint: "Zk8", Start: made, End: made.AddDate(2, 0, 0),
		Hash: world.HashSecret(world.NewSecret())}
	app := &world.Application{ID: p.id("app"), AppID: p.id("appid"), Name: "Deployment pipeline", Audience: "AzureADMyOrg", Created: made,
		Passwords: []world.PasswordCredential{secret}}
	p.t.Apps.Put(app)
	p.t.SPs.Put(&world.ServicePrincipal{ID: p.id("sp"), AppID: app.AppID, Name: app.Name, Owner: p.t.ID, Type: "Application", Enabled: true, Created: made})
	p.s.Put(p.t)
	p.st.Facts["sp"] = p.id("sp")
	p.t.Azure.Change(p.st.Subscription, func(a *world.AzureSubscription) {
		a.Roles = append(append([]world.AzureRole{}, a.Roles...), world.AzureRole{ID: p.id("role"), Role: "Contributor", Principal: p.id("sp"),
			PrincipalType: "ServicePrincipal", Scope: p.scope(), Created: made})
	})
	p.s.Dirty()
}

func (p *player) app() *actor {
	a := p.principal(p.st.Facts["sp"], 3)
	if a == nil {
		return nil
	}
	return a
}

// secretGone says that the stolen secret, and the one that was added, are removed.
func (p *player) secretGone() bool {
	app := p.t.Apps.Get(p.id("app"))
	return app == nil || len(app.Passwords) == 0
}

func secondSecret(p *player) string {
	a := p.app()
	if why := a.unable(p.st.Begun); why != "" {
		return p.stop(why)
	}
	app := p.t.Apps.Get(p.id("app"))
	if app == nil {
		return p.stop("the app is gone")
	}
	secret := world.PasswordCredential{KeyID: p.id("secret"), Name: "backup", Hint: "x9_", Start: p.at, End: p.at.AddDate(2, 0, 0),
		Hash: world.HashSecret(world.NewSecret())}
	p.t.Apps.Change(app.ID, func(x *world.Application) {
		x.Passwords = append(append([]world.PasswordCredential{}, x.Passwords...), secret)
	})
	p.s.Touch(p.t)
	p.audited(a, "Update application – Certificates and secrets management", "ApplicationManagement", "Update", "Core Directory",
		appTarget("Application", app.ID, app.Name), world.Modified{Name: "KeyDescription",
			Old: fmt.Sprintf(`["[KeyIdentifier=%s,KeyType=Password,KeyUsage=Verify,DisplayName=pipeline]"]`, p.id("old secret")),
			New: fmt.Sprintf(`["[KeyIdentifier=%s,KeyType=Password,KeyUsage=Verify,DisplayName=backup]"]`, secret.KeyID)})
	return "The app adds a secret to itself."
}

// run does the steps of the app while it has a secret to sign in with.
func (p *player) run(steps ...step) string {
	if p.secretGone() {
		return "the app has no secret any more"
	}
	return p.does(p.app(), steps...)
}

const (
	groupsEach = 5
	groupCores = 4
)

func containerGroups(p *player) string {
	var steps []step
	for i, place := range p.fresh(3) {
		group := fmt.Sprintf("%s-%s", p.prefix(), place)
		g := p.group(group, place)
		g.after = time.Duration(i) * 2 * time.Minute
		steps = append(steps, g)
		for j := range groupsEach {
			x := p.make(world.AzureResource{Group: group, Type: containerType, Name: fmt.Sprintf("web-%d%d", i, j), Location: place, Count: 1,
				Size: fmt.Sprintf("%d vCPU", groupCores), Hourly: world.ContainerHourly(groupCores, 8)}, map[string]any{"osType": "Linux",
				"restartPolicy": "Always", "containers": []map[string]any{{"name": "web", "properties": map[string]any{"image": "docker.io/library9/web:latest",
					"resources": map[string]any{"requests": map[string]any{"cpu": groupCores, "memoryInGB": 8}}}}}}, nil)
			x.after = g.after + time.Duration(10+8*j)*time.Second
			steps = append(steps, x)
		}
	}
	if why := p.run(steps...); why != "" {
		return p.stop(why)
	}
	return fmt.Sprintf("%d container groups are made in three regions.", 3*groupsEach)
}

func cluster(p *player) string {
	place, size, nodes := p.fresh(1)[0], "Standard_NC6s_v3", 10
	group := fmt.Sprintf("%s-%s", p.prefix(), place)
	compute := p.make(world.AzureResource{Group: group, Type: computeType, Name: "mlspace/gpu", Location: place, Size: size, Count: nodes,
		Hourly: world.Hourly(size)}, map[string]any{"computeType": "AmlCompute", "properties": map[string]any{"vmSize": size, "vmPriority": "Dedicated",
		"scaleSettings": map[string]any{"minNodeCount": nodes, "maxNodeCount": nodes}}}, nil)
	compute.after = 3 * time.Minute
	if why := p.run(p.make(world.AzureResource{Group: group, Type: workspaceType, Name: "mlspace", Location: place},
		map[string]any{"friendlyName": "mlspace"}, nil), compute); why != "" {
		return p.stop(why)
	}
	return fmt.Sprintf("A Machine Learning cluster of %d %s is made.", nodes, size)
}

func pool(p *player) string {
	place, size, nodes := p.fresh(1)[0], "Standard_D16s_v5", 40
	group := fmt.Sprintf("%s-%s", p.prefix(), place)
	x := p.make(world.AzureResource{Group: group, Type: poolType, Name: "jobs1/work", Location: place, Size: size, Count: nodes, Hourly: world.Hourly(size)},
		map[string]any{"vmSize": size, "scaleSettings": map[string]any{"fixedScale": map[string]any{"targetDedicatedNodes": nodes,
			"targetLowPriorityNodes": 0}}}, nil)
	x.after = 2 * time.Minute
	if why := p.run(p.make(world.AzureResource{Group: group, Type: accountType, Name: "jobs1", Location: place},
		map[string]any{"poolAllocationMode": "BatchService"}, nil), x); why != "" {
		return p.stop(why)
	}
	return fmt.Sprintf("A Batch pool of %d %s is made.", nodes, size)
}
