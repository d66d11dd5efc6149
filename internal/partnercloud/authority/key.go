package authority

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/world"
)

// keyUser shows an account to the WebAuthn library.
type keyUser struct{ u *world.User }

func (k keyUser) WebAuthnID() []byte          { return []byte(k.u.ID) }
func (k keyUser) WebAuthnName() string        { return k.u.UPN }
func (k keyUser) WebAuthnDisplayName() string { return k.u.Name }
func (k keyUser) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for i := range k.u.Methods {
		var c webauthn.Credential
		if m := &k.u.Methods[i]; m.Type == world.MethodFIDO2 && len(m.Credential) > 0 && json.Unmarshal(m.Credential, &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

func hasKey(u *world.User) bool { return u != nil && len(keyUser{u}.WebAuthnCredentials()) > 0 }

// relyingParty is this authority as the browser sees it: the host of the page.
// A credential made under one host name does not work under another.
func relyingParty(q *request) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: q.hostname(), RPDisplayName: "Partner cloud", RPOrigins: []string{q.base()},
		AuthenticatorSelection: protocol.AuthenticatorSelection{UserVerification: protocol.VerificationRequired},
		AttestationPreference:  protocol.PreferNoAttestation,
	})
}

// keyPage shows the page that speaks to a security key, with a fresh challenge.
func (a *Authority) keyPage(q *request, f *flow, st *stage, create bool) *pages.Page {
	p := f.page("key", "Use your security key")
	p.Text = "Insert or hold your security key, or use the passkey of this device."
	p.Creating, p.Other = create, true
	if create {
		p.Title, p.Text = "Set up a security key", "The browser asks for the key, and for its PIN or your fingerprint."
	}
	rp, err := relyingParty(q)
	if err == nil {
		var options any
		if create {
			options, f.ceremony, err = rp.BeginRegistration(keyUser{st.sub.self}, webauthn.WithExclusions(descriptors(st.sub.self)),
				webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred))
		} else {
			options, f.ceremony, err = rp.BeginLogin(keyUser{st.sub.self}, webauthn.WithUserVerification(protocol.VerificationRequired))
		}
		if err == nil {
			var b []byte
			b, err = json.Marshal(options)
			p.Options = string(b)
		}
	}
	if err != nil {
		f.ceremony = nil
		p.Error = "A security key cannot be used at this address. Use https or localhost, or choose another way."
	}
	return &p
}

func descriptors(u *world.User) []protocol.CredentialDescriptor {
	var out []protocol.CredentialDescriptor
	for _, c := range (keyUser{u}).WebAuthnCredentials() {
		out = append(out, c.Descriptor())
	}
	return out
}

// useKey takes an assertion, as second factor or, first, in place of the
// password: user verification makes it two factors in one.
func (a *Authority) useKey(q *request, f *flow, st *stage, text string, first bool) {
	ceremony := f.ceremony
	f.ceremony = nil // a challenge is used once
	u := st.sub.self
	bad := func() {
		f.say = "The security key was not accepted. Try again, or choose another way."
		a.w.Read(func(s *world.State) {
			if first {
				logRefused(s, f.bare(q, st), entra.CodeMFAFailed, q.step(methodKey, "", false, "Authentication failed", primary))
				return
			}
			f.failed(s, q, st, entra.CodeMFAFailed, methodKey)
		})
	}
	rp, err := relyingParty(q)
	if err != nil || ceremony == nil {
		bad()
		return
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(text))
	if err != nil {
		bad()
		return
	}
	c, err := rp.ValidateLogin(keyUser{u}, *ceremony, parsed)
	if err != nil || c.Authenticator.CloneWarning || !c.Flags.UserVerified {
		bad()
		return
	}
	a.keepCounter(f, c)
	if first {
		f.proof = proof{home: st.sub.home.ID, user: u.ID, authTime: q.now, sid: world.NewGUID()}
		f.steps = nil
	}
	f.prove(q, "fido")
	f.proof.combos = append(slices.Clone(f.proof.combos), "fido2")
	requirement := secondary
	if first {
		requirement = primary
	}
	f.steps = append(f.steps, q.step(methodKey, "", true, "Authenticated", requirement))
	if first {
		f.steps = append(f.steps, q.step(methodKey, "", true, "MFA requirement satisfied by multifactor device", secondary))
	}
}

// keepCounter stores the credential with its new counter.
func (a *Authority) keepCounter(f *flow, c *webauthn.Credential) {
	b, err := json.Marshal(c)
	if err != nil {
		return
	}
	a.w.Read(func(s *world.State) {
		home := s.Tenant(f.home)
		if home == nil {
			return
		}
		home.Users.Change(f.user, func(u *world.User) {
			u.Methods = slices.Clone(u.Methods)
			for i := range u.Methods {
				var have webauthn.Credential
				if u.Methods[i].Type == world.MethodFIDO2 && json.Unmarshal(u.Methods[i].Credential, &have) == nil && slices.Equal(have.ID, c.ID) {
					u.Methods[i].Credential = b
				}
			}
		})
		s.Dirty()
	})
}

// newKey registers a security key.
func (a *Authority) newKey(q *request, f *flow, st *stage, text, name string) {
	ceremony := f.ceremony
	f.ceremony = nil
	f.say = "The security key could not be registered. Try again, or choose another way."
	rp, err := relyingParty(q)
	if err != nil || ceremony == nil {
		return
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(text))
	if err != nil {
		return
	}
	c, err := rp.CreateCredential(keyUser{st.sub.self}, *ceremony, parsed)
	if err != nil || !c.Flags.UserVerified {
		return
	}
	b, err := json.Marshal(c)
	if err != nil {
		return
	}
	name = strings.TrimSpace(clip(name, 60))
	if name == "" {
		name = "Security key"
	}
	m := world.Method{ID: world.NewGUID(), Type: world.MethodFIDO2, Name: name, Created: q.now, Credential: b}
	if a.register(q, f, st, m) {
		f.say = ""
		f.prove(q, "fido")
		f.proof.add("ngcmfa")
		f.proof.combos = append(slices.Clone(f.proof.combos), "fido2")
		f.steps = append(f.steps, q.step(methodKey, "", true, "MFA successfully completed", secondary))
	}
}
