package authority

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Words of the log for methods (K).
const (
	methodPassword = "Password"
	methodTOTP     = "Software OATH token"
	methodHardware = "OATH hardware token"
	methodKey      = "FIDO2 security key"
)

// atPassword takes the password, or turns to the security key.
func (a *Authority) atPassword(q *request, f *flow, st *stage, do string, form url.Values) {
	switch do {
	case "passkey", "choose":
		f.way = map[string]string{"passkey": "passkey"}[do]
		return
	case "key":
		a.useKey(q, f, st, form.Get("credential"), true)
		return
	case "word":
		f.way = "word"
		return
	case "pass":
		a.usePass(q, f, st, form, true)
		return
	case "password":
	default:
		return
	}
	u, home := st.sub.self, st.sub.home
	var seeded string
	a.w.Read(func(s *world.State) { seeded, _ = s.SeededPassword(u) })
	code := a.knock(q.now, home.ID, u.ID, u.Password, seeded, form.Get("passwd"))
	if code != 0 {
		f.say = "That account name or password is wrong."
		if code == entra.CodeLocked {
			f.say = "The account is locked after too many wrong attempts. Wait a minute, then try again."
		}
		a.w.Read(func(s *world.State) {
			logRefused(s, f.bare(q, st), code, q.step(methodPassword, "Password in the cloud", false, "Invalid username or password", primary))
		})
		return
	}
	f.typed = true
	f.way = ""
	f.proof = proof{home: home.ID, user: u.ID, authTime: q.now, amr: []string{"pwd"}, combos: []string{"password"}, sid: world.NewGUID()}
	f.steps = []world.Step{q.step(methodPassword, "Password in the cloud", true, "Correct password", primary)}
}

// bare is the attempt of somebody who has proved nothing yet, at home.
func (f *flow) bare(q *request, st *stage) *signon.Attempt {
	at := f.attempt(q, st.sub)
	at.Tenant, at.AOBO = st.sub.home, false
	return at
}

// factorPage shows the second factor that is asked, or the choice.
func (a *Authority) factorPage(w http.ResponseWriter, q *request, f *flow, st *stage) *pages.Page {
	if f.way == "choose" {
		p := f.page("choose", "Prove that it is you")
		p.Text = "Choose how."
		for _, one := range st.ways {
			p.Choices = append(p.Choices, pages.Choice{Value: one.id, Name: one.name, Note: one.note})
		}
		return &p
	}
	one := st.pick(f)
	switch {
	case one.id == "key":
		p := a.keyPage(q, f, st, false)
		p.Other = len(st.ways) > 1
		return p
	case one.id == "pass":
		p := f.page("pass", "Enter Temporary Access Pass")
		p.Other = len(st.ways) > 1
		return &p
	case one.config != nil:
		if f.way != one.id { // the only way: ask before leaving the site
			p := f.page("choose", "Prove that it is you")
			p.Text = "Another provider checks it."
			p.Choices = []pages.Choice{{Value: one.id, Name: one.name, Note: one.note}}
			return &p
		}
		return a.externalPage(w, q, f, st, one.config)
	}
	p := f.page("totp", "Enter code")
	p.Other = len(st.ways) > 1
	return &p
}

// atFactor takes a second factor.
func (a *Authority) atFactor(q *request, f *flow, st *stage, do string, form url.Values) {
	switch {
	case do == "choose":
		f.way, f.ext = "choose", nil
	case do == "totp" && form.Get("otc") == "", do == "token", do == "key" && form.Get("credential") == "", do == "pass" && form.Get("pass") == "",
		strings.HasPrefix(do, "external:"):
		if slices.ContainsFunc(st.ways, func(w way) bool { return w.id == do }) {
			f.way = do
		}
	case do == "totp" && slices.ContainsFunc(st.ways, func(w way) bool { return w.id == "totp" || w.id == "token" }):
		a.useCode(q, f, st, form.Get("otc"))
	case do == "pass" && slices.ContainsFunc(st.ways, func(w way) bool { return w.id == "pass" }):
		a.usePass(q, f, st, form, false)
	case do == "key" && slices.ContainsFunc(st.ways, func(w way) bool { return w.id == "key" }):
		a.useKey(q, f, st, form.Get("credential"), false)
	}
}

// period is the length of a TOTP step in seconds, of most.
const period = 30

// takeCode finds the code among those of the cloud's clock and those of the machine's:
// an authenticator on a phone knows nothing of a jump. It notes the step in m, so that
// none is taken twice, and says whether it took one.
func takeCode(m *world.Method, secret, code string, c *world.Clock, now time.Time) bool {
	real := c.Real()
	near := now.Sub(real).Abs() < 3*period*time.Second // one code could be of both
	for _, by := range []struct {
		at   time.Time
		last *int64
	}{{now, &m.LastStep}, {real, &m.LastReal}} {
		step := world.CodeStep(secret, code, m.Interval, m.Hash, by.at)
		if step <= *by.last || near && step <= max(m.LastStep, m.LastReal) {
			continue
		}
		*by.last = step
		if near {
			m.LastStep, m.LastReal = step, step
		}
		return true
	}
	return false
}

// checkCode takes a TOTP code of a user: 0, 50053 when locked, 500121 when
// wrong, and the method whose code it was. No step is taken twice. It is called under
// the world's lock.
func (a *Authority) checkCode(s *world.State, now time.Time, home *world.Tenant, userID, code string) (int, string) {
	key := "code\x00" + home.ID + "\x00" + userID
	if a.guard.locked(now, key) {
		return entra.CodeLocked, ""
	}
	code = strings.ReplaceAll(code, " ", "")
	u := home.Users.Get(userID)
	if u != nil && len(code) == 6 {
		for i := range u.Methods {
			m := u.Methods[i]
			if m.Type != world.MethodTOTP && m.Type != world.MethodHardware {
				continue
			}
			if takeCode(&m, s.TOTPSecret(u, &m), code, s.Clock, now) {
				home.Users.Change(userID, func(u *world.User) {
					u.Methods = slices.Clone(u.Methods)
					u.Methods[i] = m
				})
				s.Dirty()
				a.guard.right(key)
				return 0, m.Type
			}
		}
	}
	if a.guard.wrong(now, key) {
		return entra.CodeLocked, ""
	}
	return entra.CodeMFAFailed, ""
}

func (a *Authority) useCode(q *request, f *flow, st *stage, code string) {
	a.w.Read(func(s *world.State) {
		bad, by := a.checkCode(s, q.now, st.sub.home, f.user, code)
		if bad != 0 {
			f.say = "That code did not work. Wait for the next one and try again."
			if bad == entra.CodeLocked {
				f.say = "Too many wrong codes. Wait a minute, then try again."
			}
			f.failed(s, q, st, bad, methodTOTP)
			return
		}
		f.prove(q, "otp")
		combo, method := "password,softwareOath", methodTOTP
		if by == world.MethodHardware {
			combo, method = "password,hardwareOath", methodHardware
		}
		f.proof.combos = append(slices.Clone(f.proof.combos), combo)
		f.steps = append(f.steps, q.step(method, "", true, "MFA successfully completed", secondary))
	})
}

// failed writes the row of a second factor that failed.
func (f *flow) failed(s *world.State, q *request, st *stage, code int, method string) {
	at := *st.attempt
	at.Steps = append(slices.Clone(f.steps), q.step(method, "", false, "Authentication failed", secondary))
	logSignIn(s, &at, &st.ruling, code, "")
}

// prove notes a second factor done now.
func (f *flow) prove(q *request, mark string) {
	f.typed = true
	f.proof.add(mark, "mfa")
	f.proof.mfaTime, f.proof.fresh = q.now, true
	f.way, f.ceremony, f.ext = "", nil, nil
}
