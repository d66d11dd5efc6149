package authority

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image/png"
	"net/url"
	"slices"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// registering is the user action that policies can target.
const registering = "urn:user:registersecurityinfo"

// enrollWays lists what may be registered on the way in: what meets the
// strengths asked for.
func enrollWays(st *stage) []pages.Choice {
	all := []way{{id: "totp", name: "Authenticator app", note: "An app that shows six-digit codes"},
		{id: "key", name: "Security key", note: "A passkey or FIDO2 key"}}
	var out []pages.Choice
	for _, w := range meeting(all, st.ruling.Strengths) {
		out = append(out, pages.Choice{Value: "new" + w.id, Name: w.name, Note: w.note})
	}
	return out
}

// enrollPage shows the registration of a method.
func (a *Authority) enrollPage(q *request, f *flow, st *stage) *pages.Page {
	choices := enrollWays(st)
	has := func(v string) bool {
		return slices.ContainsFunc(choices, func(c pages.Choice) bool { return c.Value == v })
	}
	switch {
	case f.way == "newtotp" && has("newtotp"):
		if p := f.totpPage(st); p != nil {
			p.Other = len(choices) > 1
			return p
		}
	case f.way == "newkey" && has("newkey"):
		p := a.keyPage(q, f, st, true)
		p.Other = len(choices) > 1
		return p
	}
	p := f.page("choose", "More information required")
	p.Text = "Your organization needs a second way to know that it is you. Register one now."
	p.Choices = choices
	if len(choices) == 0 {
		p.Text = "Your organization asks for a method that cannot be registered in this cloud."
	}
	return &p
}

// totpPage shows a fresh secret, as QR code and as text.
func (f *flow) totpPage(st *stage) *pages.Page {
	if f.secret == "" {
		k, err := totp.Generate(totp.GenerateOpts{Issuer: "Partner cloud", AccountName: st.sub.self.UPN, SecretSize: 20})
		if err != nil {
			return nil
		}
		f.secret = k.Secret()
	}
	v := url.Values{"secret": {f.secret}, "issuer": {"Partner cloud"}, "period": {"30"}, "digits": {"6"}, "algorithm": {"SHA1"}}
	k, err := otp.NewKeyFromURL("otpauth://totp/" + url.PathEscape("Partner cloud:"+st.sub.self.UPN) + "?" + v.Encode())
	if err != nil {
		return nil
	}
	p := f.page("enroll", "Set up an authenticator app")
	if img, err := k.Image(312, 312); err == nil {
		var b bytes.Buffer
		if png.Encode(&b, img) == nil {
			p.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())) //nolint:gosec // our own picture
		}
	}
	var groups []string
	for chunk := range slices.Chunk([]byte(f.secret), 4) {
		groups = append(groups, string(chunk))
	}
	p.Secret = strings.Join(groups, " ")
	return &p
}

// atEnroll registers a method.
func (a *Authority) atEnroll(q *request, f *flow, st *stage, do string, form url.Values) {
	if do == "choose" {
		f.way, f.secret, f.ceremony = "", "", nil
		return
	}
	if !slices.ContainsFunc(enrollWays(st), func(c pages.Choice) bool { return c.Value == do }) {
		return
	}
	if fault := a.mayRegister(q, f, st); fault != nil {
		f.fault = fault
		return
	}
	switch {
	case do == "newtotp" && f.way == "newtotp" && f.secret != "" && form.Get("otc") != "":
		a.newCode(q, f, st, form.Get("otc"))
	case do == "newkey" && f.way == "newkey" && form.Get("credential") != "":
		a.newKey(q, f, st, form.Get("credential"), form.Get("keyname"))
	default:
		f.way = do
	}
}

// mayRegister asks policy about the user action of registering. MFA cannot be
// demanded of who has none: only a block counts.
func (a *Authority) mayRegister(q *request, f *flow, st *stage) *oauth.Fault {
	return a.do(func(s *world.State) *oauth.Fault {
		at := *st.attempt
		at.Tenant, at.AOBO, at.User, at.AskMFA = st.sub.home, false, st.sub.self, false
		at.Resource, at.ResourceName = registering, "Register security information"
		r := signon.Judge(s, &at)
		if r.Outcome != signon.Block {
			return nil
		}
		logSignIn(s, &at, &r, entra.CodeEnrollmentBlocked, "")
		return oauth.Refuse(entra.CodeEnrollmentBlocked)
	})
}

func (a *Authority) newCode(q *request, f *flow, st *stage, code string) {
	code = strings.ReplaceAll(code, " ", "")
	key := "code\x00" + f.home + "\x00" + f.user
	if a.guard.locked(q.now, key) {
		f.say = "Too many wrong codes. Wait a minute, then try again."
		return
	}
	m := world.Method{ID: world.NewGUID(), Type: world.MethodTOTP, Name: "Authenticator app", Created: q.now, Secret: f.secret}
	if len(code) != 6 || !takeCode(&m, f.secret, code, a.w.Clock, q.now) {
		a.guard.wrong(q.now, key)
		f.say = "That code did not work. Check the clock of the device, wait for the next code and try again."
		return
	}
	if a.register(q, f, st, m) {
		f.prove(q, "otp")
		f.secret = ""
		f.proof.add("ngcmfa")
		f.proof.combos = append(slices.Clone(f.proof.combos), "password,softwareOath")
		f.steps = append(f.steps, q.step(methodTOTP, "", true, "MFA successfully completed", secondary))
	}
}

// register adds a method to the account, with the audit row.
func (a *Authority) register(q *request, f *flow, st *stage, m world.Method) (ok bool) {
	a.w.Read(func(s *world.State) {
		home := s.Tenant(f.home)
		if home == nil {
			return
		}
		n := s.Change()
		ok = home.Users.Change(f.user, func(u *world.User) {
			u.Methods = append(slices.Clone(u.Methods), m)
			u.Changed = n
		})
		u := home.Users.Get(f.user)
		if !ok || u == nil {
			return
		}
		s.Touch(home)
		s.Audit(home, &world.DirectoryAudit{
			Activity: "User registered security info", Category: "UserManagement", Operation: "Update", Service: "Authentication Methods",
			Correlation:  f.correlation,
			ResultReason: "User registered " + m.Name, By: world.Initiator{User: &world.AuditUser{ID: u.ID, Name: &u.Name, UPN: u.UPN, IP: q.ipText()}},
			Targets: []world.AuditTarget{{ID: u.ID, Name: &u.Name, Type: "User", UPN: &u.UPN, Modified: []world.Modified{}}},
		})
	})
	return ok
}
