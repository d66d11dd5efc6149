package scenario

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// history makes the logs of the days before the world was made. It judges every
// sign-in by a state of its own that is as the world was when it was made, and
// whose clock stands where the row is: what is changed later does not rewrite
// the past. It is called under the world's lock and has none itself.
type history struct {
	sc      *Scenario
	o       Options
	created time.Time

	past    *builder // nil until something is asked
	now     time.Time
	own     *place // the partner's, kept
	tenants lru[string, *place]
	days    lru[dayKey, []*world.SignIn]
	plans   lru[int64, []call]
	calls   []agentCalls
}

type dayKey struct {
	tenant string
	day    int64
}

// Bounds of what is kept at a time.
const (
	keepTenants = 96
	keepDays    = 64
	keepRows    = 40_000 // in all kept days but the newest
	keepPlans   = 40
)

// place is a tenant as it was, with its people.
type place struct {
	tenant *world.Tenant
	actors []actor
	byID   map[string]*actor
}

// First is the day before which there is nothing.
func (h *history) First() time.Time {
	return h.created.UTC().Truncate(24*time.Hour).AddDate(0, 0, -h.o.Days)
}

// wake makes the frozen state.
func (h *history) wake() {
	if h.past != nil {
		return
	}
	h.now = h.created
	w := world.New(h.o.Seed, world.NewClock(func() time.Time { return h.now }))
	w.Read(func(s *world.State) {
		s.Created = h.created
		h.past = newBuilder(h.sc, h.o, s)
		h.past.populate()
	})
}

// place finds a tenant of the past; nil for one that the scenario did not make.
func (h *history) place(id string) *place {
	if id == h.past.partnerID && h.own != nil {
		return h.own
	}
	if p, ok := h.tenants.get(id); ok {
		return p
	}
	var t *world.Tenant
	if k := h.past.byID[id]; k != nil {
		t = h.past.customerTenant(k)
	} else {
		t = h.past.state.Tenant(id)
	}
	var p *place
	if t != nil {
		// The settings are those of the moment the world was made, on whichever
		// day somebody first looks.
		h.now = h.created
		h.past.state.Engine(t)
		p = &place{tenant: t, actors: h.past.actors(t), byID: map[string]*actor{}}
		for i := range p.actors {
			p.byID[p.actors[i].user.ID] = &p.actors[i]
		}
	}
	if id == h.past.partnerID {
		h.own = p
		return p
	}
	h.tenants.put(id, p, 1, keepTenants)
	return p
}

// within gives the start of a day of the history.
func (h *history) within(day time.Time) (time.Time, bool) {
	day = day.UTC().Truncate(24 * time.Hour)
	return day, !day.Before(h.First()) && day.Before(h.created)
}

// SignIns makes the sign-ins of a tenant on a day.
func (h *history) SignIns(_ *world.State, t *world.Tenant, day time.Time) []*world.SignIn {
	day, ok := h.within(day)
	if !ok {
		return nil
	}
	key := dayKey{t.ID, day.Unix()}
	if rows, ok := h.days.get(key); ok {
		return rows
	}
	h.wake()
	p := h.place(t.ID)
	if p == nil {
		return nil
	}
	if len(p.actors) > keepRows/2 {
		h.days = lru[dayKey, []*world.SignIn]{} // one such day at a time is enough
	}
	w := &writer{h: h, p: p}
	for i := range p.actors {
		w.day(&p.actors[i], day)
	}
	w.attacks(day)
	w.intrude(day)
	w.apps(day)
	h.aobo(w, day)
	rows := slices.DeleteFunc(w.rows, func(r *world.SignIn) bool { return !r.CreatedDateTime.Before(h.created) })
	slices.SortStableFunc(rows, func(a, b *world.SignIn) int {
		return cmp.Or(a.CreatedDateTime.Compare(b.CreatedDateTime.Time), strings.Compare(a.ID, b.ID))
	})
	h.days.put(key, rows, len(rows), keepRows)
	for h.days.len() > keepDays {
		h.days.drop()
	}
	return rows
}

// writer collects the rows of one tenant's day.
type writer struct {
	h    *history
	p    *place
	rows []*world.SignIn
}

// session is what a sign-in leaves behind for the refreshes that follow it.
type session struct {
	ok, mfa bool
	auth    time.Time
}

// day lets an account live through a day.
func (w *writer) day(a *actor, day time.Time) {
	var s session
	for _, v := range a.plan(day) {
		switch v.kind {
		case "refresh":
			if s.ok {
				w.refresh(w.p.tenant, w.p.tenant, a, &v, s, false)
			}
		default:
			got := w.sign(w.p.tenant, a, &v)
			if v.kind == "" {
				s = got
			}
		}
	}
}

// attempt is a visit with nothing proved yet.
func (w *writer) attempt(t, home *world.Tenant, a *actor, v *visit) signon.Attempt {
	at := signon.Attempt{
		Tenant: t, Home: home, User: a.user, AppID: v.to.id, AppName: v.to.name, AppOwner: entra.TenantMicrosoftServices,
		Resource: v.to.resource, ResourceName: v.to.resourceName,
		Client: clientOf(v), Interactive: true, Correlation: guidOf(v.id, 1), Request: guidOf(v.id, 2), SID: guidOf(v.session, 3), IP: addressOf(v),
		Place:     v.from.place,
		UserAgent: a.agent.text, OS: a.agent.os, BrowserName: a.agent.browser, Platform: a.agent.platform, SignInRisk: cmp.Or(v.risk, "none"),
		AMR: []string{"pwd"}, Combos: []string{"password"},
		AuthTime: v.at, Protocol: "none", Fresh: true,
	}
	if v.to.native {
		at.BrowserName, at.Protocol = "", "oAuth2"
	}
	switch v.kind {
	case "legacy":
		at.ClientAppUsed, at.Protocol, at.BrowserName, at.UserAgent, at.OS, at.Platform = v.client, "none", "", "", "", ""
	case "ropc":
		at.Protocol, at.UserAgent, at.BrowserName, at.OS, at.Platform = "ropc", "python-requests/2.32.5", "Python Requests 2.32", "Linux", "linux"
		if app := w.h.sc.app(v.to.name); app != nil {
			at.AppID, at.AppName, at.AppOwner = w.h.past.appIDOf(app), app.Name, w.p.tenant.ID
		} else {
			at.AppID, at.AppName = entra.AppAzurePowerShell, "Microsoft Azure PowerShell"
		}
	case "code":
		at.Protocol = "deviceCode"
	case "sync":
		at.Interactive, at.OS, at.BrowserName, at.UserAgent = false, "Windows", "", ""
	}
	if v.unfamiliar || v.attack {
		// Nobody remembers this device: security defaults ask.
		u := *a.user
		u.LastSuccess = time.Time{}
		at.User = &u
	}
	return at
}

// write notes the row that a judged attempt leaves at its moment. code
// outranks the ruling's when it is not -1.
func (w *writer) write(at time.Time, a *signon.Attempt, r *signon.Ruling, code int, id uint64, n uint64) {
	w.h.now = at
	row := signon.Row(w.h.past.state, a, r, code)
	row.ID = guidOf(id, 16+n)
	row.UniqueToken = token(id, n)
	row.ProcessingTime = 80 + int(id%240)
	w.rows = append(w.rows, row)
}

func (w *writer) judge(at time.Time, a *signon.Attempt, id uint64) signon.Ruling {
	w.h.now = at
	// Shares of refused traffic fall by this count: it must hang on nothing but
	// the row, or the order of reading would show.
	w.h.past.state.Enforcement.Counter = int64(id >> 40)
	return signon.Judge(w.h.past.state, a)
}

// sign is an interactive sign-in, or one by another protocol.
func (w *writer) sign(t *world.Tenant, a *actor, v *visit) session {
	home := w.home(t, a.user)
	first := w.attempt(t, home, a, v)
	first.Steps = []world.Step{passwordStep(v.at, a.user, true)}
	if v.kind == "legacy" && len(a.user.AppPasswords) > 0 {
		first.Steps[0].Method, first.Steps[0].Detail = "App Password", nil
	}
	if v.wrong {
		at := v.at.Add(-50 * time.Second)
		bad := first
		bad.Steps, bad.Correlation = []world.Step{passwordStep(at, a.user, false)}, guidOf(v.id, 4)
		w.write(at, &bad, failed(entra.CodeWrongPassword), entra.CodeWrongPassword, v.id, 1)
	}
	if home != t && a.user.Guest && t.AcceptsHomeMFA {
		at := first
		at.MFA, at.Fresh, at.External = true, false, true
		at.Steps = federated(v.at)
		r := w.judge(v.at, &at, v.id)
		w.write(v.at, &at, &r, -1, v.id, 0)
		return session{ok: r.Outcome == signon.Allow, mfa: true, auth: v.at}
	}
	r := w.judge(v.at, &first, v.id)
	if r.Outcome != signon.NeedMFA || v.attack || v.kind != "" {
		w.write(v.at, &first, &r, -1, v.id, 0)
		return session{ok: r.Outcome == signon.Allow, auth: v.at}
	}
	return w.second(&first, a, v, &r)
}

// second lets an account answer the challenge of its first factor.
func (w *writer) second(first *signon.Attempt, a *actor, v *visit, asked *signon.Ruling) session {
	p, able := proofOf(a.user)
	if !able {
		w.write(v.at, first, asked, -1, v.id, 0)
		return session{}
	}
	if v.claim {
		at := *first
		at.MFA, at.Fresh, at.IncomingTokenType, at.Steps, at.AMR, at.Combos = true, false, "primaryRefreshToken", nil, p.amr, []string{p.combo}
		at.External = p.external
		at.AuthTime = v.at.Add(-v.age)
		at.MFATime = at.AuthTime
		r := w.judge(v.at, &at, v.id)
		w.write(v.at, &at, &r, -1, v.id, 0)
		if r.Outcome != signon.Again {
			return session{ok: r.Outcome == signon.Allow, mfa: true, auth: at.AuthTime}
		}
	} else if v.interrupt {
		before := v.at.Add(-time.Duration(11+v.id%20) * time.Second)
		half := *first
		half.Steps = []world.Step{passwordStep(before, a.user, true)}
		w.write(before, &half, asked, -1, v.id, 2)
	}
	at := *first
	if v.refuses {
		at.Steps = p.steps(v.at, a.user, false)
		w.write(v.at, &at, asked, entra.CodeMFAFailed, v.id, 3)
		return session{}
	}
	at.MFA, at.Fresh, at.External, at.AMR, at.Combos = true, !p.external, p.external, p.amr, []string{p.combo}
	moment := v.at
	if v.claim {
		moment = v.at.Add(14 * time.Second)
	}
	at.AuthTime, at.MFATime = moment, moment
	at.Steps = p.steps(moment, a.user, true)
	r := w.judge(moment, &at, v.id)
	if r.Outcome == signon.NeedMFA { // a strength that this method does not meet
		at.MFA = false
		at.Steps = at.Steps[:1]
	}
	w.write(moment, &at, &r, -1, v.id, 4)
	return session{ok: r.Outcome == signon.Allow, mfa: r.Outcome == signon.Allow, auth: moment}
}

// refresh renews a token quietly, or opens a customer's tenant with a session.
func (w *writer) refresh(t, home *world.Tenant, a *actor, v *visit, s session, aobo bool) {
	at := w.attempt(t, home, a, v)
	at.Interactive, at.Fresh, at.IncomingTokenType, at.AOBO = aobo, false, "refreshToken", aobo
	if !v.to.native {
		at.IncomingTokenType = "primaryRefreshToken"
	}
	at.AuthTime, at.User = s.auth, a.user
	if p, ok := proofOf(a.user); ok && s.mfa {
		at.MFA, at.AMR, at.Combos, at.MFATime, at.External = true, p.amr, []string{p.combo}, s.auth, p.external
	}
	r := w.judge(v.at, &at, v.id)
	w.write(v.at, &at, &r, -1, v.id, 5)
}

// home is the home tenant of an account.
func (w *writer) home(t *world.Tenant, u *world.User) *world.Tenant {
	if !u.Guest || u.HomeTenant == "" {
		return t
	}
	if k := w.h.past.byID[u.HomeTenant]; k != nil {
		return &world.Tenant{ID: u.HomeTenant, Name: k.Name}
	}
	return &world.Tenant{ID: u.HomeTenant}
}

func federated(at time.Time) []world.Step {
	detail := "Satisfied by the home tenant"
	return []world.Step{
		{At: world.Stamp{Time: at}, Method: "Federated", Detail: &detail, Succeeded: true,
			Result: "First factor requirement satisfied by claim provided by external provider", Requirement: "Primary authentication"},
		{At: world.Stamp{Time: at}, Method: "Federated", Detail: &detail, Succeeded: true,
			Result: "MFA requirement satisfied by claim provided by external provider", Requirement: "Multifactor authentication"},
	}
}

// failed is a sign-in that ended before any policy was asked.
func failed(code int) *signon.Ruling {
	return &signon.Ruling{Outcome: signon.Block, Code: code, Reason: signon.Reason(code), Requirements: []world.Requirement{},
		Applied: []world.AppliedPolicy{}, CAStatus: "notApplied"}
}

// guidOf makes an id from a number of the dice: part tells the ids of one row
// apart.
func guidOf(n, part uint64) string {
	var b [16]byte
	d := rand.NewPCG(n, part)
	binary.BigEndian.PutUint64(b[:8], d.Uint64())
	binary.BigEndian.PutUint64(b[8:], d.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// token is a uniqueTokenIdentifier: 22 letters.
func token(n, part uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	d := rand.NewPCG(n, part^0x746f6b656e)
	var out [22]byte
	x := uint64(0)
	for i := range out {
		if i%10 == 0 {
			x = d.Uint64()
		}
		out[i] = letters[x&63]
		x >>= 6
	}
	return string(out[:])
}
