package fold

import (
	"time"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// merge adds b, which must not be used again.
func (a *aggregate) merge(b *aggregate) {
	s, t := &a.sum, &b.sum
	s.Rows += t.Rows
	s.NoClock += t.NoClock
	s.OutOfRange += t.OutOfRange
	s.Verdicts.Add(&t.Verdicts)
	s.Legacy.Add(&t.Legacy)
	s.AOBO.Add(&t.AOBO)
	s.DeviceCode += t.DeviceCode
	s.ROPC += t.ROPC
	s.CSPAdmin += t.CSPAdmin
	s.WithoutMFAFields += t.WithoutMFAFields
	for _, o := range [...]struct{ to, from *signin.Others }{
		{&s.OtherDays, &t.OtherDays}, {&s.OtherApps, &t.OtherApps},
		{&s.OtherAccounts, &t.OtherAccounts}, {&s.OtherServicePrincipals, &t.OtherServicePrincipals},
	} {
		o.to.Rows += o.from.Rows
		o.to.Verdicts.Add(&o.from.Verdicts)
	}
	for i, n := range b.reasons {
		a.reasons[i] += n
	}
	if b.first.compare(a.first) < 0 {
		a.first = b.first
	}
	if b.last.compare(a.last) > 0 {
		a.last = b.last
	}
	join(a.days, b.days, func(x, y *signin.Counts) { x.Add(y) })
	join(a.apps, b.apps, func(x, y *app) {
		x.Verdicts.Add(&y.Verdicts)
		x.Legacy += y.Legacy
		x.AOBO += y.AOBO
		x.name.see(y.name.at, y.name.text)
	})
	join(a.principals, b.principals, func(x, y *principal) {
		x.ID = texts.Either(x.ID, y.ID)
		x.Rows += y.Rows
		x.Successes += y.Successes
		x.name.see(y.name.at, y.name.text)
		x.appID.see(y.appID.at, y.appID.text)
	})
	join(a.accounts, b.accounts, (*account).merge)
	a.day = nil
	a.pruneDays()
	a.pruneApps()
	a.pruneAccounts()
	a.prunePrincipals()
}

func join[K comparable, V any](to, from map[K]V, add func(x, y V)) {
	for k, y := range from {
		if x, ok := to[k]; ok {
			add(x, y)
		} else {
			to[k] = y
		}
	}
}

func (acc *account) merge(o *account) {
	acc.UserID = texts.Either(acc.UserID, o.UserID)
	acc.Verdicts.Add(&o.Verdicts)
	acc.AOBO.Add(&o.AOBO)
	acc.Interactive.Add(&o.Interactive)
	acc.NonInteractive.Add(&o.NonInteractive)
	acc.OtherLegacy += o.OtherLegacy
	for name, n := range o.legacy {
		acc.OtherLegacy += acc.legacy.add(name, *n)
	}
	acc.OtherNotChallenged += o.OtherNotChallenged
	for name, n := range o.unchallenged {
		acc.OtherNotChallenged += acc.unchallenged.add(name, *n)
	}
	acc.DeviceCode += o.DeviceCode
	acc.ROPC += o.ROPC
	acc.CSPAdmin += o.CSPAdmin
	acc.WithoutMFAFields += o.WithoutMFAFields
	acc.LastSignIn = later(acc.LastSignIn, o.LastSignIn)
	acc.LastNotChallenged = later(acc.LastNotChallenged, o.LastNotChallenged)
	for _, w := range o.notChallenged {
		acc.notChallenged = addWitness(acc.notChallenged, w)
	}
	for _, w := range o.unknown {
		acc.unknown = addWitness(acc.unknown, w)
	}
	acc.upn.see(o.upn.at, o.upn.text)
	acc.display.see(o.display.at, o.display.text)
	acc.userType.see(o.userType.at, o.userType.text)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
