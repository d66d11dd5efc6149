package worlds

import "fmt"

// estates makes what each subscription has when the world begins.
func (w *World) estates(d *dice) {
	for _, s := range w.subscriptions() {
		s.groups = []string{pick(d, []string{"rg-prod", "rg-apps", "production", "rg-core"}), "rg-" + pick(d, []string{"infra", "data", "test", "shared"})}
		w.estate(d, s, d.n(6))
	}
}

// estate fills one subscription; what there is depends on what it is for.
func (w *World) estate(d *dice, s *Subscription, sort int) {
	g, other := s.groups[0], s.groups[1]
	add := func(group, name, region string, f *form, level func(int) int) {
		w.start(&thing{sub: s, group: group, name: name, region: region, form: f, level: level, from: s.From})
	}
	add(g, "st"+d.hex(8), s.home, blobs, growing(d.span(50, 4000), d.n(6)))
	switch sort {
	case 0: // an office's servers
		for i := range d.span(1, 5) {
			add(g, fmt.Sprintf("srv-%02d", i+1), s.home, pick(d, office), nil)
			add(g, fmt.Sprintf("srv-%02d_OsDisk", i+1), s.home, disk, nil)
		}
		add(other, "vpn-gw", s.home, gateway, nil)
	case 1: // a shop, with a scale set that follows the day
		add(g, "plan-web", s.home, webapp, always(d.span(1, 4)))
		add(g, "sql-shop", s.home, database, always(d.span(1, 3)))
		low := d.span(2, 4)
		add(g, "vmss-web", s.home, pick(d, servers).set(), w.curve(d.next(), low, low+d.span(2, 12)))
		add(g, "pip-web", s.home, egress, w.curve(d.next(), 20, d.span(100, 900)))
	case 2: // development, which runs while people work
		for i := range d.span(2, 8) {
			add(other, fmt.Sprintf("dev-vm-%d", i+1), s.home, pick(d, office), w.atWork(s.customer, 1))
			add(other, fmt.Sprintf("dev-vm-%d_OsDisk", i+1), s.home, disk, nil)
		}
	case 3: // data: nights
		add(g, "etl-01", s.home, pick(d, servers), nightly(1, d.span(20, 23), d.span(3, 7)))
		add(g, "etl-02", s.home, pick(d, servers), nightly(1, d.span(0, 3), d.span(2, 5)))
		add(g, "sql-dwh", s.home, database, always(d.span(2, 9)))
		add(other, "log-dwh", s.home, logs, wobble(d.next(), d.span(4, 60), 30))
	case 4: // Kubernetes
		add(g, "aks-prod", s.home, cluster, nil)
		low := d.span(3, 6)
		add("MC_"+g+"_aks-prod_"+s.home, "aks-nodepool1-vmss", s.home, pick(d, servers).set(), w.curve(d.next(), low, low+d.span(1, 6)))
		add(g, "log-aks", s.home, logs, wobble(d.next(), d.span(2, 40), 20))
		add(g, "pip-aks", s.home, address, always(2))
	default: // hardly anything
		add(g, "srv-01", s.home, pick(d, office), nil)
	}
	add(other, "rsv-backup", s.home, backups, always(d.span(1, 6)))
}

// daily is what is in every Activity Log: administrators at work, pipelines, Azure's own services.
func (w *World) daily(d *dice) {
	policy := application(d, w.partner, "Azure Policy", "NL")
	backup := application(d, w.partner, "Backup Management Service", "NL")
	for _, c := range w.Customers {
		for _, who := range append(append([]*actor{}, c.admins...), w.techs[0]) {
			w.signIns(d, c, who)
		}
		for _, s := range c.Subscriptions {
			busy := d.span(3, 40)
			for day := max(0, s.From/24); day < w.Days; day++ {
				h := 24 * day
				if d.odds(60) {
					w.snapshot(d, s, backup, h)
				}
				if d.odds(30) {
					w.did(d, act{at: w.at(d, h+d.n(24)), sub: s, who: policy, ip: pick(d, policy.addresses), category: "Policy",
						op: "Microsoft.Authorization/policies/auditIfNotExists/action", id: w.some(d, s).id()})
				}
				if w.working(c, h+12) && d.odds(busy) {
					w.work(d, c, s, h)
				}
			}
		}
	}
}

// some is one of a subscription's things.
func (w *World) some(d *dice, s *Subscription) *thing {
	var of []*thing
	for _, t := range w.things {
		if t.sub == s && t.evil == nil {
			of = append(of, t)
		}
	}
	return pick(d, of)
}

func (w *World) snapshot(d *dice, s *Subscription, backup *actor, h int) {
	w.did(d, act{at: w.at(d, h+22), sub: s, who: backup, ip: pick(d, backup.addresses), long: true, region: s.home,
		op: "Microsoft.Compute/restorePointCollections/restorePoints/write",
		id: fmt.Sprintf("/subscriptions/%s/resourceGroups/AzureBackupRG_%s_1/providers/Microsoft.Compute/restorePointCollections/AzureBackup_%s"+
			"/restorePoints/%s", s.ID, s.home, s.groups[0], d.hex(12))})
}

// signIns are those of a usual week.
func (w *World) signIns(d *dice, c *Customer, who *actor) {
	for day := range w.Days {
		if !w.working(c, 24*day+12) || !d.odds(55) {
			continue
		}
		at := w.at(d, 24*day+8-c.zone+d.n(8))
		w.told(event{at: at, customer: c, who: who, ip: who.address(d), failed: d.odds(4)})
	}
}

// work is a visit of somebody with small things to do.
func (w *World) work(d *dice, c *Customer, s *Subscription, h int) {
	if c.pipe != nil && d.odds(35) {
		p := w.session(d, c, c.pipe, h+6+d.n(12))
		for range d.span(1, 6) {
			p.pass(3, 60)
			t := w.some(d, s)
			p.did(act{sub: s, op: "Microsoft.Resources/deployments/write", long: true, region: t.region,
				id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Resources/deployments/main-%s", s.ID, t.group, d.hex(6))})
			p.pass(2, 20).verb(t, "write")
		}
		return
	}
	p := w.session(d, c, w.hands(d, c), h+8-c.zone+d.n(9))
	for range d.span(1, 5) {
		p.pass(20, 900)
		t := w.some(d, s)
		switch d.n(7) {
		case 0, 1:
			p.did(act{sub: s, op: "Microsoft.Resources/tags/write", id: t.id() + "/providers/Microsoft.Resources/tags/default", region: t.region})
		case 2:
			p.did(act{sub: s, op: "Microsoft.Network/networkSecurityGroups/securityRules/write", region: s.home,
				id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/networkSecurityGroups/nsg-1/securityRules/allow-%d",
					s.ID, t.group, d.span(22, 9000))})
		case 3:
			p.did(act{sub: s, op: "Microsoft.Storage/storageAccounts/listKeys/action", region: s.home,
				id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Storage/storageAccounts/st1", s.ID, t.group)})
		case 4:
			if t.form.cores > 0 && t.form.service == "Microsoft.Compute" {
				p.verb(t, "restart/action")
			}
		case 5:
			p.verb(t, "write")
		default:
			if d.odds(8) {
				p.grant(s, pick(d, c.admins), pick(d, []string{reader, reader, contributor, owner}))
			}
		}
	}
}
