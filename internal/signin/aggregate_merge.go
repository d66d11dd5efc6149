package signin

import "time"

// merge adds b, which must not be used again.
func (a *aggregate) merge(b *aggregate) {
	s, t := &a.sum, &b.sum
	s.Rows += t.Rows
	s.NoClock += t.NoClock
	s.OutOfRange += t.OutOfRange
	s.Verdicts.add(&t.Verdicts)
	s.Legacy.add(&t.Legacy)
	s.AOBO.add(&t.AOBO)
	s.DeviceCode += t.DeviceCode
	s.ROPC += t.ROPC
	s.CSPAdmin += t.CSPAdmin
	s.WithoutMFAFields += t.WithoutMFAFields
	for _, o := range [...]struct{ to, from *Others }{
		{&s.OtherDays, &t.OtherDays}, {&s.OtherApps, &t.OtherApps},
		{&s.OtherAccounts, &t.OtherAccounts}, {&s.OtherServicePrincipals, &t.OtherServicePrincipals},
	} {
		o.to.Rows += o.from.Rows
		o.to.Verdicts.add(&o.from.Verdicts)
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
	join(a.days, b.days, func(x, y *Counts) { x.add(y) })
	join(a.apps, b.apps, func(x, y *App) {
		x.Verdicts.add(&y.Verdicts)
		x.Legacy += y.Legacy
		x.AOBO += y.AOBO
		x.name.see(y.name.at, y.name.text)
	})
	join(a.principals, b.principals, func(x, y *ServicePrincipal) {
		x.ID = either(x.ID, y.ID)
		x.Rows += y.Rows
		x.Successes += y.Successes
		x.name.see(y.name.at, y.name.text)
		x.appID.see(y.appID.at, y.appID.text)
	})
	join(a.accounts, b.accounts, (*Account).merge)
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

func (acc *Account) merge(o *Account) {
	acc.UserID = either(acc.UserID, o.UserID)
	acc.Verdicts.add(&o.Verdicts)
	acc.AOBO.add(&o.AOBO)
	acc.Interactive.add(&o.Interactive)
	acc.NonInteractive.add(&o.NonInteractive)
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
	for _, w := range o.NotChallenged {
		acc.NotChallenged = addWitness(acc.NotChallenged, w)
	}
	for _, w := range o.Unknown {
		acc.Unknown = addWitness(acc.Unknown, w)
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
