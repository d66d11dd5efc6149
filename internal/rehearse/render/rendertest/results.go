package rendertest

import (
	"fmt"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/rehearse"
)

func at(day, hour, minute int) *time.Time {
	t := time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
	return &t
}

// Typical has something of every effect.
func Typical() *rehearse.Result {
	log := func(line int) evidence.Source { return evidence.Source{Path: "exports/signIns.jsonl.gz", Line: line} }
	mfa := []string{"Partner baseline 1: require MFA for all users at every sign-in"}
	legacy := []string{"Partner baseline 2: block legacy authentication"}
	r := &rehearse.Result{
		Schema: rehearse.SchemaID, Proposal: "the partner-baseline preset beside today's policies", First: at(1, 6, 2), Last: at(19, 21, 15),
		Rows: 633, Patterns: 118, Complete: true, Notes: []string{"32 sign-ins of accounts that are not in the export were decided as those of any " +
			"further member"},
		Totals: []rehearse.Total{
			{Effect: rehearse.Opened, Rows: 4, Accounts: 1}, {Effect: rehearse.BlockedThen, Rows: 51, Accounts: 3},
			{Effect: rehearse.ChallengedUnable, Rows: 77, Accounts: 3},
			{Effect: rehearse.ChallengedUnknown, Rows: 6, Accounts: 1}, {Effect: rehearse.ChallengedAble, Rows: 140, Accounts: 14},
			{Effect: rehearse.UndecidedThen, Rows: 2, Accounts: 1},
			{Effect: rehearse.Unchanged, Rows: 353, Accounts: 38},
		},
		Groups: []rehearse.Group{
			{Effect: rehearse.Opened, Account: "o.adeyemi@contoso.com", ID: "u5", Class: directory.ClassMember, App: "Exchange Online",
				Client: "Exchange ActiveSync", Rows: 4, Last: at(18, 7, 42),
				Reason:   "today's policy Block legacy mail stops it; the proposal replaces that policy and leaves the client out",
				Policies: []string{"Block legacy mail"}, WaysOut: []directory.WayOut{directory.WayReviewPolicy}, RecordID: "8d1f6d90-0101", Source: log(401)},
			{Effect: rehearse.BlockedThen, Account: "scanner@contoso.com", ID: "u4", Class: directory.ClassService, App: "Exchange Online",
				Client: "Authenticated SMTP", Rows: 44, Last: at(19, 16, 5),
				Reason: "blocked by Partner baseline 2: block legacy authentication", Policies: legacy, WaysOut: []directory.WayOut{directory.WayAppPassword},
				RecordID: "8d1f6d90-0102", Source: log(701)},
			{Effect: rehearse.BlockedThen, Account: "h.brandt@contoso.com", ID: "u2", Class: directory.ClassMember, App: "Exchange Online",
				Client: "Exchange Web Services", Rows: 3, Last: at(12, 8, 30),
				Reason: "blocked by Partner baseline 2: block legacy authentication", Policies: legacy, WaysOut: []directory.WayOut{directory.WayUpgrade},
				RecordID: "8d1f6d90-0103", Source: log(288)},
			{Effect: rehearse.BlockedThen, Account: "svc-report@contoso.com", ID: "u9", Class: directory.ClassService,
				App: "Microsoft Graph Command Line Tools", Client: "Mobile Apps and Desktop clients", Rows: 4, Last: at(17, 1, 0),
				Reason: "a password grant cannot carry MFA", Policies: mfa, WaysOut: []directory.WayOut{directory.WaySAM}, RecordID: "8d1f6d90-0104",
				Source: log(590)},
			{Effect: rehearse.ChallengedUnable, Account: "frontdesk@contoso.com", ID: "u0", Class: directory.ClassShared, App: "Partner Center",
				Client: "Browser", Rows: 44, Last: at(18, 7, 42),
				Reason: "would be asked for MFA, and the account has no method registered", Policies: mfa, WaysOut: []directory.WayOut{directory.WayTOTP,
					directory.WayKey}, RecordID: "8d1f6d90-0105", Source: log(412)},
			{Effect: rehearse.ChallengedUnable, Account: "svc-billing@contoso.com", ID: "u1", Class: directory.ClassService, App: "Partner Center API",
				Client: "Mobile Apps and Desktop clients", Rows: 31, Last: at(19, 2, 0),
				Reason: "nobody is there to answer: it signs in by the password grant", Policies: mfa, WaysOut: []directory.WayOut{directory.WaySAM},
				RecordID: "8d1f6d90-0106", Source: log(633)},
			{Effect: rehearse.ChallengedUnable, Account: "bg1@contoso.onmicrosoft.com", ID: "b1", Class: directory.ClassBreakGlass,
				App: "Microsoft Entra admin center", Client: "Browser", Rows: 2, Last: at(3, 9, 0),
				Reason: "would be asked for MFA, and the account has no method registered", Policies: mfa, WaysOut: []directory.WayOut{directory.WayTwoKeys},
				RecordID: "8d1f6d90-0107", Source: log(77)},
			{Effect: rehearse.ChallengedUnknown, Account: "pat_fabrikam.com#EXT#@contoso.onmicrosoft.com", ID: "g1", Class: directory.ClassGuest,
				App: "Microsoft Teams", Client: "Browser", Rows: 6, Last: at(16, 13, 2),
				Reason: "whether the account has a method is not in the export", Policies: mfa, WaysOut: []directory.WayOut{directory.WayGuest},
				RecordID: "8d1f6d90-0108", Source: log(502)},
		},
		Before: []rehearse.Proof{
			{Question: "mfa-every-sign-in", Title: "Does every sign-in need MFA?", Verdict: access.GapFound,
				Reason: "43 of 43 accounts can sign in without it"},
			{Question: "legacy-blocked", Title: "Is legacy authentication stopped for everybody?", Verdict: access.GapFound,
				Reason: "40 of 43 accounts can sign in without it"},
			{Question: "phishing-resistant-admins", Title: "Do administrators need phishing-resistant MFA?", Verdict: access.UnknownProof,
				Reason: "who holds a directory role is not in the export"},
		},
		After: []rehearse.Proof{
			{Question: "mfa-every-sign-in", Title: "Does every sign-in need MFA?", Verdict: access.Proved,
				Reason: "every sign-in of all 43 accounts asked about is covered by an enforced policy"},
			{Question: "legacy-blocked", Title: "Is legacy authentication stopped for everybody?", Verdict: access.Proved,
				Reason: "every sign-in of all 43 accounts asked about is covered by an enforced policy"},
			{Question: "phishing-resistant-admins", Title: "Do administrators need phishing-resistant MFA?", Verdict: access.GapFound,
				Reason: "5 of 5 accounts can sign in without it"},
		},
		Policies: []rehearse.Proposed{
			{Policy: mfa[0], Change: "new", State: "enabled"}, {Policy: legacy[0], Change: "new", State: "enabledForReportingButNotEnforced"},
			{Policy: "Block legacy mail", Change: "replaces", State: "enabled"},
		},
		Inputs: []evidence.Input{
			{Path: "exports/signIns.jsonl.gz", Bytes: 402_113, Format: "jsonl", Encoding: "utf-8", Compression: "gzip", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.SignIn: 702}},
			{Path: "exports/conditionalAccessPolicies.json", Bytes: 18_411, Format: "graph page", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 6}},
		},
	}
	for i := range 14 {
		r.Groups = append(r.Groups, rehearse.Group{Effect: rehearse.ChallengedAble, Account: fmt.Sprintf("m.lindqvist.%02d@contoso.com", i),
			ID: fmt.Sprintf("m%d", i), Class: directory.ClassMember, App: "Azure Portal", Client: "Browser", Rows: 10, Last: at(2+i, 8, 0),
			Reason: "would be asked for MFA, and the account has a method registered", Policies: mfa, WaysOut: []directory.WayOut{}, RecordID: "8d1f6d90-02",
			Source: log(100 + i)})
	}
	r.Groups = append(r.Groups, rehearse.Group{Effect: rehearse.UndecidedThen, Account: "r.tanaka@contoso.com", ID: "u6", Class: directory.ClassUnknown,
		App: "Office 365 SharePoint Online", Client: "Browser", Rows: 2, Last: at(9, 10, 0),
		Reason: "undecidable, because it hangs on the members of group Contractors", Policies: mfa, WaysOut: []directory.WayOut{}, Source: log(210)})
	return r
}

// Calm changes nothing.
func Calm() *rehearse.Result {
	r := Typical()
	r.Groups = []rehearse.Group{}
	for i := range r.Totals {
		r.Totals[i] = rehearse.Total{Effect: r.Totals[i].Effect}
	}
	r.Totals[len(r.Totals)-1] = rehearse.Total{Effect: rehearse.Unchanged, Rows: r.Rows, Accounts: 40}
	r.Before = r.After
	return r
}

// Empty rehearsed nothing.
func Empty() *rehearse.Result {
	return &rehearse.Result{Schema: rehearse.SchemaID, Proposal: "security defaults on", Totals: []rehearse.Total{}, Groups: []rehearse.Group{}, Sample: true}
}

// Huge breaks n accounts in as many ways.
func Huge(n int) *rehearse.Result {
	r := Typical()
	base := r.Groups
	r.Groups = nil
	for _, e := range rehearse.Effects() {
		if e == rehearse.Unchanged {
			continue
		}
		for i := range n {
			g := base[i%len(base)]
			g.Effect, g.ID, g.Account = e, fmt.Sprintf("h%06d", i), fmt.Sprintf("%06d.%s", i, g.Account)
			g.Rows = int64(i) * 1000
			r.Groups = append(r.Groups, g)
		}
	}
	for i := range r.Totals {
		r.Totals[i].Rows, r.Totals[i].Accounts = 512_345_678, n
	}
	r.Rows = 7 * 512_345_678
	return r
}

// Hostile has a mark in every text of a result.
func Hostile() *rehearse.Result {
	n := 0
	marks := pagetest.Marks
	next := func() string { n++; return marks[n%len(marks)] }
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -5*3600))
	r := Typical()
	r.Schema, r.Proposal, r.First, r.Last, r.Complete, r.Notes = next(), marks[2], &far, &far, false, append([]string{}, marks...)
	for i := range marks {
		r.Groups = append(r.Groups, rehearse.Group{Effect: rehearse.Effects()[i%6]})
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		if i%7 == 6 {
			g.Effect = rehearse.Effect(next())
		}
		g.Account, g.ID, g.Class, g.App, g.Client, g.Reason, g.RecordID = next(), next(), directory.Class(next()), next(), next(), next(), next()
		g.Policies, g.WaysOut, g.Last = []string{next()}, []directory.WayOut{{ID: next(), Text: next()}}, &far
		g.Rows, g.Source = int64(i)<<50, evidence.Source{Path: next(), Part: next(), Line: 1 << 40}
	}
	r.Totals[1].Rows, r.Totals[2].Accounts, r.Totals[3].Rows = 1<<60, 1<<40, -5
	r.Totals = append(r.Totals, rehearse.Total{Effect: rehearse.Effect(next()), Rows: 3, Accounts: 1})
	for i := range r.Before {
		r.Before[i] = rehearse.Proof{Question: next(), Title: next(), Verdict: access.ProofVerdict(next()), Reason: next()}
		r.After[i] = rehearse.Proof{Question: next(), Title: next(), Verdict: access.ProofVerdict(next()), Reason: next()}
	}
	for range marks {
		r.Policies = append(r.Policies, rehearse.Proposed{Policy: next(), Change: next(), State: next()})
	}
	r.Inputs[0].Path, r.Inputs[0].Status, r.Inputs[0].Notes = next(), evidence.Partial, []evidence.Note{{Message: next()}}
	return r
}
