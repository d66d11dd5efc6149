package fold

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// randomEvent draws from small pools, so that ids, sessions, accounts and
// clocks meet often.
func randomEvent(r *rand.Rand) signin.Event {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	e := signin.Event{
		ID: pick("", entra.NilID, "a", "b", "10000000-0000-4000-8000-00000000000a", "10000000-0000-4000-8000-00000000000A",
			fmt.Sprintf("%08x-0000-4000-8000-%012x", r.IntN(40)*0x6000000, r.IntN(2)), fmt.Sprint("id", r.IntN(30))),
		CorrelationID:     pick("", entra.NilID, "c1", "C1", "c2", "c3", "c4"),
		UserID:            pick("", entra.NilID, "u1", "U1", "u2", "u3"),
		UserPrincipalName: pick("", "Ada@x.example", "ada@x.example", "bö@x.example", "u1"),
		UserDisplayName:   pick("", "Ada", "=cmd()", "Bö, Jr."),
		UserType:          pick("", "member", "Guest"),
		AppID:             pick("", "app1", "APP1", "app2", "app3"), AppDisplayName: pick("", "Portal", "portal 2"),
		ResourceDisplayName: pick("", "Graph"), ResourceID: pick("", "r1"), ConditionalAccessStatus: pick("", "success",
			"notApplied"), IPAddress: pick("", "192.0.2.1"), Country: pick("", "US", "DE"),
		ClientAppUsed: pick("", "Browser", "IMAP4", "Other clients", "imap"),
		UserAgent: pick("", "Mozilla/5.0 (X11; Linux) Chrome/142", "python-requests/2.32", "Mozilla/5.0 (Windows NT 10.0) PowerShell/7.5.0",
			strings.Repeat("agent ", 30)),
		AuthenticationProtocol: pick("", "none", "ropc", "deviceCode"), CrossTenantAccessType: pick("", "serviceProvider"),
		ServicePrincipalID: pick("", "", "", "sp1", "SP1"), ServicePrincipalName: pick("", "Sync"),
		FailureReason: pick("", "why\nnot"), AdditionalDetails: pick("", "MFA completed in Azure AD", "MFA requirement satisfied by claim in the token"),
		AuthenticationRequirement: pick("", "singleFactorAuthentication", "multiFactorAuthentication", "MultifactorAuthentication"),
		OperatingSystem:           pick("", "Windows10", "Ios 17"), DeviceCompliant: signin.Tri(r.IntN(3)), RiskLevelDuringSignIn: pick("none", "high"),
		DeviceTrustType: pick("", "Azure AD joined", "Hybrid Azure AD joined", "serverAD"),
		HasMFAFields:    r.IntN(3) > 0, HasStatus: r.IntN(6) > 0, Interactive: signin.Tri(r.IntN(3)),
	}
	if r.IntN(3) == 0 {
		e.ErrorCode = []int32{50074, 50079, 50140, 50126, -1}[r.IntN(5)]
	}
	if r.IntN(8) == 0 {
		writtenClock(&e, pick("3/2/2024 00:01:00", "2/3/2024 0:02:00", "25/2/2024 00:02:00", "2/28/2024 12:03:00 AM", "1/3/2024 00:01:30",
			"29.02.2024 00:05:00"))
	} else if r.IntN(8) > 0 {
		e.Created = time.Date(2024, 2, 28+r.IntN(3), 0, r.IntN(40), r.IntN(3), r.IntN(2), time.UTC)
	} else {
		e.CreatedRaw = pick("", "yesterday")
	}
	if r.IntN(3) == 0 {
		e.Observed = time.Date(2024, 3, 1, 0, r.IntN(2), 0, 0, time.UTC)
	}
	for range r.IntN(3) {
		e.Steps = append(e.Steps, signin.Step{Method: pick("Password", "SMS", "Previously satisfied"), Succeeded: signin.Tri(r.IntN(3)),
			Requirement: pick("Primary authentication", "Multifactor authentication")})
	}
	for range r.IntN(3) {
		e.Policies = append(e.Policies, signin.AppliedPolicy{ID: "p", DisplayName: pick("", "All users", "a; b"),
			Result: pick("success", "notApplied", "reportOnlyFailure")})
	}
	if e.Joinable = r.IntN(3) == 0; e.Joinable {
		e.Steps, e.Policies = nil, nil // as the portal's rows are
	}
	if r.IntN(8) == 0 {
		return signin.Event{Detail: true, ID: e.ID,
			Steps: []signin.Step{{Method: pick("Password", "Windows Hello for Business", "SMS"), MethodDetail: pick("", "x"),
				Succeeded: signin.Tri(r.IntN(3)), ResultDetail: pick("", "MFA completed in Azure AD"),
				Requirement: pick("Primary authentication", "Multifactor authentication")}}}
	}
	if r.IntN(4) == 0 {
		e.RequirementPolicies = []signin.RequirementPolicy{{Provider: "enforcedForCspAdmins"}}
	}
	return e
}

func randomInput(r *rand.Rand, n int) []taken {
	in := make([]taken, n)
	for i := range in {
		in[i] = taken{randomEvent(r), signin.SourceRef{Seq: i * 3 / max(1, n) % 2, Source: evidence.Source{Path: fmt.Sprint("f", r.IntN(2)), Line: i + 1}}}
		if i > 0 && r.IntN(6) == 0 { // a copy, perhaps changed
			in[i].e = in[r.IntN(i)].e
			if r.IntN(2) == 0 {
				in[i].e.Observed = in[i].e.Observed.Add(time.Second)
			}
		}
	}
	return in
}

// writtenClock gives e a clock as people write it, read as that of a row.
func writtenClock(e *signin.Event, clock string) {
	var row signin.Event
	raw := fmt.Sprintf(`{"id":"a","createdDateTime":%q,"userId":"u","appId":"a","status":{"errorCode":0}}`, clock)
	if shape, err := read.DecodeEvent([]byte(raw), &row); err != nil || shape != read.ShapeGraph {
		panic(fmt.Sprint(shape, err))
	}
	e.Created, e.CreatedRaw, e.Clock = row.Created, row.CreatedRaw, row.Clock
}
