package attack

import (
	"strings"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/secret"
)

// factored has people with factors, an invitation that waits, a request of Entra ID, a
// session, a wrong answer and a pass that may be used.
func (h *house) factored(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	invite := func(object, login string) secret.Text {
		_, link, err := s.MFA.Invite(ctx, mfa.Account{Tenant: h.lab().Info.Tenant.ID, Object: object}, "Ada", login, "local:owner")
		h.ok(err)
		return secret.New(link.Reveal()[strings.LastIndex(link.Reveal(), "/")+1:])
	}
	invite("22222222-0000-4000-8000-00000000000b", "bob@contoso.com")
	ada := mfa.Account{Tenant: h.lab().Info.Tenant.ID, Object: "22222222-0000-4000-8000-00000000000a"}
	x, _, err := s.MFA.BeginInvited(ctx, invite(ada.Object, "ada@contoso.com"))
	h.ok(err)
	p, err := s.MFA.Of(ctx, ada)
	h.ok(err)
	set, err := s.MFA.AskPasscodes(ctx, &x, &p)
	h.ok(err)
	e, err := factor.ReadURI(set.URI)
	h.ok(err)
	code, err := e.Seed.Code(e.Seed.Step(s.Now()))
	h.ok(err)
	_, _, err = s.MFA.AddPasscodes(ctx, &x, "phone", code)
	h.ok(err)
	_, _, err = s.MFA.Keep(ctx, mfa.Challenge{Account: ada, Login: "ada@contoso.com", Accept: []string{"otp"}, Asked: s.Now(),
		Deadline: s.Now().Add(5 * time.Minute)}, []byte("payload"))
	h.ok(err)
	for range 5 { // until the account waits, which is a note
		_, _ = s.MFA.ShowCode(ctx, mfa.Try{Person: p, Source: "192.0.2.7", What: "test"}, mfa.TOTP, secret.New("000000"))
	}
	for _, what := range []string{mfa.ActPass, mfa.ActReset} {
		a, err := s.MFA.Ask(ctx, p.ID, what, "stands at the desk", "local:help")
		h.ok(err)
		if what == mfa.ActPass {
			_, _, err = s.MFA.Approve(ctx, a.ID, "local:second")
			h.ok(err)
		}
	}
}
