package gate_test

import (
	"fmt"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/signin"
)

// scanner is the account of a device that sends mail by an old protocol.
var scanner = guid('e', 5)

// history is a month of sign-ins: everybody by browser from the office and from elsewhere,
// and a scanner by SMTP.
func history(t *access.Tenant, p *remedy.Plan) *rehearse.History {
	h := rehearse.NewHistory(gate.Lens(t, p))
	v := h.Visitor()
	for i := range t.Users {
		u := &t.Users[i]
		for day := range 30 {
			s := &signin.Sighting{ID: fmt.Sprintf("%d-%d", i, day), UserID: u.ID, UserPrincipalName: u.Name, At: now.AddDate(0, 0, -day), Success: true,
				AppID: "00000002-0000-0ff1-ce00-000000000000", AppDisplayName: "Office 365 Exchange Online", ClientAppUsed: "Browser", Platform: "Windows 11",
				IPAddress: []string{"203.0.113.7", "198.51.100.20"}[day%2], Verdict: signin.Challenged, Country: "GB"}
			switch u.ID {
			case scanner:
				s.ClientAppUsed, s.Verdict, s.Platform = "Authenticated SMTP", signin.NotChallenged, ""
			case sync:
				s.ClientAppUsed, s.Verdict, s.AppDisplayName = "Mobile Apps and Desktop clients", signin.NotChallenged, "Microsoft Azure AD Connect"
			}
			s.Legacy = signin.IsLegacyClient(s.ClientAppUsed)
			v.See(s)
		}
	}
	return h
}
