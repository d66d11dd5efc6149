package fold

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// latest is the text of the newest row that had one; of two rows of the same
// instant the greater text stays.
type latest struct {
	at   clock
	text string
}

func (l *latest) see(at clock, text string) {
	if text == "" {
		return
	}
	if l.text != "" {
		d := at.compare(l.at)
		if d < 0 || d == 0 && text <= l.text {
			return
		}
		if text == l.text {
			l.at = at
			return
		}
	}
	l.at, l.text = at, strings.Clone(text)
}

// What the summary's lists are while they are added up.
type (
	app struct {
		signin.App
		name latest
	}
	principal struct {
		signin.ServicePrincipal
		name, appID latest
	}
	account struct {
		signin.Account
		upn, display, userType latest
		legacy, unchallenged   tally
		notChallenged, unknown []witness
	}
	witness struct {
		signin.Witness
		at    clock
		place place
	}
)

const (
	maxWitnesses = 3
	maxNames     = 64
)

// aggregate is a Summary in the making. Aggregates over parts of the rows
// merge to the aggregate over all of them.
type aggregate struct {
	opt Options
	st  *store
	sum signin.Summary

	reasons     [math.MaxUint8 + 1]int64
	first, last clock
	days        map[int64]*signin.Counts // by day number below zero, so that the newest sort first
	day         *signin.Counts           // of dayNumber
	dayNumber   int64
	apps        map[string]*app
	accounts    map[string]*account
	principals  map[string]*principal
	generation  int // of accounts and apps: grows when some are dropped
}

func newAggregate(opt Options, st *store) *aggregate {
	return &aggregate{
		opt: opt, st: st, days: make(map[int64]*signin.Counts), apps: make(map[string]*app),
		accounts: make(map[string]*account), principals: make(map[string]*principal),
		first: clock{sec: math.MaxInt64}, last: noClock,
	}
}

// add counts one row whose reason is final.
func (a *aggregate) add(r *row) {
	s := &a.sum
	s.Rows++
	s.Verdicts[r.verdict]++
	a.reasons[r.reason]++
	at := noClock
	if r.flags&flagCreated != 0 {
		at = r.created
		if at.compare(a.first) < 0 {
			a.first = at
		}
		if at.compare(a.last) > 0 {
			a.last = at
		}
		a.countDay(at, r.verdict)
	} else {
		s.NoClock++
	}
	if r.flags&(flagLegacy|flagAOBO|flagDeviceCode|flagROPC|flagCSPAdmin|flagMFAFields) != flagMFAFields {
		a.addRare(r)
	}
	if r.verdict == signin.NotUser {
		a.addPrincipal(r, at)
		return
	}
	a.addApp(r, at)
	a.addAccount(r, at)
}

func (a *aggregate) addRare(r *row) {
	s := &a.sum
	if r.flags&flagLegacy != 0 {
		s.Legacy[r.verdict]++
	}
	if r.flags&flagAOBO != 0 {
		s.AOBO[r.verdict]++
	}
	s.DeviceCode += flagged(r, flagDeviceCode)
	s.ROPC += flagged(r, flagROPC)
	s.CSPAdmin += flagged(r, flagCSPAdmin)
	s.WithoutMFAFields += 1 - flagged(r, flagMFAFields)
}

func flagged(r *row, flag uint32) int64 {
	if r.flags&flag != 0 {
		return 1
	}
	return 0
}

func (a *aggregate) countDay(at clock, v signin.Verdict) {
	n := at.sec / 86400
	if at.sec%86400 < 0 {
		n--
	}
	if a.day == nil || n != a.dayNumber {
		a.dayNumber, a.day = n, a.days[-n]
		if a.day == nil {
			a.day = new(signin.Counts)
			a.days[-n] = a.day
		}
	}
	a.day[v]++
	if len(a.days) > a.opt.MaxDays+a.opt.MaxDays/4+1 {
		a.pruneDays()
	}
}

// appOf is the app of a row, which is looked up once for each tuple.
func (a *aggregate) appOf(r *row) *app {
	w := r.words
	if w != nil && r.what != 0 {
		if w.known(a.generation); w.apps[r.what] != nil {
			return w.apps[r.what]
		}
	}
	key := texts.Lower(r.text[colAppID])
	if key == "" {
		key = "name:" + r.text[colAppName]
	}
	v := a.apps[key]
	if v == nil {
		key = strings.Clone(key)
		v = &app{App: signin.App{Key: key}}
		a.apps[key] = v
	}
	if w != nil && r.what != 0 {
		w.apps[r.what] = v
	}
	return v
}

func (a *aggregate) addApp(r *row, at clock) {
	v, id := a.appOf(r), r.text[colAppID]
	if tooMany(len(a.apps), a.opt.MaxApps) {
		defer a.pruneApps()
	}
	if v.ID == "" && id != "" {
		v.ID = v.Key
	}
	v.Verdicts[r.verdict]++
	v.Legacy += flagged(r, flagLegacy)
	v.AOBO += flagged(r, flagAOBO)
	v.name.see(at, r.text[colAppName])
}

func (a *aggregate) addPrincipal(r *row, at clock) {
	key := texts.Lower(r.text[colServicePrincipalID])
	if key == "" {
		key = texts.Lower(r.text[colAppID])
	}
	if key == "" {
		key = "name:" + texts.Either(r.text[colServicePrincipalName], r.text[colAppName])
	}
	p := a.principals[key]
	if p == nil {
		key = strings.Clone(key)
		p = &principal{ServicePrincipal: signin.ServicePrincipal{Key: key}}
		a.principals[key] = p
		if tooMany(len(a.principals), a.opt.MaxApps) {
			defer a.prunePrincipals()
		}
	}
	if p.ID == "" && r.text[colServicePrincipalID] != "" {
		p.ID = p.Key
	}
	p.Rows++
	p.Successes += flagged(r, flagSuccess)
	p.name.see(at, texts.Either(r.text[colServicePrincipalName], r.text[colAppName]))
	p.appID.see(at, r.text[colAppID])
}

// accountOf is the account of a row, which is looked up once for each tuple.
func (a *aggregate) accountOf(r *row) *account {
	w := r.words
	if w != nil && r.who != 0 {
		if w.known(a.generation); w.accounts[r.who] != nil {
			return w.accounts[r.who]
		}
	}
	key := r.accountKey()
	acc := a.accounts[key]
	if acc == nil {
		key = strings.Clone(key)
		acc = &account{Account: signin.Account{Key: key}}
		a.accounts[key] = acc
	}
	if w != nil && r.who != 0 {
		w.accounts[r.who] = acc
	}
	return acc
}

func (a *aggregate) addAccount(r *row, at clock) {
	acc := a.accountOf(r)
	if tooMany(len(a.accounts), a.opt.MaxAccounts) {
		defer a.pruneAccounts()
	}
	if id := r.text[colUserID]; acc.UserID == "" && id != "" && id != entra.NilID {
		acc.UserID = acc.Key
	}
	v := r.verdict
	acc.Verdicts[v]++
	switch {
	case r.flags&flagInteractive != 0:
		acc.Interactive[v]++
	case r.flags&flagNonInteractive != 0:
		acc.NonInteractive[v]++
	}
	acc.upn.see(at, r.text[colUPN])
	acc.display.see(at, r.text[colDisplayName])
	acc.userType.see(at, r.text[colUserType])
	if r.flags&(flagLegacy|flagAOBO|flagDeviceCode|flagROPC|flagCSPAdmin|flagMFAFields) != flagMFAFields {
		acc.addRare(r)
	}
	if r.flags&(flagSuccess|flagCreated) == flagSuccess|flagCreated && (acc.LastSignIn.IsZero() || clockOf(acc.LastSignIn).compare(at) < 0) {
		acc.LastSignIn = at.time()
	}
	switch v {
	case signin.NotChallenged:
		name := texts.Either(r.text[colAppName], r.text[colAppID])
		acc.OtherNotChallenged += acc.unchallenged.add(name, 1)
		if r.flags&flagCreated != 0 && (acc.LastNotChallenged.IsZero() || clockOf(acc.LastNotChallenged).compare(at) < 0) {
			acc.LastNotChallenged = at.time()
		}
		acc.notChallenged = a.witness(acc.notChallenged, r, at)
	case signin.Unknown:
		acc.unknown = a.witness(acc.unknown, r, at)
	}
}

func (acc *account) addRare(r *row) {
	if r.flags&flagLegacy != 0 && r.flags&flagSuccess != 0 {
		acc.OtherLegacy += acc.legacy.add(r.text[colClient], 1)
	}
	if r.flags&flagAOBO != 0 {
		acc.AOBO[r.verdict]++
	}
	acc.DeviceCode += flagged(r, flagDeviceCode)
	acc.ROPC += flagged(r, flagROPC)
	acc.CSPAdmin += flagged(r, flagCSPAdmin)
	acc.WithoutMFAFields += 1 - flagged(r, flagMFAFields)
}

// tally counts by name. The counts are pointers because assigning to an
// existing key of a map replaces the key, and ours may alias a page.
type tally map[string]*int64

// add counts n under name and keeps the maxNames smallest names; what is
// dropped for that comes back as its count.
func (t *tally) add(name string, n int64) (dropped int64) {
	if c := (*t)[name]; c != nil {
		*c += n
		return 0
	}
	if *t == nil {
		*t = make(tally)
	}
	(*t)[strings.Clone(name)] = &n
	if len(*t) <= maxNames {
		return 0
	}
	greatest := slices.Max(slices.Collect(maps.Keys(*t)))
	dropped = *(*t)[greatest]
	delete(*t, greatest)
	return dropped
}

func (t tally) counts() map[string]int64 {
	m := make(map[string]int64, len(t))
	for name, n := range t {
		m[name] = *n
	}
	return m
}

// witness puts the row into the list when it is among the newest.
func (a *aggregate) witness(list []witness, r *row, at clock) []witness {
	if len(list) == maxWitnesses {
		last := &list[maxWitnesses-1]
		if d := at.compare(last.at); d < 0 || d == 0 && r.text[colID] > last.ID {
			return list
		}
	}
	src := a.st.sources[r.source].Source
	src.Line, src.Index = int(r.line), int(r.index)
	w := witness{at: at, place: a.st.place(r), Witness: signin.Witness{
		ID: strings.Clone(r.text[colID]), App: strings.Clone(texts.Either(r.text[colAppName], r.text[colAppID])),
		Client: strings.Clone(r.text[colClient]), IP: strings.Clone(r.text[colIP]), Country: strings.Clone(r.text[colCountry]),
		Reason: r.reason, Source: src,
	}}
	if r.flags&flagCreated != 0 {
		w.Time = at.time()
	}
	return addWitness(list, w)
}

func addWitness(list []witness, w witness) []witness {
	list = append(list, w)
	slices.SortFunc(list, func(x, y witness) int {
		return cmp.Or(y.at.compare(x.at), strings.Compare(x.ID, y.ID), comparePlace(x.place, y.place))
	})
	return list[:min(len(list), maxWitnesses)]
}

// tooMany allows a list to overshoot by a quarter, so that pruning is rare.
func tooMany(n, limit int) bool { return n > limit+limit/4+1 }

// prune keeps the limit smallest keys of m. An entry that is not among them
// now never will be again, so the result does not depend on the order of rows.
func prune[K cmp.Ordered, V any](m map[K]V, limit int, drop func(V)) {
	if len(m) <= limit {
		return
	}
	keys := slices.Sorted(maps.Keys(m))
	for _, k := range keys[limit:] {
		drop(m[k])
		delete(m, k)
	}
}

func (a *aggregate) pruneApps() {
	a.generation++
	prune(a.apps, a.opt.MaxApps, func(v *app) { a.sum.OtherApps.Take(&v.Verdicts) })
}

func (a *aggregate) pruneAccounts() {
	a.generation++
	prune(a.accounts, a.opt.MaxAccounts, func(v *account) { a.sum.OtherAccounts.Take(&v.Verdicts) })
}

func (a *aggregate) prunePrincipals() {
	prune(a.principals, a.opt.MaxApps, func(v *principal) {
		a.sum.OtherServicePrincipals.Take(&signin.Counts{signin.NotUser: v.Rows})
	})
}

// pruneDays keeps the newest days.
func (a *aggregate) pruneDays() {
	prune(a.days, a.opt.MaxDays, a.sum.OtherDays.Take)
	a.day = nil
}

func (a *aggregate) result() signin.Summary {
	s := &a.sum
	a.pruneApps()
	a.pruneAccounts()
	a.prunePrincipals()
	a.pruneDays()
	if a.last != noClock {
		s.First, s.Last = a.first.time(), a.last.time()
	}
	s.Reasons = make(map[signin.Reason]int64)
	for r, n := range a.reasons {
		if n > 0 {
			s.Reasons[signin.Reason(r)] = n
		}
	}
	s.Days = make([]signin.Day, 0, len(a.days))
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(a.days))) {
		s.Days = append(s.Days, signin.Day{Date: time.Unix(-n*86400, 0).UTC().Format(time.DateOnly), Verdicts: *a.days[n]})
	}
	s.Apps = make([]signin.App, 0, len(a.apps))
	for _, k := range slices.Sorted(maps.Keys(a.apps)) {
		v := a.apps[k]
		v.Name = v.name.text
		s.Apps = append(s.Apps, v.App)
	}
	s.Accounts = make([]signin.Account, 0, len(a.accounts))
	for _, k := range slices.Sorted(maps.Keys(a.accounts)) {
		v := a.accounts[k]
		v.UserPrincipalName, v.DisplayName, v.UserType = v.upn.text, v.display.text, v.userType.text
		v.LegacySuccesses, v.NotChallengedApps = v.legacy.counts(), v.unchallenged.counts()
		v.NotChallenged, v.Unknown = witnesses(v.notChallenged), witnesses(v.unknown)
		s.Accounts = append(s.Accounts, v.Account)
		delete(a.accounts, k)
	}
	s.ServicePrincipals = make([]signin.ServicePrincipal, 0, len(a.principals))
	for _, k := range slices.Sorted(maps.Keys(a.principals)) {
		v := a.principals[k]
		v.Name, v.AppID = v.name.text, v.appID.text
		s.ServicePrincipals = append(s.ServicePrincipals, v.ServicePrincipal)
	}
	return *s
}

func witnesses(list []witness) (out []signin.Witness) {
	for i := range list {
		out = append(out, list[i].Witness)
	}
	return out
}
