package assess

import (
	"fmt"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// legacyUse lists the accounts that signed in with a client that pick takes.
func (a *assessor) legacyUse(pick func(client string) bool) (ev []Evidence, all int) {
	a.inScopeLog(func(s *signin.Account) {
		all++
		var names []string
		var n int64
		for _, c := range sortedKeys(s.LegacySuccesses) {
			if pick(c) {
				names = append(names, c)
				n += s.LegacySuccesses[c]
			}
		}
		if len(names) == 0 {
			return
		}
		e := Evidence{Subject: subjectOf(s), Detail: fmt.Sprintf("%s by %s", count(int(n), "sign-in", "sign-ins"), list(names, 3)), Observed: ref(s.LastSignIn)}
		for _, w := range s.NotChallenged {
			if signin.IsLegacyClient(w.Client) {
				e.Observed, e.RecordID, e.Source = ref(w.Time), w.ID, w.Source
				break
			}
		}
		if e.Source.Path == "" {
			e.Source = a.sourceOf(s.Key)
		}
		ev = append(ev, e)
	})
	return ev, all
}

func (a *assessor) legacyAuthentication() ruling {
	ev, all := a.legacyUse(func(string) bool { return true })
	if len(ev) > 0 {
		return ruling{verdict: NotMet, affected: len(ev), total: all, evidence: ev,
			reason: fmt.Sprintf("%s in with a protocol that cannot carry MFA", count(len(ev), "account signs", "accounts sign")),
			action: "give each its way out, then block legacy authentication for all users (Exchange ActiveSync and other clients)"}
	}
	p := a.proof("legacy-blocked")
	switch {
	case p != nil && p.Verdict == access.GapFound:
		return ruling{verdict: NotMet, affected: p.Open, total: p.Accounts, evidence: a.gapEvidence(p),
			reason: fmt.Sprintf("the settings let %s sign in by legacy protocols", count(p.Open, "account", "accounts")),
			action: "enable a policy that blocks legacy authentication for all users (Exchange ActiveSync and other clients)", relies: a.policyLists()}
	case p != nil && p.Verdict == access.Proved:
		return ruling{verdict: Met, total: p.Accounts, heeds: []evidence.Kind{evidence.SignIn},
			reason: "the settings stop legacy authentication for every account" + a.noneRecorded("used it")}
	}
	if days, _, rows := a.window(); days > 0 {
		return unproved(a, p, all, fmt.Sprintf("none among %d rows of %s", rows, count(days, "day", "days")))
	}
	return unproved(a, p, 0, "no sign-in log is in the export")
}

func (a *assessor) modernClients() ruling {
	ev, all := a.legacyUse(directory.OldMailClient)
	if len(ev) > 0 {
		return ruling{verdict: NotMet, affected: len(ev), total: all, evidence: ev,
			reason: fmt.Sprintf("%s a mail client without modern authentication", count(len(ev), "account uses", "accounts use")),
			action: `upgrade to Outlook 2013 SP1 or later; on 2013 set EnableADAL=1 and Version=1 under HKCU\SOFTWARE\Microsoft\Office\15.0\Common\Identity`}
	}
	if days, enough, rows := a.window(); enough {
		return ruling{verdict: Met, total: all, relies: []evidence.Kind{evidence.SignIn}, reason: fmt.Sprintf("no old mail client among %d rows of %d days",
			rows, days)}
	} else if days > 0 {
		return ruling{verdict: Unknown, reason: fmt.Sprintf("none seen, but a log of %s cannot show their absence", count(days, "day", "days")),
			action: "export at least 30 days of sign-ins"}
	}
	return ruling{verdict: Unknown, reason: "no sign-in log is in the export", action: "export at least 30 days of sign-ins"}
}

func (a *assessor) appPasswords() ruling {
	var ev []Evidence
	for _, r := range sorted(a.Directory.Registrations) {
		for _, m := range r.MethodsRegistered {
			if strings.EqualFold(m, "appPassword") {
				ev = append(ev, Evidence{Subject: nonEmpty(r.UserPrincipalName, r.ID), Detail: "an app password is registered",
					Observed: ref(r.LastUpdated.Time), RecordID: r.ID, Source: r.Source})
			}
		}
	}
	a.inScopeLog(func(s *signin.Account) {
		for _, w := range s.NotChallenged {
			if w.Reason == signin.ReasonSkippedAppPassword {
				ev = append(ev, witness(subjectOf(s), w))
				break
			}
		}
	})
	if len(ev) > 0 {
		return ruling{verdict: NotMet, affected: distinctSubjects(ev), total: len(a.accounts), evidence: ev,
			reason: fmt.Sprintf("%s app passwords", count(distinctSubjects(ev), "account has or uses", "accounts have or use")),
			action: "replace them by modern authentication, delete them, and switch their creation off; a password reset does not revoke them"}
	}
	return ruling{verdict: Unknown, reason: "no export lists app passwords reliably; none was seen",
		action: "check the MFA service settings: app passwords should not be allowed"}
}
