package assess

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// tally brings the engine's counts to the report's form.
func tally(c signin.Counts) Tally {
	return Tally{
		Challenged: c.Of(signin.Challenged), SatisfiedByClaim: c.Of(signin.SatisfiedByClaim), SatisfiedByProvider: c.Of(signin.SatisfiedByProvider),
		NotChallenged: c.Of(signin.NotChallenged), Unknown: c.Of(signin.Unknown), Interrupted: c.Of(signin.Interrupted), Failed: c.Of(signin.Failed),
		NotUser: c.Of(signin.NotUser),
	}
}

// maxApps bounds the applications listed in a report.
const maxApps = 50

// signIns brings the summary to the report's form.
func (a *assessor) signIns() SignIns {
	out := SignIns{Days: []Day{}, Apps: []AppTally{}, Reasons: map[string]int64{}}
	s := a.SignIns
	if s == nil {
		return out
	}
	out.Rows, out.Duplicates, out.OutOfRange = s.Rows, s.Duplicates, s.OutOfRange
	out.First, out.Last = ref(s.First), ref(s.Last)
	out.Total, out.Legacy, out.AOBO = tally(s.Verdicts), tally(s.Legacy), tally(s.AOBO)
	for _, d := range s.Days {
		out.Days = append(out.Days, Day{Date: d.Date, Tally: tally(d.Verdicts)})
	}
	for r, n := range s.Reasons {
		out.Reasons[r.String()] = n
	}
	for _, app := range s.Apps {
		out.Apps = append(out.Apps, AppTally{AppID: app.ID, Name: app.Name, Tally: tally(app.Verdicts)})
	}
	sort.SliceStable(out.Apps, func(i, j int) bool {
		x, y := &out.Apps[i], &out.Apps[j]
		if x.NotChallenged != y.NotChallenged {
			return x.NotChallenged > y.NotChallenged
		}
		return x.Unknown > y.Unknown
	})
	if len(out.Apps) > maxApps {
		out.Apps = out.Apps[:maxApps]
	}
	return out
}

// successes counts the user sign-ins that succeeded, judged or not.
func successes(c signin.Counts) int64 {
	return c.Proven() + c.Of(signin.NotChallenged) + c.Of(signin.Unknown)
}

func (a *assessor) providerRows() int64 { return a.SignIns.Verdicts.Of(signin.SatisfiedByProvider) }

// witness turns a row of the log into evidence.
func witness(subject string, w signin.Witness) Evidence {
	detail := w.Reason.Text()
	var where []string
	if w.App != "" {
		where = append(where, w.App)
	}
	if w.Client != "" {
		where = append(where, w.Client)
	}
	if w.IP != "" {
		from := "from " + w.IP
		if w.Country != "" {
			from += " (" + w.Country + ")"
		}
		where = append(where, from)
	}
	if len(where) > 0 {
		detail = strings.Join(where, ", ") + ": " + detail
	}
	return Evidence{Subject: subject, Detail: detail, Observed: ref(w.Time), RecordID: w.ID, Source: w.Source}
}

func subjectOf(s *signin.Account) string {
	switch {
	case s.UserPrincipalName != "":
		return s.UserPrincipalName
	case s.DisplayName != "":
		return s.DisplayName
	case s.UserID != "":
		return s.UserID
	}
	return "(no user named)"
}

// inScopeLog calls f for every account of the log that the requirement binds.
// Rows of accounts that are out of scope (directory synchronisation, disabled
// since) do not decide anything.
func (a *assessor) inScopeLog(f func(*signin.Account)) {
	if a.SignIns == nil {
		return
	}
	out := map[string]bool{}
	for i := range a.accounts {
		if acc := &a.accounts[i]; acc.Class == string(directory.ClassDirectorySync) {
			out[strings.ToLower(acc.ID)] = true
			out[strings.ToLower(acc.UserPrincipalName)] = true
		}
	}
	for i := range a.SignIns.Accounts {
		if s := &a.SignIns.Accounts[i]; s.Key == "" || !out[s.Key] {
			f(s)
		}
	}
}

// period says which stretch of time the rows cover, in words: "from 2026-10-21
// to 2026-11-20".
func (a *assessor) period() string {
	s := a.SignIns
	switch {
	case s == nil || s.First.IsZero():
		return "whose clocks cannot be read"
	case s.First.Format(time.DateOnly) == s.Last.Format(time.DateOnly):
		return "of " + s.First.Format(time.DateOnly)
	}
	return "from " + s.First.Format(time.DateOnly) + " to " + s.Last.Format(time.DateOnly)
}

// noneRecorded is the clause "and no recorded sign-in from ... to ... did",
// which may be said only of rows that were read. Without any it is said that
// there were none, and of half a log nothing is said.
func (a *assessor) noneRecorded(did string) string {
	switch s := a.SignIns; {
	case len(a.cuts(evidence.SignIn)) > 0:
		return ""
	case s == nil || s.Rows == 0:
		if text, _ := a.unlicensed(); text != "" {
			return "; " + text
		}
		return "; no sign-in log was read"
	}
	return fmt.Sprintf(", and no recorded sign-in %s %s", a.period(), did)
}

// logCount is what the rows of accounts in scope say.
type logCount struct {
	open, all, unsure int64
	evidence          []Evidence
	maybe             []Evidence // of an account that may be directory synchronisation
}

func (a *assessor) countLog() (c logCount) {
	a.inScopeLog(func(s *signin.Account) {
		c.all += successes(s.Verdicts)
		c.unsure += s.Verdicts.Of(signin.Unknown)
		n := s.Verdicts.Of(signin.NotChallenged)
		if n == 0 {
			return
		}
		list := &c.evidence
		if a.maySync(s.Key, s.UserPrincipalName, s.DisplayName) {
			list = &c.maybe
		} else {
			c.open += n
		}
		for _, w := range s.NotChallenged {
			*list = append(*list, witness(subjectOf(s), w))
		}
	})
	return c
}

// maySync reports an account that may be that of directory synchronisation and
// whose roles, which alone would show it, were not all read.
func (a *assessor) maySync(key, upn, displayName string) bool {
	if !a.rolesKnown {
		return directory.NamedLikeSync(upn, displayName)
	}
	signs := directory.Signs{Roles: a.roles[key]}
	return a.rolesPartly && signs.MaySync()
}

func (a *assessor) mfaEverySignIn() ruling {
	log, center := a.countLog(), a.centerRecords()
	const act = "require MFA for all users and all apps without location, device or account exclusions; then move what cannot answer to its way out"
	p := a.proof("mfa-every-sign-in")
	gaps := a.gapEvidence(p)
	and := ""
	if len(gaps) > 0 {
		and = fmt.Sprintf("; by the settings %s can", count(p.Open, "account", "accounts"))
	}
	all := int(log.all)
	switch {
	case log.open > 0:
		return ruling{verdict: NotMet, affected: int(log.open), total: all, evidence: slices.Concat(log.evidence, center, gaps), action: act,
			reason: fmt.Sprintf("%s without MFA being asked for%s", count(int(log.open), "sign-in succeeded", "sign-ins succeeded"), and)}
	case len(center) > 0:
		return ruling{verdict: NotMet, affected: len(center), total: max(all, len(center)), evidence: append(center, gaps...), action: act,
			reason: fmt.Sprintf("Partner Center records %s without an MFA claim%s", a.centerCount(), and)}
	case len(gaps) > 0:
		did := a.noneRecorded("did")
		return ruling{verdict: NotMet, evidence: gaps, action: act, relies: a.policyLists(),
			reason: fmt.Sprintf("the settings let %s sign in without MFA%s", count(p.Open, "account", "accounts"), did)}
	case len(log.maybe) > 0:
		return ruling{verdict: Unknown, total: all, evidence: log.maybe, against: true, action: evidence.RequestFor(evidence.RoleAssignment),
			reason: "an account that may be that of directory synchronisation signed in without MFA; only its role would excuse it, and the role " +
				"assignments were not all read"}
	case p != nil && p.Verdict == access.Proved:
		reason := fmt.Sprintf("the settings ask for MFA at every sign-in of %s", every(p.Accounts, "account", "accounts")) + a.noneRecorded("went without")
		if log.unsure > 0 && len(a.cuts(evidence.SignIn)) == 0 {
			reason += fmt.Sprintf(" (%s whether MFA was done)", count(int(log.unsure), "row does not show", "rows do not show"))
		}
		return a.withCenter(ruling{verdict: Met, total: all, evidence: a.enforcedRows(), reason: reason, heeds: against})
	case a.SignIns == nil || all == 0:
		first := "no successful user sign-in is in the export"
		text, _ := a.unlicensed()
		if text != "" {
			first = text
		}
		r := unproved(a, p, 0, first)
		if p == nil && text == "" {
			r.action = "export /beta/auditLogs/signIns, interactive and non-interactive (AuditLog.Read.All, Entra ID P1), and the Conditional Access policies"
		}
		return r
	case log.unsure > 0:
		r := unproved(a, p, all, fmt.Sprintf("none of %s is shown to lack MFA, but %d do not carry what would prove it",
			count(all, "recorded success", "recorded successes"), log.unsure))
		r.evidence = a.unknownRows()
		return r
	}
	return unproved(a, p, all, fmt.Sprintf("%s carried MFA", every(all, "recorded success", "recorded successes")))
}

// unknownRows shows a few rows that could not be decided, and why.
func (a *assessor) unknownRows() (ev []Evidence) {
	a.inScopeLog(func(s *signin.Account) {
		for _, w := range s.Unknown {
			ev = append(ev, witness(subjectOf(s), w))
		}
	})
	return ev
}

func (a *assessor) secureApplicationModel() ruling {
	var ev []Evidence
	var total int
	var requests int64
	worst := ""
	for _, u := range a.apiUse() {
		if u.total == 0 {
			continue
		}
		total++
		requests += u.total
		if u.compliant < u.total {
			e := a.shortOf(&u)
			ev = append(ev, e)
			if worst == "" {
				worst = fmt.Sprintf(" (%s: %d of %d requests)", e.Subject, u.total-u.compliant, u.total)
			}
		}
	}
	byRequest := a.requestsWithoutMFA()
	const act = "consent again with MFA: capture the integration's consent once more under a fresh MFA prompt and keep its refresh token in a vault; " +
		"see automation-without-user-credentials for stored passwords"
	switch {
	case len(ev) > 0:
		return ruling{verdict: NotMet, affected: len(ev), total: total, evidence: append(ev, byRequest...), action: act,
			reason: fmt.Sprintf("%s Partner Center without MFA%s", count(len(ev), "integration calls", "integrations call"), worst)}
	case len(byRequest) > 0:
		return ruling{verdict: NotMet, affected: len(byRequest), total: len(a.Requests), evidence: byRequest, action: act,
			reason: fmt.Sprintf("%s without an MFA claim", count(len(byRequest), "API request was made", "API requests were made"))}
	}
	auto := a.automation()
	why, kind := a.centerUnread()
	switch {
	case auto.verdict == NotMet:
		return ruling{verdict: NotMet, affected: auto.affected, total: auto.total, evidence: auto.evidence, action: act,
			reason: "scripts or services sign in with stored user credentials instead"}
	case why != "":
		return ruling{verdict: Unknown, total: total, reason: why, action: evidence.RequestFor(kind)}
	case total > 0 && auto.verdict == Met:
		return ruling{verdict: Met, total: total, relies: append([]evidence.Kind{evidence.MFAAdoption}, auto.relies...), heeds: against,
			reason: fmt.Sprintf("all %d API requests of %s carried MFA, and no sign-in with stored credentials was seen", requests,
				count(total, "integration", "integrations"))}
	case total > 0:
		return ruling{verdict: Unknown, total: total,
			reason: fmt.Sprintf("all %d API requests of %s carried MFA, but whether other integrations store credentials is not shown", requests,
				count(total, "integration", "integrations")), action: auto.action}
	}
	return ruling{verdict: Unknown, reason: "the API requests of the integrations are not in the export",
		action: "export GET /v1/applicationmfaadoptionstatus (App+User) and the sign-in logs"}
}

// window says how long the log is and whether it can show what is asked of it:
// at least 30 days, non-interactive rows among them.
func (a *assessor) window() (days int, enough bool, rows int64) {
	s := a.SignIns
	if s == nil || s.First.IsZero() {
		return 0, false, 0
	}
	var nonInteractive int64
	for i := range s.Accounts {
		nonInteractive += s.Accounts[i].NonInteractive.Total()
	}
	span := s.Last.Sub(s.First)
	return int(span.Hours()/24) + 1, span >= 29*24*time.Hour && nonInteractive > 0, s.Rows
}

func (a *assessor) automation() ruling {
	var sure, possible []Evidence
	all := 0
	a.inScopeLog(func(*signin.Account) { all++ })
	accounts := map[string]bool{}
	if a.o.Automation != nil {
		for _, it := range a.o.Automation.Items {
			if acc := a.account(it.Account); acc != nil && acc.Class == string(directory.ClassDirectorySync) {
				continue // out of scope, as its sign-ins are
			}
			if !it.Sure {
				possible = append(possible, it.Evidence)
				continue
			}
			sure = append(sure, it.Evidence)
			accounts[it.Account] = true
		}
	}
	const act = "move each script to the Secure Application Model or to its own service principal, then disable the account; partnerguard automation lists them"
	if n := len(accounts); n > 0 {
		return ruling{verdict: NotMet, affected: n, total: max(all, n), evidence: sure, action: act,
			reason: fmt.Sprintf("%s in with stored user credentials", count(n, "account signs", "accounts sign"))}
	}
	days, enough, rows := a.window()
	const longer = "export at least 30 days of sign-ins, interactive and non-interactive"
	switch {
	case days == 0:
		return ruling{verdict: Unknown, reason: "no sign-in log is in the export", action: longer}
	case a.o.Automation == nil:
		return ruling{verdict: Unknown, reason: "the log was not searched for scripts and services", action: longer}
	case a.o.Automation.Incomplete != "":
		return ruling{verdict: Unknown, total: all, evidence: possible, reason: "none is sure, but " + a.o.Automation.Incomplete, action: act}
	case len(possible) > 0:
		return ruling{verdict: Unknown, total: all, evidence: possible, action: "look at each: partnerguard automation says what speaks for and against it",
			reason: fmt.Sprintf("none is sure, but %s be a script or service that signs in as a user",
				count(len(possible), "sign-in pattern may", "sign-in patterns may"))}
	case enough:
		return ruling{verdict: Met, total: all, relies: []evidence.Kind{evidence.SignIn},
			reason: fmt.Sprintf("no script or service signs in with user credentials, by %d rows of %d days", rows, days)}
	}
	return ruling{verdict: Unknown, reason: fmt.Sprintf("none seen, but a log of %s cannot show their absence", count(days, "day", "days")), action: longer}
}

func (a *assessor) logAccess() ruling {
	s := a.SignIns
	text, src := a.unlicensed()
	switch {
	case s != nil && s.Rows > s.WithoutMFAFields && s.Rows > s.Verdicts.Of(signin.NotUser):
		return ruling{verdict: Met, total: int(s.Rows), relies: []evidence.Kind{evidence.SignIn}, reason: fmt.Sprintf("%s read that can show MFA",
			count(int(s.Rows-s.WithoutMFAFields), "row was", "rows were"))}
	case s != nil && s.Rows > 0:
		return ruling{verdict: Unknown, total: int(s.Rows), reason: "sign-ins were read, but only in a form that cannot show MFA",
			action: "export from /beta/auditLogs/signIns instead of v1.0"}
	case text != "":
		return ruling{verdict: NotMet, affected: 1, total: 1, reason: text, action: "add Entra ID P1 or P2",
			evidence: []Evidence{{Subject: "sign-in log", Detail: "Microsoft Graph refused it for want of a premium licence", Source: src}}}
	case a.Whole(evidence.SubscribedSku) && !a.Directory.HasServicePlan("AAD_PREMIUM", "AAD_PREMIUM_P2"):
		return ruling{verdict: NotMet, affected: 1, total: 1, relies: []evidence.Kind{evidence.SubscribedSku},
			reason: "no licence in force carries Entra ID P1 or P2, without which the sign-in logs cannot be exported", action: "add Entra ID P1 or P2"}
	}
	return ruling{verdict: Unknown, reason: "no sign-in log is in the export", action: "export " + evidence.RequestFor(evidence.SignIn) + " (Entra ID P1)"}
}

func nonEmpty(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

func distinctSubjects(ev []Evidence) int {
	seen := map[string]bool{}
	for i := range ev {
		seen[strings.ToLower(ev[i].Subject)] = true
	}
	return len(seen)
}

// appName finds an app's name by its app id, or gives the id back.
func (a *assessor) appName(appID string) string {
	for _, s := range sorted(a.Directory.ServicePrincipals) {
		if strings.EqualFold(s.AppID, appID) && s.DisplayName != "" {
			return s.DisplayName
		}
	}
	for _, s := range sorted(a.Directory.Applications) {
		if strings.EqualFold(s.AppID, appID) && s.DisplayName != "" {
			return s.DisplayName
		}
	}
	return appID
}
