package rendertest

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/partner"
)

// AsOf is the moment of every report here.
var AsOf = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

func at(day, hour, minute int) *time.Time {
	t := time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
	return &t
}

// Typical is a small partner with something of every verdict.
func Typical() *assess.Report {
	signIn := func(line int) evidence.Source {
		return evidence.Source{Path: "exports/signIns.jsonl.gz", Line: line}
	}
	r := &assess.Report{
		Schema: assess.SchemaID,
		AsOf:   AsOf,
		Partner: assess.Partner{
			Kind: "direct-bill", Cloud: "public",
			TenantID: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", DisplayName: "Contoso Cloud Partners",
		},
		Incomplete: []string{
			"exports/groups.json: the last page points to a next page that is not among the inputs.",
			"Privileged Identity Management eligibility was not read: the tenant has no Entra ID P2 licence.",
		},
		Requirements: []assess.Requirement{
			{
				ID: "mfa-every-user", Title: "Every account signs in with multifactor authentication", Level: "mandatory", Binding: "enforced",
				Verdict: assess.NotMet, Affected: 7, Total: 41, Unit: "accounts",
				Reason: "7 of 41 accounts in scope signed in without multifactor authentication, or nothing would have asked them.",
				Action: "Require multifactor authentication for all users and all apps, without the trusted-location exclusion, and register the " +
					"accounts listed.",
				Evidence: []assess.Evidence{
					{Subject: "frontdesk@contoso.com", Detail: "succeeded without MFA from 203.0.113.24 (Browser)", Observed: at(18, 7, 42),
						RecordID: "8d1f6d90-2a3b-4c1d-9a53-2f0c6f1f0101", Source: signIn(412)},
					{Subject: "svc-billing@contoso.com", Detail: "succeeded by resource owner password grant", Observed: at(19, 2, 0),
						RecordID: "8d1f6d90-2a3b-4c1d-9a53-2f0c6f1f0102", Source: signIn(633)},
					{Subject: "Require MFA for all users", Detail: "excludes the named location Headquarters (trusted)",
						Source: evidence.Source{Path: "exports/conditionalAccessPolicies.json", Index: 2}},
					{Subject: "Require MFA for all users", Detail: "excludes group CA-BreakGlass (1 member)",
						Source: evidence.Source{Path: "exports/conditionalAccessPolicies.json", Index: 2}},
				}, More: 3, Source: "Partner security requirements, 1.2",
				Age: assess.Age{Newest: at(20, 5, 30), Oldest: at(12, 0, 0), NewestOf: "the sign-in log", OldestOf: "the list of groups", Days: 8, By: "file",
					AllowedHours: 720, Why: "settings can change any day", Text: "the list of groups is 8 days old by its file's time (30 days are allowed)"},
			},
			{
				ID: "secure-application-model", Title: "Integrations use the Secure Application Model", Level: "mandatory", Binding: "contract",
				Verdict: assess.NotMet, Affected: 1, Total: 4, Unit: "apps",
				Reason: "One app signs in with a stored user name and password.",
				Action: "Move Contoso Billing Sync to consent, a refresh token in a vault and app plus user tokens.",
				Evidence: []assess.Evidence{
					{Subject: "Contoso Billing Sync", Detail: "31 sign-ins by resource owner password grant", Observed: at(19, 2, 0), Source: signIn(633)},
				}, Source: "Partner security requirements, 5",
			},
			{
				ID: "legacy-authentication", Title: "Legacy authentication is blocked", Level: "mandatory", Binding: "contract",
				Verdict: assess.NotMet, Affected: 2, Total: 41, Unit: "accounts",
				Reason: "Two accounts still sign in with protocols that cannot ask for a second factor.",
				Action: "Turn the policy that blocks legacy authentication from report-only to on.",
				Evidence: []assess.Evidence{
					{Subject: "scanner@contoso.com", Detail: "Authenticated SMTP, 44 sign-ins", Observed: at(19, 16, 5), Source: signIn(701)},
					{Subject: "h.brandt@contoso.com", Detail: "Exchange Web Services, 3 sign-ins", Observed: at(12, 8, 30), Source: signIn(288)},
				}, Source: "Partner security requirements, 9.1",
			},
			{
				ID: "partner-center-api-mfa", Title: "Partner Center calls carry the MFA claim", Level: "mandatory", Binding: "enforced",
				Verdict: assess.NotMet, Affected: 1, Total: 3, Unit: "apps",
				Reason: "One application makes calls without the MFA claim; Microsoft refuses a rising share of them.",
				Action: "Renew the consent of Contoso Billing Sync with an account that passed MFA.",
				Evidence: []assess.Evidence{
					{Subject: "Contoso Billing Sync", Detail: "312 of 401 requests in the window carried the claim",
						Source: evidence.Source{Path: "exports/applicationmfaadoptionstatus.json", Index: 3}},
				}, Source: "Partner Center REST, 2.4",
			},
			{
				ID: "alerts-answered", Title: "Security alerts are answered within 24 hours", Level: "mandatory", Binding: "contract",
				Verdict: assess.NotMet, Affected: 1, Total: 3, Unit: "alerts",
				Reason: "One alert has been open for 61 hours.", Action: "Answer the alert: legitimate, fraud or ignore, and record what was done.",
				Evidence: []assess.Evidence{
					{Subject: "CryptoMining on Tailspin Toys", Detail: "detected and still active", Observed: at(17, 16, 44),
						Source: evidence.Source{Path: "exports/securityAlerts.json", Index: 1}},
				}, Source: "Partner security requirements, 1.5",
			},
			{
				ID: "mfa-admins", Title: "Every admin signs in with multifactor authentication", Level: "mandatory", Binding: "enforced",
				Verdict: assess.Met, Total: 9, Unit: "accounts", Reason: "All 9 admins were challenged, or carried an earlier challenge, at every sign-in.",
				Source: "Partner security requirements, 1.5",
			},
			{
				ID: "security-contact", Title: "A security contact is on file", Level: "mandatory", Binding: "enforced",
				Verdict: assess.Attested, Reason: "Vouched for by Mia Lindqvist until 2027-03-31; Microsoft's score says the same.",
				Source: "Partner security requirements, 1.5",
			},
			{
				ID: "pim-eligibility", Title: "Eligible admins pass MFA before they activate a role", Level: "mandatory", Binding: "contract",
				Verdict: assess.Unknown, Reason: "Eligibility schedules could not be read.",
				Action: "Export role eligibility schedules; this needs Entra ID P2 and RoleEligibilitySchedule.Read.Directory.",
				Source: "Partner security requirements, 1.2",
			},
			{
				ID: "delegated-admin-dap", Title: "No customer is administered by DAP", Level: "recommended", Binding: "advised",
				Verdict: assess.NotMet, Affected: 2, Total: 12, Unit: "customers", Reason: "Two customers still allow delegated administration privileges.",
				Action: "Remove DAP where a granular relationship is active; this keeps the reseller relationship.",
				Evidence: []assess.Evidence{
					{Subject: "Fabrikam, Inc.", Detail: "allowDelegatedAccess is true", Source: evidence.Source{Path: "exports/customers.json", Index: 1}},
					{Subject: "Tailspin Toys", Detail: "allowDelegatedAccess is true", Source: evidence.Source{Path: "exports/customers.json", Index: 2}},
				}, Source: "Roles and least privilege, 8",
			},
			{
				ID: "gdap-global-admin", Title: "No granular relationship holds Global Administrator", Level: "recommended", Binding: "advised",
				Verdict: assess.NotMet, Affected: 1, Total: 12, Unit: "relationships",
				Reason: "One relationship holds Global Administrator and so can never extend itself.",
				Action: "Create a relationship with the roles the job needs and end this one.",
				Evidence: []assess.Evidence{
					{Subject: "MLT_Adatum_2023", Detail: "holds Global Administrator",
						Source: evidence.Source{Path: "exports/delegatedAdminRelationships.json", Index: 4}},
				}, Source: "GDAP, 3.11",
			},
			{
				ID: "app-credentials", Title: "Application credentials do not expire unnoticed", Level: "recommended", Binding: "advised",
				Verdict: assess.Met, Total: 4, Unit: "apps", Reason: "No credential expires within 30 days.", Source: "Apps and credentials, 3.10",
			},
			{
				ID: "customer-budgets", Title: "Every customer with Azure has a spending budget", Level: "recommended", Binding: "advised",
				Verdict: assess.Unknown, Reason: "No export says which customers have a budget.", Action: "Export customer insights.",
				Source: "Partner security requirements, 1.5",
			},
			{
				ID: "sovereign-cloud", Title: "Requirements of sovereign clouds", Level: "recommended", Binding: "advised",
				Verdict: assess.NotApplicable, Reason: "The tenant is in the public cloud.", Source: "Partner security requirements, 1.2",
			},
			{
				ID: "cpv-consent", Title: "Control panel vendor consent", Level: "mandatory", Binding: "contract",
				Verdict: assess.NotApplicable, Reason: "The partner is not a control panel vendor.", Source: "Secure Application Model, 5.3",
			},
		},
		Score: assess.ScoreView{
			Available: true, Current: 61.5, Max: 80, Updated: at(19, 4, 4),
			Requirements: []assess.ScoreRequirement{
				{Type: "mfaEnforcedForAdmins", Verdict: assess.Met, Score: 20, MaxScore: 20, State: "active", Detail: "9 of 9 admins"},
				{Type: "securityContactProvided", Verdict: assess.Met, Score: 20, MaxScore: 20, State: "active"},
				{Type: "securityAlertsPromptlyResolved", Verdict: assess.NotMet, Score: 6.5, MaxScore: 20, State: "active", Detail: "31.4 hours on average"},
				{Type: "mfaEnforcedForAllUsers", Verdict: assess.Unknown, Score: 0, MaxScore: 10, State: "preview"},
			},
		},
		SignIns: assess.SignIns{
			Rows: 702, Duplicates: 5, First: at(1, 6, 2), Last: at(19, 21, 15),
			Total: assess.Tally{Challenged: 201, SatisfiedByClaim: 268, SatisfiedByProvider: 6, NotChallenged: 128, Unknown: 24, Interrupted: 31, Failed: 22,
				NotUser: 22},
			Legacy: assess.Tally{NotChallenged: 47, Failed: 4},
			AOBO:   assess.Tally{Challenged: 12, SatisfiedByClaim: 30},
			Apps: []assess.AppTally{
				{AppID: "14f38d7d-c4fc-448a-b2df-0fc60e75465a", Name: "Contoso Billing Sync", Tally: assess.Tally{NotChallenged: 31}},
				{AppID: "00000002-0000-0ff1-ce00-000000000000", Name: "Office 365 Exchange Online",
					Tally: assess.Tally{NotChallenged: 47, SatisfiedByClaim: 66}},
				{AppID: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", Name: "Azure Portal", Tally: assess.Tally{Challenged: 120, SatisfiedByClaim: 88}},
			},
		},
		Causes: causes(at(19, 15, 0)),
		Age: assess.EvidenceAge{Newest: at(20, 5, 30), Oldest: at(12, 0, 0), NewestInput: "exports/signIns.jsonl.gz", OldestInput: "exports/groups.json",
			Mixed: true, Weak: true, Banner: []string{"The inputs are of different days: the oldest is exports/groups.json of 2026-11-12, the newest " +
				"exports/signIns.jsonl.gz of 2026-11-20. What changed between them is not seen; export everything in one go"}},
		Dates: outlooks(),
		Attestations: []assess.Vouch{
			{Kind: "attestation", Requirement: "app-passwords", Who: "Ada Lovelace", Since: "2026-11-01", Until: "2027-04-30",
				Reason: "looked at in the service settings",
				State:  "in_force", DaysLeft: 161, Effect: assess.EffectCounts, Text: "the evidence cannot decide, and this does until 2027-04-30",
				Source: evidence.Source{Path: "exports/attestations.yaml", Line: 4}},
			{Kind: "exception", Account: "scanner@contoso.com", Requirement: "mfa-every-user", Who: "Ada Lovelace", Since: "2026-11-01", Until: "2026-12-31",
				Reason: "it cannot answer", CompensatingControl: "sends from one address", ApprovedBy: "Grace Hopper", State: "in_force", DaysLeft: 41,
				Effect: assess.EffectShown, Text: "it is shown beside the account, and changes no verdict",
				Source: evidence.Source{Path: "exports/attestations.yaml", Line: 12}},
		},
		Inputs: []evidence.Input{
			{Path: "exports/groups.json", Bytes: 5120, Format: "graph page", Encoding: "utf-8", Status: evidence.Partial, NextLink: true,
				Kinds: map[evidence.Kind]int{evidence.Group: 6}},
			{Path: "exports/notes.json", Bytes: 88, Format: "json", Encoding: "utf-8", Status: evidence.NotRecognised},
			{Path: "exports/signIns.jsonl.gz", Bytes: 91230, Format: "jsonl", Encoding: "utf-8", Compression: "gzip", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.SignIn: 702}},
			{Path: "exports/users.json", Bytes: 20110, Format: "graph page", Encoding: "utf-8", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.User: 44}},
			{Path: "exports/roleEligibility.json", Bytes: 310, Format: "json", Encoding: "utf-8", Status: evidence.Unreadable, NoteCount: 1,
				Notes: []evidence.Note{{Source: evidence.Source{Path: "exports/roleEligibility.json"},
					Message: "Graph answered with an error instead of data: AadPremiumLicenseRequired"}}},
		},
		Sample: true,
	}
	for d := 1; d <= 19; d++ {
		date := time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC)
		n := int64(22 + (d*7)%9)
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			n = 4
		}
		if d == 8 {
			continue // a day without rows
		}
		r.SignIns.Days = append(r.SignIns.Days, assess.Day{Date: date.Format(time.DateOnly), Tally: assess.Tally{
			Challenged: n / 3, SatisfiedByClaim: n / 2, SatisfiedByProvider: n % 2, NotChallenged: n / 5, Unknown: int64(d % 3), Failed: 1,
		}})
	}
	way := func(id, text string) assess.WayOut { return assess.WayOut{ID: id, Text: text} }
	add := func(a assess.Account) {
		a.ID = fmt.Sprintf("5c0a1f00-0000-4000-8000-%012d", len(r.Accounts)+1)
		if a.Class == "" {
			a.Class = "member"
		}
		a.InScope = a.Class != "disabled" && a.Class != "directory_sync"
		r.Accounts = append(r.Accounts, a)
	}
	add(assess.Account{UserPrincipalName: "frontdesk@contoso.com", DisplayName: "Front Desk", Class: "shared", StrongestFactor: "none", MFA: assess.NotMet,
		Reason: "Signed in 22 times without MFA from the trusted location.",
		WaysOut: []assess.WayOut{way("totp_secured_desktop", "Put a one-time code generator on the locked-down desktop; no phone is needed."),
			way("require_mfa", "End the trusted-location exclusion.")}, SignIns: assess.Tally{NotChallenged: 22}, LastSignIn: at(18, 7, 42),
		LastNotChallenged: at(18, 7, 42)})
	add(assess.Account{UserPrincipalName: "svc-billing@contoso.com", DisplayName: "Billing Service", Class: "service", StrongestFactor: "none",
		MFA: assess.NotMet, Reason: "A script signs in with its stored password.",
		WaysOut: []assess.WayOut{way("secure_application_model", "Replace the stored password by the Secure Application Model.")},
		SignIns: assess.Tally{NotChallenged: 31}, LastSignIn: at(19, 2, 0), LastNotChallenged: at(19, 2, 0)})
	add(assess.Account{UserPrincipalName: "scanner@contoso.com", DisplayName: "Scanner 2nd floor", Class: "service", StrongestFactor: "none",
		MFA: assess.NotMet, Reason: "A printer sends mail by Authenticated SMTP, which cannot ask for a second factor.",
		WaysOut: []assess.WayOut{way("client_upgrade", "Send through a relay connector or a client with modern authentication.")},
		SignIns: assess.Tally{NotChallenged: 44}, LegacyClients: []string{"Authenticated SMTP"}, LastNotChallenged: at(19, 16, 5)})
	add(assess.Account{UserPrincipalName: "h.brandt@contoso.com", DisplayName: "Hannes Brandt", StrongestFactor: "phone", MFA: assess.NotMet,
		Reason: "Outlook 2010 still reads mail by Exchange Web Services.",
		WaysOut: []assess.WayOut{way("client_upgrade", "Upgrade Outlook to 2016 or later."),
			way("app_password", "Until then an app password, which never carries an MFA claim.")}, SignIns: assess.Tally{NotChallenged: 3, Challenged: 14},
		LegacyClients: []string{"Exchange Web Services"}})
	add(assess.Account{UserPrincipalName: "emergency@contoso.onmicrosoft.com", DisplayName: "Emergency Access", Class: "break_glass_candidate", Admin: true,
		Roles: []string{"Global Administrator"}, StrongestFactor: "none", MFA: assess.NotMet,
		Reason:  "Excluded from every policy; nothing would ask it for a second factor.",
		WaysOut: []assess.WayOut{way("security_key", "Register two security keys and end the exclusion.")}})
	add(assess.Account{UserPrincipalName: "k.osei@contoso.com", DisplayName: "Kwame Osei", StrongestFactor: "none", MFA: assess.NotMet,
		Reason: "No method registered.", WaysOut: []assess.WayOut{way("register", "Register an authenticator app.")}})
	add(assess.Account{UserPrincipalName: "y.sato_fabrikam.com#EXT#@contoso.onmicrosoft.com", DisplayName: "佐藤 由美", Class: "guest",
		StrongestFactor: "unknown", MFA: assess.NotMet, Reason: "A guest who signed in without MFA.",
		WaysOut: []assess.WayOut{way("require_mfa", "Include guests in the policy.")}})
	add(assess.Account{UserPrincipalName: "n.haddad@contoso.com", DisplayName: "نور حداد", StrongestFactor: "unknown", MFA: assess.Unknown,
		Reason: "The rows read have no MFA fields."})
	names := []string{"a.lund", "b.moreau", "c.rossi", "d.novak", "e.silva", "f.keller", "g.papas", "i.okafor", "j.nielsen", "l.chen", "m.lindqvist",
		"o.petrov", "p.garcia", "q.tran", "r.singh", "s.meyer", "t.haas", "u.berg", "v.costa", "w.dubois", "x.li", "z.kaya"}
	kinds := []string{"app", "app", "phishing_resistant", "app", "otp", "phone"}
	for i, n := range names {
		add(assess.Account{UserPrincipalName: n + "@contoso.com", DisplayName: n, Admin: i < 8, StrongestFactor: kinds[i%len(kinds)], MFA: assess.Met,
			Reason: "Challenged, or carried an earlier challenge, at every sign-in.", SignIns: assess.Tally{Challenged: 8, SatisfiedByClaim: 12},
			LastSignIn: at(19, 9, i)})
	}
	add(assess.Account{UserPrincipalName: "Sync_DC01_4f2a@contoso.onmicrosoft.com", DisplayName: "On-Premises Directory Synchronization Service Account",
		Class: "directory_sync", StrongestFactor: "none", MFA: assess.NotApplicable, Reason: "Directory synchronisation is never asked."})
	add(assess.Account{UserPrincipalName: "old.employee@contoso.com", DisplayName: "Old Employee", Class: "disabled", StrongestFactor: "phone",
		MFA: assess.NotApplicable, Reason: "Disabled."})
	return r
}

// Empty is a report over nothing: everything that matters is unknown.
func Empty() *assess.Report {
	return &assess.Report{
		Schema: assess.SchemaID, AsOf: AsOf,
		Incomplete: []string{"No input was read."},
		Requirements: []assess.Requirement{
			{ID: "mfa-every-user", Title: "Every account signs in with multifactor authentication", Level: "mandatory", Binding: "enforced",
				Verdict: assess.Unknown, Unit: "accounts", Reason: "Neither accounts nor sign-ins were read.", Action: "Export users, sign-ins and policies."},
		},
	}
}

// Bare is the zero report.
func Bare() *assess.Report { return &assess.Report{} }

// Perfect is a partner with nothing to do.
func Perfect() *assess.Report {
	r := Typical()
	r.Sample, r.Complete, r.Incomplete = false, true, nil
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if q.Verdict != assess.NotApplicable {
			q.Verdict, q.Affected, q.Evidence, q.More, q.Action = assess.Met, 0, nil, 0, ""
			q.Reason = "Nothing falls short."
		}
	}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		if a.MFA != assess.NotApplicable {
			a.MFA, a.WaysOut, a.Reason, a.StrongestFactor = assess.Met, nil, "Challenged at every sign-in.", "app"
		}
	}
	for i := range r.Inputs {
		r.Inputs[i].Status, r.Inputs[i].NextLink, r.Inputs[i].Notes, r.Inputs[i].NoteCount = evidence.Read, false, nil, 0
	}
	return r
}

// Huge is a partner with n accounts and four years of sign-ins.
func Huge(n int) *assess.Report {
	r := Typical()
	r.Partner.DisplayName = "Contoso Worldwide Distribution and Cloud Marketplace Services (Europe, Middle East and Africa)"
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if q.Total > 0 {
			q.Affected *= n / 13
			q.Total = max(q.Affected, n)
		}
		q.More *= n
	}
	base := r.Accounts
	r.Accounts = make([]assess.Account, 0, n)
	for i := range n {
		a := base[i%len(base)]
		a.ID = fmt.Sprintf("5c0a1f00-0000-4000-8000-%012d", i)
		a.UserPrincipalName = fmt.Sprintf("%06d.%s", i, a.UserPrincipalName)
		r.Accounts = append(r.Accounts, a)
	}
	r.SignIns.Days = nil
	day := time.Date(2022, 11, 21, 0, 0, 0, 0, time.UTC)
	for i := range 1460 {
		if i%97 < 8 {
			continue
		}
		c := int64(180_000 + 40_000*(i%7) + 90*i)
		r.SignIns.Days = append(r.SignIns.Days, assess.Day{Date: day.AddDate(0, 0, i).Format(time.DateOnly), Tally: assess.Tally{
			Challenged: c / 3, SatisfiedByClaim: c, NotChallenged: c / 9, Unknown: c / 40,
		}})
	}
	r.SignIns.Rows = 512_345_678
	for i := range 60 {
		r.Inputs = append(r.Inputs, evidence.Input{Path: fmt.Sprintf("archive/2026/%02d/signIns-%04d.jsonl.zst", i%12+1, i), Bytes: 1 << 30, Format: "jsonl",
			Encoding: "utf-8", Compression: "zstd", Status: evidence.Partial, NoteCount: 2041,
			Notes: []evidence.Note{{Source: evidence.Source{Path: "x", Line: 18}, Message: "the line ends in the middle of a value"}},
			Kinds: map[evidence.Kind]int{evidence.SignIn: 1_000_000}})
	}
	return r
}

// Marks are texts that must never act, whatever shows them.
var Marks = pagetest.Marks

// Hostile has a mark in every text of a report.
func Hostile() *assess.Report {
	r := Typical()
	n := 0
	next := func() string { n++; return Marks[n%len(Marks)] }
	r.Schema = next()
	r.Incomplete = append([]string{}, Marks...)
	r.Partner = assess.Partner{Kind: next(), Cloud: next(), TenantID: next(), DisplayName: Marks[2]}
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -5*3600))
	source := func() evidence.Source { return evidence.Source{Path: next(), Part: next(), Line: 1 << 40} }
	r.Requirements = nil
	verdicts := []assess.Verdict{assess.NotMet, assess.Unknown, assess.Met, assess.Attested, assess.NotApplicable, "<b>odd</b>", ""}
	for i := range Marks {
		q := assess.Requirement{ID: Marks[i], Title: next(), Level: []string{"mandatory", "recommended", next()}[i%3], Binding: next(),
			Verdict: verdicts[i%len(verdicts)], Reason: next(), Affected: i * 1e6, Total: 1 << 50, Unit: next(), Action: next(), More: 1 << 40, Source: next()}
		for range 4 {
			q.Evidence = append(q.Evidence, assess.Evidence{Subject: next(), Detail: next(), Observed: &far, RecordID: next(), Source: source()})
		}
		r.Requirements = append(r.Requirements, q)
	}
	for i := range Marks {
		c := assess.Cause{Rank: len(r.Causes) + 1, Kind: []assess.CauseKind{assess.CauseUrgent, assess.CauseSettings, assess.CauseKind(next())}[i%3],
			Title:  next(),
			Detail: next(), Requirements: []string{next()}, Mandatory: i%2 == 0, BreakGlass: i%5 == 4, Accounts: 1 << 40, SignIns: 1 << 60, Due: &far,
			Changes: []access.Change{{ID: next(), Kind: access.ChangeKind(next()), PolicyID: next(), Policy: next(), Field: next(), Value: next(),
				Text: next()}},
			People: []assess.CausePerson{{ID: next(), UserPrincipalName: next(), DisplayName: next(), Class: next(), Reason: next(),
				WaysOut: []assess.WayOut{{ID: next(), Text: next()}}}},
			Proof:    &assess.CauseProof{Question: next(), Verdict: access.ProofVerdict(next()), Reason: next()},
			Effects:  []assess.CauseEffects{{Effect: next(), SignIns: 1 << 60}},
			Evidence: []assess.Evidence{{Subject: next(), Detail: next(), Observed: &far, RecordID: next(), Source: source()}}}
		r.Causes = append(r.Causes, c)
	}
	for range Marks {
		r.Disagreements = append(r.Disagreements, assess.Evidence{Subject: next(), Detail: next(), Observed: &far, RecordID: next(), Source: source()})
	}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		a.ID, a.UserPrincipalName, a.DisplayName, a.Class, a.StrongestFactor, a.Reason = next(), next(), next(), next(), next(), next()
		a.Roles, a.LegacyClients = []string{next()}, []string{next()}
		a.WaysOut = []assess.WayOut{{ID: next(), Text: next()}}
		a.LastSignIn, a.LastNotChallenged = &far, &far
		if i%5 == 4 {
			a.MFA = assess.Verdict(next())
		}
	}
	// A megabyte where a name is expected, once in each kind of row.
	long := strings.Repeat("W", 1<<20)
	r.Requirements[0].Title, r.Requirements[1].Evidence[0].Subject, r.Accounts[0].DisplayName, r.Accounts[1].UserPrincipalName = long, long, long, long
	r.SignIns.First, r.SignIns.Last = &far, &far
	for i, m := range Marks {
		r.SignIns.Days = append(r.SignIns.Days, assess.Day{Date: m, Tally: assess.Tally{Challenged: int64(i)}})
		r.SignIns.Apps = append(r.SignIns.Apps, assess.AppTally{AppID: next(), Name: m, Tally: assess.Tally{NotChallenged: 1}})
	}
	r.SignIns.Days = append(r.SignIns.Days,
		assess.Day{Date: "0001-01-01", Tally: assess.Tally{Challenged: 1}},
		assess.Day{Date: "9999-12-31", Tally: assess.Tally{Challenged: 1 << 60, NotChallenged: 1 << 60}},
		assess.Day{Date: "2026-11-03", Tally: assess.Tally{Challenged: -5, NotChallenged: 3}})
	r.Score.Updated = &far
	for i := range r.Score.Requirements {
		q := &r.Score.Requirements[i]
		q.Type, q.State, q.Detail = next(), next(), next()
	}
	for i := range r.Inputs {
		in := &r.Inputs[i]
		in.Path, in.Format, in.Encoding, in.Compression = next(), next(), next(), next()
		in.Status = []evidence.Status{evidence.Partial, evidence.Unreadable, evidence.Status(next())}[i%3]
		in.Kinds = map[evidence.Kind]int{evidence.Kind(next()): 1}
		in.Notes = append(in.Notes, evidence.Note{Source: source(), Message: next()})
	}
	return r
}

// causes are one of each kind.
func causes(due *time.Time) []assess.Cause {
	desk := assess.CausePerson{ID: "frontdesk", UserPrincipalName: "frontdesk@contoso.com", DisplayName: "Front desk", Class: "shared",
		Reason: "has no registered method to answer with", SignIns: 47,
		WaysOut: []assess.WayOut{{ID: "totp_secured_desktop", Text: "a TOTP app on a secured desktop"}}}
	return []assess.Cause{
		{Rank: 1, Kind: assess.CauseUrgent, Title: "Answer the alert: Virtual machines are mining (Fabrikam)", Detail: "unanswered for 39 hours", Due: due,
			Requirements: []string{"azure-fraud-watch"}, Evidence: []assess.Evidence{{Subject: "Virtual machines are mining", Detail: "active"}}},
		{Rank: 2, Kind: assess.CauseSettings, Title: "Remove the excluded location Headquarters from CA002",
			Detail:       "closes 27 accounts, 126 recorded sign-ins",
			Requirements: []string{"mfa-every-user", "mfa-every-sign-in"}, Mandatory: true, Accounts: 27, SignIns: 126, Needs: []int{3},
			Changes: []access.Change{{ID: "0a1b2c3d", Kind: access.ChangeRemove, PolicyID: "ca002", Policy: "CA002",
				Field: "conditions.locations.excludeLocations", Value: "hq", Text: "Remove the excluded location Headquarters from CA002"}},
			People: []assess.CausePerson{desk},
			Proof: &assess.CauseProof{Question: "mfa-every-sign-in", Gaps: []int{1, 2}, Before: 32, After: 5, Verdict: access.GapFound,
				Reason: "5 of 41 accounts can sign in without it"},
			Effects: []assess.CauseEffects{{Effect: "challenged_unable", SignIns: 47, Accounts: 1}, {Effect: "challenged_able", SignIns: 79, Accounts: 9}}},
		{Rank: 3, Kind: assess.CauseAccount, Title: "Upgrade the old mail client of frontdesk@contoso.com", Detail: "47 recorded sign-ins without MFA",
			Requirements: []string{"legacy-authentication"}, Mandatory: true, Accounts: 1, SignIns: 47, People: []assess.CausePerson{desk}},
		{Rank: 4, Kind: assess.CauseRequirement, Title: "Set up GDAP, then remove DAP", Detail: "4 customers still grant DAP",
			Requirements: []string{"no-dap"}},
		{Rank: 5, Kind: assess.CauseSettings, Title: "Remove the group Break-glass from the exclusions of CA001", Detail: "closes 1 account", BreakGlass: true,
			Mandatory: true, Accounts: 1, Requirements: []string{"mfa-every-user"}},
	}
}

// outlooks are one dated change that hits, and one that is not known.
func outlooks() []partner.Outlook {
	var out []partner.Outlook
	for _, c := range partner.Changes() {
		o := partner.Outlook{Change: c, Standing: c.Standing(AsOf), DaysLeft: c.DaysLeft(AsOf), Answer: partner.HitIsUnknown, Unit: "users", Names: []string{},
			Text: "a log of 8 days cannot show that nobody does it: 30 days are needed", Settle: "GET /beta/auditLogs/signIns, every page (AuditLog.Read.All)"}
		switch c.ID {
		case "sms-voice-end":
			o.Answer, o.Count, o.Names, o.More = partner.Hit, 12, []string{"ada@contoso.com", "ben@contoso.com"}, 10
			o.Text, o.Action, o.Settle = "12 users lose their only second factor", "have them register a passkey before that day", ""
		case "smtp-auth-basic":
		default:
			continue
		}
		out = append(out, o)
	}
	return out
}
