//go:build !judge

package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/checkup"
	"partnerguard/internal/mfa"
	mfapages "partnerguard/internal/mfa/pages"
	"partnerguard/internal/notify"
	"partnerguard/internal/trail"
)

// makeMFA makes the people and factors of our own provider, and their pages.
func (i *Installation) makeMFA() (err error) {
	if i.MFA, err = mfa.New(mfa.Deps{DB: i.DB, Vault: i.Vault, Record: i.Trail, Last: i.lastOfFactors, Public: i.pagesAt(), Config: &i.Config.MFA, Now: i.Now,
		Log: i.Log}); err != nil {
		return err
	}
	i.MFAPages, err = mfapages.New(mfapages.Deps{Store: i.MFA, Now: i.Now, Log: i.Log})
	return err
}

// pagesAt is how people reach pages that are not the console's.
func (i *Installation) pagesAt() string {
	if i.Config.Web.PublicURL != "" {
		return i.Config.Web.PublicURL
	}
	scheme := "http://"
	if i.Config.Web.TLSCertificate != "" {
		scheme = "https://"
	}
	_, port, err := net.SplitHostPort(i.Config.Web.Listen)
	if err != nil {
		return scheme + "localhost"
	}
	return scheme + net.JoinHostPort("localhost", port)
}

// lastOfFactors gives the newest action that the trail has of a factor, an invitation, or
// what the help desk asked for.
func (i *Installation) lastOfFactors(ctx context.Context) (func(string) (audit.Action, error), error) {
	if i.DB.Tx(ctx) != nil { // what it reads may never be committed: nothing of it is remembered
		return func(object string) (audit.Action, error) {
			f, err := i.Trail.Search(ctx, trail.Query{Object: object, Limit: 1})
			if err != nil || len(f.Entries) == 0 {
				return "", err
			}
			return f.Entries[0].Action, nil
		}, nil
	}
	all, err := i.factorWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, []byte(`"action":"mfa.`)) },
		func(e *trail.Entry) (string, bool) { return e.Object, !ofPeople(e.Action) })
	return func(object string) (audit.Action, error) { return all[object], nil }, err
}

// ofPeople says that an action is of a person or a request, and of no row that is held to
// the trail. There is one with each answer, and all words are copied for a new one.
func ofPeople(a audit.Action) bool {
	switch a {
	case audit.MFAPassed, audit.MFARefused, audit.MFALocked, audit.MFAUnlocked, audit.MFAAsked, audit.MFAAnswered:
		return true
	}
	return false
}

// mfaNews is how long a reset or a new factor stays among the alerts: somebody who knows
// that it was not the person sees it in time.
const mfaNews = 24 * time.Hour

// factorAlerts are what is wrong with people's factors, or should be seen: one alert a
// kind, so that many people locked at once are one.
func (i *Installation) factorAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.MFA == nil {
		return nil, false, nil
	}
	lines, err := i.MFA.Lines(ctx)
	if err != nil {
		return nil, false, err
	}
	clock, err := i.MFA.Clock(ctx)
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	by := map[string]*alert.Finding{}
	add := func(key string, f alert.Finding, who string, since time.Time) {
		at := by[key]
		if at == nil {
			f.Key, f.Kind, f.Unit, f.Since, f.Path = "factors:"+key, alert.Factors, "people", since, "/factors"
			at = &f
			by[key] = at
		}
		if since.Before(at.Since) {
			at.Since = since
		}
		if !slices.Contains(at.Subjects, who) {
			at.Count++
			if len(at.Subjects) < alert.MaxSubjects {
				at.Subjects = append(at.Subjects, who)
			}
		}
	}
	for k := range lines {
		factorsOf(&lines[k], now, add)
	}
	if clock.Wrong() {
		by["clock"] = &alert.Finding{Key: "factors:clock", Kind: alert.Factors, Severity: notify.Urgent, Title: "This server's clock may be wrong",
			Cause: fmt.Sprintf("Passcodes of %d people in a day fitted at another time alone, about %s off.", max(clock.Ahead, clock.Behind),
				clock.Off.Abs().Round(time.Second)), Command: "partnerguard doctor", Path: "/factors",
			Fix: "look at the time service of this machine before more people are kept out"}
	}
	for _, key := range slices.Sorted(maps.Keys(by)) {
		slices.Sort(by[key].Subjects)
		out = append(out, *by[key])
	}
	return out, true, nil
}

// factorsOf adds what there is of one person.
func factorsOf(l *mfa.Line, now time.Time, add func(key string, f alert.Finding, who string, since time.Time)) {
	who := cmp.Or(l.Login, l.Called())
	if !l.Locked.IsZero() {
		add("locked", alert.Finding{Severity: notify.Warning, Title: "Accounts wait after wrong second factors",
			Cause: "Somebody gave wrong passcodes or keys: the person, or who has their password.", Command: "partnerguard mfa users",
			Fix: "ask the person; where it was somebody else, have the password changed"}, who, now)
	}
	for _, n := range l.Notes {
		if n.Kind == mfa.NoteNotMe && now.Sub(n.At) < mfaNews {
			add("not-me", alert.Finding{Severity: notify.Urgent, Title: "People say that a sign-in was not theirs",
				Cause:   "Somebody signed in with their password and was stopped at the second factor.",
				Command: "partnerguard mfa users", Fix: "have the password changed and the sessions revoked at Entra ID"}, who, n.At)
		}
		if n.Kind == mfa.NoteCopied && now.Sub(n.At) < mfaNews {
			add("copied", alert.Finding{Severity: notify.Urgent, Title: "A security key may have been copied", Cause: "Its counter went backwards.",
				Command: "partnerguard mfa factors", Fix: "take the key away, and set another up"}, who, n.At)
		}
	}
	refused := l.Refused != ""
	for _, f := range l.Factors {
		if refused = refused || f.Refused != ""; f.Refused == "" && f.Kind != mfa.Recovery && now.Sub(f.Made) < mfaNews {
			add("new", alert.Finding{Severity: notify.Notice, Title: "New second factors were set up",
				Cause:   "Whoever sets one up can sign in with it from now on.",
				Command: "partnerguard mfa factors", Fix: "nothing, where the person did it; else take it away"}, who, f.Made)
		}
	}
	if refused {
		add("forged", alert.Finding{Severity: notify.Urgent, Title: "Factors were changed by something else",
			Cause:   "Rows of the database are not as they were written.",
			Command: "partnerguard vault check", Fix: "find out who writes into the database; the factors do not count"}, who, now)
	}
	for _, a := range l.Acts {
		if a.State == mfa.Asked {
			add("asked", alert.Finding{Severity: notify.Notice, Title: "The help desk asks for a second person",
				Cause:   "A reset, a pass or recovery codes wait for a yes.",
				Command: "partnerguard mfa users", Fix: "another person of the help desk approves or withdraws it"}, who, a.Asked)
		}
	}
	for _, a := range l.Done {
		if a.What == mfa.ActReset && a.State == mfa.Approved && now.Sub(a.Decided) < mfaNews {
			add("reset", alert.Finding{Severity: notify.Warning, Title: "Accounts' factors were reset",
				Cause:   "Every factor was taken away, and a new invitation given.",
				Command: "partnerguard mfa users", Fix: "nothing, where the person asked for it; else block the account"}, who, a.Decided)
		}
	}
}

// lookFactors says how our provider's people stand, where there are any.
func (i *Installation) lookFactors(ctx context.Context) (list []checkup.Finding, err error) {
	lines, err := i.MFA.Lines(ctx)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	c, err := i.MFA.Clock(ctx)
	if err != nil {
		return nil, err
	}
	if c.Wrong() {
		list = append(list, checkup.Finding{Level: checkup.Bad,
			Text: fmt.Sprintf("passcodes of %d people in a day fitted %s off alone: this machine's clock is wrong",
				max(c.Ahead, c.Behind), c.Off.Abs()), Fix: "timedatectl status; set the clock by a time service"})
	}
	var none []string
	forged := 0
	for k := range lines {
		l := &lines[k]
		if l.Rank() == 0 {
			forged++
		} else if l.Strongest == "" {
			none = append(none, l.Called())
		}
	}
	if forged > 0 {
		list = append(list, checkup.Finding{Level: checkup.Bad,
			Text: fmt.Sprintf("factors of %d people were changed by something else, and do not count", forged),
			Fix:  "partnerguard vault check"})
	}
	if len(none) > 0 {
		list = append(list, checkup.Finding{Level: checkup.Warning,
			Text: fmt.Sprintf("%d of %d people have no second factor: %s", len(none), len(lines),
				strings.Join(none[:min(len(none), 3)], ", ")), Fix: "partnerguard mfa users"})
	}
	if !i.MFA.TakesKeys() {
		list = append(list, checkup.Finding{Level: checkup.Warning, Text: "security keys cannot be used at " + i.MFA.Public(),
			Fix: "set publicURL to an https address with a name"})
	}
	if len(list) == 0 {
		list = append(list, checkup.Finding{Level: checkup.Well, Text: fmt.Sprintf("%d people have a second factor of ours", len(lines))})
	}
	return list, nil
}
