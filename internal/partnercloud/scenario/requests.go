package scenario

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// Requests makes the partner's requests to Partner Center on a day: portal and
// API, with MFA where the sign-in behind them had to show it.
func (h *history) Requests(_ *world.State, t *world.Tenant, day time.Time) []*world.PartnerRequest {
	day, ok := h.within(day)
	if !ok {
		return nil
	}
	h.wake()
	if t.ID != h.past.partnerID {
		return nil
	}
	p := h.place(t.ID)
	w := &writer{h: h, p: p}
	var out []*world.PartnerRequest
	add := func(at time.Time, id uint64, r world.PartnerRequest) {
		if at.Before(h.created) {
			r.ID, r.Correlation, r.At, r.TenantID = guidOf(id, 20), guidOf(id, 21), at.Truncate(time.Millisecond), t.ID
			out = append(out, &r)
		}
	}
	panel := h.panelApp()
	for i := range p.actors {
		a := &p.actors[i]
		script := a.habit != nil && a.habit.Kind == "script"
		if !script && !worksWithPartnerCenter(p.tenant, a) {
			continue
		}
		for _, v := range a.plan(day) {
			if script {
				h.scripted(w, a, &v, add)
				continue
			}
			if v.kind != "" {
				continue
			}
			mfa, in := h.opens(w, a, &v)
			if !in {
				continue
			}
			d := diceOf(a.seed, uint64(day.Unix()/86400)^0xce)
			ip := addressOf(&v).String()
			at := v.at
			for range 1 + d.IntN(6) {
				at = at.Add(time.Duration(20+d.IntN(900)) * time.Second)
				add(at, d.Uint64(), world.PartnerRequest{Operation: portalOperation(d.IntN(4)), IP: ip, UserID: a.user.ID, UPN: a.user.UPN,
					AppID: entra.AppPartner, AppName: "Microsoft Partner Center", Portal: true, MFA: mfa})
			}
			if panel != nil && d.IntN(3) == 0 {
				for range 2 + d.IntN(8) {
					at = at.Add(time.Duration(1+d.IntN(40)) * time.Second)
					add(at, d.Uint64(), world.PartnerRequest{Operation: apiOperation(d.IntN(5)), IP: ip, UserID: a.user.ID, UPN: a.user.UPN,
						AppID: h.past.appIDOf(panel), AppName: panel.Name, MFA: mfa})
				}
			}
		}
	}
	h.appOnly(day, add)
	slices.SortStableFunc(out, func(a, b *world.PartnerRequest) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return out
}

// opens says whether somebody got into Partner Center, and with MFA.
func (h *history) opens(w *writer, a *actor, v *visit) (mfa, in bool) {
	c := *v
	c.to = centerTarget()
	at := w.attempt(w.p.tenant, w.p.tenant, a, &c)
	r := w.judge(v.at, &at, v.id)
	_, able := proofOf(a.user)
	switch r.Outcome {
	case signon.NeedMFA:
		return able, able && !v.refuses
	case signon.Allow:
		// The portal asks for itself, as far as it is enforced.
		if float64(v.id>>11)/(1<<53) < h.past.state.Enforcement.Portal.Share(v.at) {
			return able, able
		}
		return false, true
	}
	return false, false
}

// scripted are the calls of a script: they carry what its sign-in gave.
func (h *history) scripted(w *writer, a *actor, v *visit, add func(time.Time, uint64, world.PartnerRequest)) {
	at := w.attempt(w.p.tenant, w.p.tenant, a, v)
	if r := w.judge(v.at, &at, v.id); r.Outcome != signon.Allow {
		return
	}
	for i, op := range []string{"Get /v{version}/customers", "Get /v{version}/invoices", "Get /v{version}/customers/{customer_id}/subscriptions"} {
		add(v.at.Add(time.Duration(2+i*31)*time.Second), v.id+uint64(i), world.PartnerRequest{Operation: op, IP: addressOf(v).String(), UserID: a.user.ID,
			UPN: a.user.UPN, AppID: at.AppID, AppName: at.AppName})
	}
}

func (h *history) appOnly(day time.Time, add func(time.Time, uint64, world.PartnerRequest)) {
	sites := h.sc.spots()
	for i := range h.sc.Apps {
		a := &h.sc.Apps[i]
		for _, name := range sortedKeys(a.Calls) {
			if r := resource(name); r.AppID != entra.AppPartnerCenter {
				continue
			}
			calls := a.Calls[name]
			d := diceOf(h.past.seedOf("apponly/"+a.Name), uint64(day.Unix()/86400))
			from := sites[strings.ToLower(calls.Site)]
			ip := "198.18.0.9"
			if from.net.IsValid() {
				ip = from.address(9).String()
			}
			for n := range calls.PerDay {
				at := day.Add(time.Duration(n)*24*time.Hour/time.Duration(calls.PerDay) + time.Duration(600+d.IntN(300))*time.Second)
				add(at, d.Uint64(), world.PartnerRequest{Operation: apiOperation(d.IntN(5)), IP: ip, AppID: h.past.appIDOf(a), AppName: a.Name, AppOnly: true})
			}
		}
	}
}

// panelApp is the partner's own control panel.
func (h *history) panelApp() *App {
	for i := range h.sc.Apps {
		if h.sc.Apps[i].Panel {
			return &h.sc.Apps[i]
		}
	}
	return nil
}

func worksWithPartnerCenter(t *world.Tenant, a *actor) bool {
	for _, g := range []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents} {
		if t.InGroup(a.user.ID, g) {
			return true
		}
	}
	return a.admin && !a.user.Guest
}

func portalOperation(n int) string {
	return [...]string{"Get /v{version}/customers", "Get /v{version}/customers/{customer_id}", "Get /v{version}/invoices",
		"Get /v{version}/customers/{customer_id}/subscriptions"}[n]
}

func apiOperation(n int) string {
	return [...]string{"Get /v{version}/customers", "Get /v{version}/customers/{customer_id}/subscriptions", "Get /v{version}/customers/{customer_id}/users",
		"Get /v{version}/invoices", "Get /v{version}/auditrecords"}[n]
}
