package authority

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// stage is where a flow stands: what must be done next and what is known then.
type stage struct {
	name      string // confirm, account, password, mfa, register, stay, consent, fault, done
	sub       subject
	attempt   *signon.Attempt
	ruling    signon.Ruling
	scopes    []string
	wants     []want
	context   []string
	ways      []way
	mayForAll bool // the user may consent for everybody
	publisher string
	pass      bool // a Temporary Access Pass can be used instead of a password
}

// way is a means to prove a second factor.
type way struct {
	id     string // totp, key, pass, external:<configuration>
	combo  string // what it proves, as strengths name it; "" none
	name   string
	note   string
	config *externalConfig
}

// next finds what a flow needs, and writes the rows of interrupts on the way,
// each once. It is called under the world's lock, whenever a page is shown.
func (a *Authority) next(s *world.State, q *request, f *flow) stage {
	var st stage
	stop := func(fault *oauth.Fault) stage {
		f.fault, st.name = fault, "fault"
		return st
	}
	switch {
	case f.fault != nil:
		st.name = "fault"
		return st
	case f.purpose == forDevice && !f.confirmed:
		st.name = "confirm"
		return st
	case f.user == "":
		st.name = "account"
		return st
	}
	path, fault := findTenant(s, f.pathName)
	if fault != nil {
		return stop(fault)
	}
	if f.proof.authTime.IsZero() {
		st.sub, st.name = subject{}, "password"
		if home := s.Tenant(f.home); home != nil {
			st.sub = subject{tenant: home, home: home, user: home.Users.Get(f.user), self: home.Users.Get(f.user)}
		}
		if st.sub.user == nil {
			f.switchUser()
			st.name = "account"
			return st
		}
		st.pass = usablePass(q, st.sub.home, st.sub.self) != nil
		return st
	}
	st.sub, fault = resolve(s, path, f.home, f.user, f.client.AppID)
	if st.sub.user == nil {
		f.switchUser()
		st.name = "account"
		return st
	}
	st.attempt = f.attempt(q, st.sub)
	if fault != nil {
		at := *st.attempt
		at.Tenant = st.sub.home
		f.once(fault.Code, func() { logRefused(s, &at, fault.Code) })
		return stop(fault)
	}
	if !st.sub.self.Enabled {
		f.once(entra.CodeUserDisabled, func() { logRefused(s, st.attempt, entra.CodeUserDisabled) })
		return stop(oauth.Refuse(entra.CodeUserDisabled))
	}
	return a.rule(s, q, f, st)
}

// attempt describes the flow's sign-in as it stands.
func (f *flow) attempt(q *request, sub subject) *signon.Attempt {
	at := q.attempt(sub, f.client, f.target, &f.proof)
	at.Correlation, at.Request, at.Interactive, at.Steps, at.AskMFA = f.correlation, f.trace, true, f.steps, f.askMFA
	switch {
	case f.purpose == forDevice:
		at.Client, at.Protocol, at.TransferMethod = signon.DeviceCode, "deviceCode", "deviceCodeFlow"
	case f.platform == native:
		at.Client = signon.Native
	}
	return at
}

// once does what is logged once in a flow.
func (f *flow) once(code int, do func()) {
	if !f.logged[code] {
		f.logged[code] = true
		do()
	}
}

// rule asks for the ruling and goes on from it.
func (a *Authority) rule(s *world.State, q *request, f *flow, st stage) stage {
	st.ruling, st.context = judge(s, st.attempt, f.ask)
	r := &st.ruling
	switch r.Outcome {
	case signon.Block:
		f.once(r.Code, func() { logSignIn(s, st.attempt, r, -1, "") })
		f.fault = refusal(r, f.target, stamp(q.now))
		st.name = "fault"
		return st
	case signon.Again:
		f.once(r.Code, func() { logSignIn(s, st.attempt, r, -1, "") })
		f.proof, f.steps, f.session = proof{}, nil, ""
		f.say = "Your organization asks for a fresh sign-in here."
		st.name = "password"
		return st
	case signon.NeedMFA, signon.Register:
		return a.demand(s, q, f, st)
	}
	return a.after(s, q, f, st)
}

// demand is a second factor that is missing: prove one, or register one.
func (a *Authority) demand(s *world.State, q *request, f *flow, st stage) stage {
	r := &st.ruling
	st.ways = waysOf(s, q, st.sub)
	if r.Outcome == signon.NeedMFA && len(st.ways) == 0 && overPasses(q, st.sub.self) {
		r.Outcome = signon.Register
	}
	st.name = "mfa"
	code := entra.CodeStrongAuthRequired
	if slices.ContainsFunc(r.Requirements, func(q world.Requirement) bool {
		return q.Provider == "multiConditionalAccess" || q.Provider == "user"
	}) {
		code = entra.CodeMFARequired
	}
	if r.Outcome == signon.Register {
		// Who has something to prove it with does so before another method is
		// registered: a password alone must not be enough for that.
		if len(st.ways) == 0 || f.proof.mfa() {
			st.name = "register"
		}
		if code == entra.CodeMFARequired {
			code = entra.CodeMustEnroll
		} else {
			code = entra.CodeMustEnrollNow
		}
		if !overPasses(q, st.sub.self) && len(st.ways) == 0 && !f.proof.mfa() {
			return a.unusable(s, f, st)
		}
	} else if strong := meeting(st.ways, r.Strengths); len(strong) > 0 {
		st.ways = strong
	}
	if st.name == "mfa" && len(st.ways) == 0 {
		return a.unusable(s, f, st)
	}
	f.once(code, func() { logSignIn(s, st.attempt, r, code, "") })
	return st
}

// unusable ends a flow whose account has registered only what this cloud cannot
// ask for.
func (a *Authority) unusable(s *world.State, f *flow, st stage) stage {
	f.once(entra.CodeMFAFailed, func() { logSignIn(s, st.attempt, &st.ruling, entra.CodeMFAFailed, "") })
	f.fault = oauth.Refuse(entra.CodeMFAFailed)
	f.fault.Text = "The methods registered for this account (" + strings.Join(st.sub.self.Registered(), ", ") +
		") cannot be asked for in this cloud. Give the account a Temporary Access Pass and sign in with that: partnerguard cloud graph POST " +
		"/v1.0/users/" + st.sub.self.UPN + "/authentication/temporaryAccessPassMethods --tenant " + st.sub.home.Domain() + " --body '{}'"
	st.name = "fault"
	return st
}

// waysOf lists what a user can prove a second factor with here.
func waysOf(s *world.State, q *request, sub subject) []way {
	var out []way
	if sub.self.Method(world.MethodTOTP) != nil {
		out = append(out, way{id: "totp", combo: "password,softwareOath", name: "Authenticator app", note: "A six-digit code"})
	}
	if sub.self.Method(world.MethodHardware) != nil {
		out = append(out, way{id: "token", combo: "password,hardwareOath", name: "Hardware token", note: "A six-digit code"})
	}
	for i := range sub.self.Methods {
		m := &sub.self.Methods[i]
		if m.Type == world.MethodFIDO2 && len(m.Credential) > 0 {
			out = append(out, way{id: "key", combo: "fido2", name: "Security key", note: "A passkey or FIDO2 key"})
			break
		}
	}
	if m := usablePass(q, sub.home, sub.self); m != nil {
		out = append(out, way{id: "pass", combo: m.Pass.Combination(), name: "Temporary Access Pass", note: "From your administrator"})
	}
	for _, c := range externalOf(s, sub) {
		out = append(out, way{id: "external:" + c.id, name: c.name, note: "Another provider asks you", config: c})
	}
	return out
}

// meeting keeps the ways that can meet every strength.
func meeting(ways []way, strengths [][]string) []way {
	if len(strengths) == 0 {
		return ways
	}
	var out []way
	for _, w := range ways {
		ok := w.combo != ""
		for _, st := range strengths {
			ok = ok && slices.ContainsFunc(st, func(v string) bool { return strings.EqualFold(strings.ReplaceAll(v, " ", ""), w.combo) })
		}
		if ok {
			out = append(out, w)
		}
	}
	return out
}

// after is what follows a sign-in that policy allows: the question whether to
// stay signed in, and consent.
func (a *Authority) after(s *world.State, q *request, f *flow, st stage) stage {
	if f.typed && !f.stayAsked && st.ruling.Persistent == "" && f.purpose != forDevice {
		st.name = "stay"
		f.once(entra.CodeStaySignedIn, func() { logSignIn(s, st.attempt, &st.ruling, entra.CodeStaySignedIn, "") })
		return st
	}
	if owner := s.Tenant(f.client.Owner); owner != nil {
		st.publisher = owner.Name
	}
	if f.purpose == forAdmin {
		return a.adminStage(s, f, st)
	}
	if f.prompt == "admin_consent" && !f.consented && f.client.App != nil {
		st.wants = asksFor(s, f.client, nil, true)
		if !mayConsent(s, st.sub.tenant, st.sub.user.ID, st.wants) || st.sub.aobo {
			return a.stopRow(s, f, st, oauth.Refuse(entra.CodeAdminConsentRequired, f.client.AppID))
		}
		st.name = "consent"
		return st
	}
	scopes, fault := granted(s, st.sub, f.client, f.target)
	again := f.prompt == "consent" && !f.consented && f.client.App != nil && !st.sub.aobo
	switch {
	case fault == nil && !again:
		st.scopes, st.name = scopes, "done"
		return st
	case fault != nil && (fault.Code != entra.CodeNoConsent || st.sub.aobo):
		return a.stopRow(s, f, st, fault)
	}
	st.wants = asksFor(s, f.client, f.target, false)
	if (needsAdmin(st.wants) || !usersMay(st.sub.tenant, f.client, st.wants)) && !mayConsent(s, st.sub.tenant, st.sub.user.ID, st.wants) {
		return a.stopRow(s, f, st, oauth.Refuse(entra.CodeAdminConsentRequired, f.client.AppID))
	}
	st.name, st.mayForAll = "consent", mayConsent(s, st.sub.tenant, st.sub.user.ID, st.wants)
	f.once(entra.CodeNoConsent, func() { logSignIn(s, st.attempt, &st.ruling, entra.CodeNoConsent, "") })
	return st
}

// stopRow ends a flow with a fault and its row.
func (a *Authority) stopRow(s *world.State, f *flow, st stage, fault *oauth.Fault) stage {
	f.once(fault.Code, func() { logSignIn(s, st.attempt, &st.ruling, fault.Code, "") })
	f.fault, st.name = fault, "fault"
	return st
}

// pick chooses which way is asked first.
func (st *stage) pick(f *flow) *way {
	for i := range st.ways {
		if st.ways[i].id == f.way {
			return &st.ways[i]
		}
	}
	order := func(w way) int {
		switch {
		case w.id == "totp":
			return 0
		case w.id == "key":
			return 1
		}
		return 2
	}
	best := slices.MinFunc(st.ways, func(x, y way) int { return cmp.Compare(order(x), order(y)) })
	return &best
}
