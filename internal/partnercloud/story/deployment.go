package story

import (
	"fmt"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// deployment is the story of honest work: the customer's own administrator, from the
// customer's country and with a second factor, makes many machines for a project.
// Microsoft warns all the same.
func deployment() []act {
	const m = time.Minute
	tags := map[string]string{"project": "warehouse-2027", "ticket": "CHG-10482", "owner": "operations"}
	out := []act{
		{after: 0, do: func(p *player) string {
			a := p.worker()
			if why := a.unable(p.st.Begun); why != "" {
				return p.stop(why)
			}
			p.signIn(a, visit{risk: "none", mfa: true})
			return a.user.UPN + " signs in as usual."
		}},
		{after: 10 * m, do: func(p *player) string {
			a, place := p.worker(), p.nearby()
			if why := p.does(a, p.quota(a, "Microsoft.Compute", place, "cores", 1_000),
				p.quota(a, "Microsoft.Compute", place, world.QuotaFamily(workSize), 1_000)); why != "" {
				return p.stop(why)
			}
			return "More quota is asked for in " + place + "."
		}},
	}
	for i := range 4 {
		out = append(out, act{after: time.Duration(40+20*i) * m, do: func(p *player) string {
			place := p.nearby()
			group := p.prefix() + "-warehouse"
			steps := []step{p.group(group, place)}
			for j := range 10 {
				vm := p.machine(group, fmt.Sprintf("wh-%d%d", i, j), place, workSize, tags)
				vm.after = time.Duration(20+30*j) * time.Second
				steps = append(steps, vm)
			}
			if why := p.does(p.worker(), steps...); why != "" {
				return p.stop(why)
			}
			return fmt.Sprintf("Ten machines %s are made in %s.", workSize, place)
		}})
	}
	return append(out, act{after: 300 * m, microsoft: true, do: func(p *player) string {
		return p.raise("VM_AnomalousDeployment", "Unusual deployment of virtual machines", "More virtual machines than usual were created.", "medium",
			p.made(machineType), nil)
	}})
}

const workSize = "Standard_D16s_v5"

func (p *player) worker() *actor {
	a := p.user(p.st.Facts["user"], false, 1)
	if a != nil {
		a.mfa = true
	}
	return a
}

// nearby is a region of the customer's part of the world that is new here.
func (p *player) nearby() string {
	for _, name := range []string{"swedencentral", "westeurope", "germanywestcentral", "francecentral"} {
		used := false
		for _, r := range p.sub().Resources {
			used = used || r.Location == name && r.Created.Before(p.st.Begun)
		}
		if !used {
			return name
		}
	}
	return "northeurope"
}
