package fold

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// taken is one event as the reference sees it.
type taken struct {
	e   signin.Event
	src signin.SourceRef
}

// reference is the slow and obvious fold: everything in memory, loops over
// loops, nothing shared with the real one but Judge, the names of the output
// types and the cell writer.
func reference(t testing.TB, opt Options, in []taken) (jsonText, csvText string) {
	t.Helper()
	opt = opt.withDefaults()
	rows, s := surviving(opt, in)
	return summarise(t, opt, rows, s)
}

// item is one row of the reference.
type item struct {
	taken
	j    signin.Judgement
	keep bool
	row  row

	session time.Time // the clock sessions are joined by
}

// place orders items by where they stand in the input.
func (a *item) place(b *item) int {
	x, y := a.src, b.src
	for _, d := range []int{x.Seq - y.Seq, strings.Compare(x.Path, y.Path), strings.Compare(x.Part, y.Part), x.Line - y.Line, x.Index - y.Index} {
		if d != 0 {
			return d
		}
	}
	return 0
}

// surviving are the rows that are counted, in input order and with their final
// reasons, and a summary that knows what was left out.
func surviving(opt Options, in []taken) (rows []*item, s signin.Summary) {
	groups := map[string][]*item{}
	orders, steps := referenceClocks(in, &s), map[string][]signin.Step{}
	outside := func(c time.Time) bool {
		return !opt.Since.IsZero() && c.Before(opt.Since) || !opt.Until.IsZero() && !c.Before(opt.Until)
	}
	joinKey := func(id string) string {
		if len(id) == 36 && strings.Count(id, "-") == 4 {
			id = strings.ToLower(id)
		}
		return id
	}
	details := slices.Clone(in)
	slices.SortStableFunc(details, func(a, b taken) int { return (&item{taken: a}).place(&item{taken: b}) })
	for _, x := range details {
		if x.e.Detail && x.e.ID != "" && x.e.ID != entra.NilID && !slices.Contains(steps[joinKey(x.e.ID)], x.e.Steps[0]) {
			steps[joinKey(x.e.ID)] = append(steps[joinKey(x.e.ID)], x.e.Steps[0])
		}
	}
	for _, x := range in {
		if x.e.Detail {
			continue
		}
		if c := x.e.Created; !c.IsZero() && x.e.Clock != signin.ClockAmbiguous && (!opt.Since.IsZero() && c.Before(opt.Since) || !opt.Until.IsZero() &&
			!c.Before(opt.Until)) {
			s.OutOfRange++
			continue
		}
		it := &item{taken: x, j: signin.Judge(&x.e)}
		if x.e.Clock == signin.ClockAmbiguous {
			it.e.Created = time.Time{} // until the copies are sorted out
		}
		it.keep = opt.CSV && (opt.Keep == nil || opt.Keep(&it.e, it.j))
		it.row.fill(&it.e, &it.j, it.keep, false, nil)
		key := "id " + x.e.ID
		if len(x.e.ID) == 36 && strings.Count(x.e.ID, "-") == 4 {
			key = "id " + strings.ToLower(x.e.ID)
		}
		if x.e.ID == "" || x.e.ID == entra.NilID {
			e := x.e
			e.ID = ""
			key = fmt.Sprintf("%#v", e)
		}
		groups[key] = append(groups[key], it)
	}
	orphans := map[string]bool{}
	for key := range steps {
		orphans[key] = true
	}
	for _, g := range groups {
		best := g[0]
		for _, it := range g[1:] {
			s.Duplicates++
			d := it.e.Observed.Compare(best.e.Observed)
			if d == 0 {
				d = it.e.Created.Compare(best.e.Created)
			}
			if d == 0 {
				d = len(it.e.Steps) - len(best.e.Steps)
			}
			if d == 0 && it.e.HasMFAFields != best.e.HasMFAFields {
				d = -1
				if it.e.HasMFAFields {
					d = 1
				}
			}
			if d == 0 {
				d = it.row.compareCopies(&best.row)
			}
			if d > 0 || d == 0 && it.place(best) < 0 {
				best = it
			}
		}
		key := joinKey(best.e.ID)
		if _, known := steps[key]; known {
			orphans[key] = false
			if best.e.Joinable && best.e.HasStatus && best.e.ErrorCode == 0 {
				best.e.Steps, best.e.HasMFAFields = steps[key], true
				best.j = signin.Judge(&best.e)
			}
		}
		best.session = best.e.Created
		if best.e.Clock == signin.ClockAmbiguous {
			d := orders[sourceKey(best.src)]
			t, ambiguous := d.Parse(best.e.CreatedRaw)
			best.session = t
			if !ambiguous {
				if outside(t) {
					s.OutOfRange++
					continue
				}
				best.e.Created = t
			}
		}
		best.keep = opt.CSV && (opt.Keep == nil || opt.Keep(&best.e, best.j))
		rows = append(rows, best)
	}
	for _, open := range orphans {
		if open && opt.Since.IsZero() && opt.Until.IsZero() {
			s.OrphanSteps++
		}
	}
	slices.SortFunc(rows, func(a, b *item) int {
		if d := a.place(b); d != 0 {
			return d
		}
		return b.row.compareCopies(&a.row)
	})
	for _, p := range rows {
		if p.j.Verdict != signin.Interrupted {
			continue
		}
		done := false
		for _, q := range rows {
			gap := q.session.Sub(p.session)
			if q.e.HasStatus && q.e.ErrorCode == 0 && q.j.Verdict != signin.NotUser && p.e.CorrelationID != "" && p.e.CorrelationID != entra.NilID &&
				strings.EqualFold(p.e.CorrelationID, q.e.CorrelationID) && userOf(&p.e) != "" && userOf(&p.e) == userOf(&q.e) &&
				!p.session.IsZero() && !q.session.IsZero() && gap >= 0 && gap <= 15*time.Minute {
				done = true
			}
		}
		p.j.Reason = p.j.Reason.Resolved(done)
	}
	return rows, s
}

func userOf(e *signin.Event) string {
	if e.UserID != "" && e.UserID != entra.NilID {
		return strings.ToLower(e.UserID)
	}
	return strings.ToLower(e.UserPrincipalName)
}

// sightings are what visitors should see, in input order.
func sightings(rows []*item) (list []signin.Sighting) {
	for _, it := range rows {
		e, j := &it.e, &it.j
		if j.Verdict == signin.NotUser {
			continue
		}
		trust, hybrid := strings.ToLower(e.DeviceTrustType), signin.Unset
		switch {
		case strings.Contains(trust, "hybrid") || trust == "serverad":
			hybrid = signin.Yes
		case trust != "":
			hybrid = signin.No
		}
		list = append(list, signin.Sighting{ID: e.ID, UserID: e.UserID, UserPrincipalName: e.UserPrincipalName, AppID: e.AppID,
			AppDisplayName: e.AppDisplayName, ClientAppUsed: e.ClientAppUsed, IPAddress: e.IPAddress, Country: e.Country,
			Resource: cmp.Or(e.ResourceDisplayName, e.ResourceID), Protocol: e.AuthenticationProtocol, PolicyState: e.ConditionalAccessStatus,
			Platform: e.OperatingSystem, RiskLevel: e.RiskLevelDuringSignIn, Compliant: e.DeviceCompliant, HybridJoined: hybrid,
			Verdict: j.Verdict, Reason: j.Reason, Success: e.HasStatus && e.ErrorCode == 0, Legacy: j.Legacy, DeviceCode: j.DeviceCode,
			ROPC: j.ROPC, AOBO: j.AOBO, Interactive: e.Interactive, Program: referenceProgram(e.UserAgent), At: e.Created, Source: it.src.Source})
	}
	return list
}

// referenceProgram is the user agent of what is no browser.
func referenceProgram(agent string) string {
	if strings.HasPrefix(strings.ToLower(agent), "mozilla/") {
		_, rest, found := strings.Cut(agent, "PowerShell/")
		if !found {
			return ""
		}
		agent = "PowerShell/" + rest
		if strings.Contains(rest, "PowerShell/") {
			panic("not drawn")
		}
	}
	return agent[:min(len(agent), 80)]
}

// summarise adds rows up.
func summarise(t testing.TB, opt Options, rows []*item, s signin.Summary) (jsonText, csvText string) {
	t.Helper()
	newest := func(list []*item, field func(*signin.Event) string) (text string) {
		var at time.Time
		found := false
		for _, it := range list {
			v := field(&it.e)
			if v == "" {
				continue
			}
			if d := it.e.Created.Compare(at); !found || d > 0 || d == 0 && v > text {
				at, text, found = it.e.Created, v, true
			}
		}
		return text
	}
	witnesses := func(list []*item, v signin.Verdict) (out []signin.Witness) {
		var sel []*item
		for _, it := range list {
			if it.j.Verdict == v {
				sel = append(sel, it)
			}
		}
		sort.SliceStable(sel, func(i, k int) bool {
			a, b := sel[i], sel[k]
			if d := b.e.Created.Compare(a.e.Created); d != 0 {
				return d < 0
			}
			if a.e.ID != b.e.ID {
				return a.e.ID < b.e.ID
			}
			return a.place(b) < 0
		})
		for _, it := range sel[:min(3, len(sel))] {
			app := it.e.AppDisplayName
			if app == "" {
				app = it.e.AppID
			}
			out = append(out, signin.Witness{ID: it.e.ID, Time: it.e.Created, App: app, Client: it.e.ClientAppUsed,
				IP: it.e.IPAddress, Country: it.e.Country, Reason: it.j.Reason, Source: it.src.Source})
		}
		return out
	}
	smallest := func(m map[string]int64) (map[string]int64, int64) {
		keys := make([]string, 0)
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		var dropped int64
		for i, k := range keys {
			if i >= 64 {
				dropped += m[k]
				delete(m, k)
			}
		}
		return m, dropped
	}
	apps, accounts, principals, days := map[string][]*item{}, map[string][]*item{}, map[string][]*item{}, map[string]*signin.Counts{}
	s.Reasons = map[signin.Reason]int64{}
	for _, it := range rows {
		e, v := &it.e, it.j.Verdict
		s.Rows++
		s.Verdicts[v]++
		s.Reasons[it.j.Reason]++
		count := func(on bool, n *int64) {
			if on {
				*n++
			}
		}
		count(e.Created.IsZero(), &s.NoClock)
		count(it.j.Legacy, &s.Legacy[v])
		count(it.j.AOBO, &s.AOBO[v])
		count(it.j.DeviceCode, &s.DeviceCode)
		count(it.j.ROPC, &s.ROPC)
		count(it.j.CSPAdmin, &s.CSPAdmin)
		count(!e.HasMFAFields, &s.WithoutMFAFields)
		if c := e.Created; !c.IsZero() {
			if s.First.IsZero() || c.Before(s.First) {
				s.First = c
			}
			if c.After(s.Last) {
				s.Last = c
			}
			d := c.UTC().Format("2006-01-02")
			if days[d] == nil {
				days[d] = &signin.Counts{}
			}
			days[d][v]++
		}
		if v == signin.NotUser {
			k := strings.ToLower(e.ServicePrincipalID)
			if k == "" {
				k = strings.ToLower(e.AppID)
			}
			if k == "" {
				k = "name:" + texts.Either(e.ServicePrincipalName, e.AppDisplayName)
			}
			principals[k] = append(principals[k], it)
			continue
		}
		k := strings.ToLower(e.AppID)
		if k == "" {
			k = "name:" + e.AppDisplayName
		}
		apps[k] = append(apps[k], it)
		accounts[userOf(e)] = append(accounts[userOf(e)], it)
	}
	countAll := func(list []*item) (c signin.Counts) {
		for _, it := range list {
			c[it.j.Verdict]++
		}
		return c
	}
	cut := func(keys []string, limit int, others *signin.Others, list map[string][]*item) []string {
		sort.Strings(keys)
		for _, k := range keys[min(limit, len(keys)):] {
			c := countAll(list[k])
			others.Rows += c.Total()
			others.Verdicts.Add(&c)
		}
		return keys[:min(limit, len(keys))]
	}
	keysOf := func(m map[string][]*item) (keys []string) {
		for k := range m {
			keys = append(keys, k)
		}
		return keys
	}
	s.Days, s.Apps, s.Accounts, s.ServicePrincipals = []signin.Day{}, []signin.App{}, []signin.Account{}, []signin.ServicePrincipal{}
	dayKeys := make([]string, 0)
	for d := range days {
		dayKeys = append(dayKeys, d)
	}
	sort.Strings(dayKeys)
	for i, d := range dayKeys {
		if len(dayKeys)-i > opt.MaxDays {
			s.OtherDays.Rows += days[d].Total()
			s.OtherDays.Verdicts.Add(days[d])
			continue
		}
		s.Days = append(s.Days, signin.Day{Date: d, Verdicts: *days[d]})
	}
	for _, k := range cut(keysOf(apps), opt.MaxApps, &s.OtherApps, apps) {
		a := signin.App{Key: k, Verdicts: countAll(apps[k]), Name: newest(apps[k], func(e *signin.Event) string { return e.AppDisplayName })}
		for _, it := range apps[k] {
			if it.e.AppID != "" {
				a.ID = k
			}
			if it.j.Legacy {
				a.Legacy++
			}
			if it.j.AOBO {
				a.AOBO++
			}
		}
		s.Apps = append(s.Apps, a)
	}
	for _, k := range cut(keysOf(principals), opt.MaxApps, &s.OtherServicePrincipals, principals) {
		p := signin.ServicePrincipal{Key: k, Rows: int64(len(principals[k])),
			Name:  newest(principals[k], func(e *signin.Event) string { return texts.Either(e.ServicePrincipalName, e.AppDisplayName) }),
			AppID: newest(principals[k], func(e *signin.Event) string { return e.AppID })}
		for _, it := range principals[k] {
			if it.e.ServicePrincipalID != "" {
				p.ID = k
			}
			if it.e.HasStatus && it.e.ErrorCode == 0 {
				p.Successes++
			}
		}
		s.ServicePrincipals = append(s.ServicePrincipals, p)
	}
	for _, k := range cut(keysOf(accounts), opt.MaxAccounts, &s.OtherAccounts, accounts) {
		list := accounts[k]
		a := signin.Account{Key: k, Verdicts: countAll(list), NotChallenged: witnesses(list, signin.NotChallenged), Unknown: witnesses(list, signin.Unknown),
			UserPrincipalName: newest(list, func(e *signin.Event) string { return e.UserPrincipalName }),
			DisplayName:       newest(list, func(e *signin.Event) string { return e.UserDisplayName }),
			UserType:          newest(list, func(e *signin.Event) string { return e.UserType })}
		legacy, names := map[string]int64{}, map[string]int64{}
		for _, it := range list {
			e, v := &it.e, it.j.Verdict
			ok := e.HasStatus && e.ErrorCode == 0
			if e.UserID != "" && e.UserID != entra.NilID {
				a.UserID = k
			}
			if it.j.AOBO {
				a.AOBO[v]++
			}
			if e.Interactive == signin.Yes {
				a.Interactive[v]++
			}
			if e.Interactive == signin.No {
				a.NonInteractive[v]++
			}
			if it.j.Legacy && ok {
				legacy[e.ClientAppUsed]++
			}
			if it.j.DeviceCode {
				a.DeviceCode++
			}
			if it.j.ROPC {
				a.ROPC++
			}
			if it.j.CSPAdmin {
				a.CSPAdmin++
			}
			if !e.HasMFAFields {
				a.WithoutMFAFields++
			}
			if ok && e.Created.After(a.LastSignIn) {
				a.LastSignIn = e.Created
			}
			if v == signin.NotChallenged {
				names[texts.Either(e.AppDisplayName, e.AppID)]++
				if e.Created.After(a.LastNotChallenged) {
					a.LastNotChallenged = e.Created
				}
			}
		}
		a.LegacySuccesses, a.OtherLegacy = smallest(legacy)
		a.NotChallengedApps, a.OtherNotChallenged = smallest(names)
		s.Accounts = append(s.Accounts, a)
	}
	var csv bytes.Buffer
	if opt.CSV {
		csv.WriteString(strings.Join(CSVColumns, ",") + "\n")
		for _, it := range rows {
			if it.keep {
				it.row.reason = it.j.Reason
				csv.WriteString(referenceLine(&it.e, it.j))
			}
		}
	}
	return mustJSON(t, s), csv.String()
}

func referenceLine(e *signin.Event, j signin.Judgement) string {
	when := e.CreatedRaw
	if !e.Created.IsZero() {
		when = e.Created.UTC().Format(time.RFC3339Nano)
	}
	outcome, required := "", ""
	if e.HasStatus {
		outcome = fmt.Sprint(e.ErrorCode == 0)
	}
	if e.NeedsMFA() {
		required = "true"
	} else if e.NeedsOneFactor() {
		required = "false"
	}
	var policies []string
	for _, p := range e.Policies {
		r := strings.ToLower(p.Result)
		if r == "success" || r == "failure" || strings.HasPrefix(r, "reportonly") {
			policies = append(policies, texts.Either(p.DisplayName, p.ID)+": "+p.Result)
		}
	}
	method, detail, result := e.MFAColumns()
	var cells []string
	for _, c := range []string{e.UserPrincipalName, e.UserDisplayName, when, e.ResourceDisplayName, outcome, e.FailureReason,
		required, method, detail, result, strings.Join(policies, "; "), e.ConditionalAccessStatus, j.Verdict.String(), j.Reason.String(),
		e.AppDisplayName, e.ClientAppUsed, fmt.Sprint(j.Legacy), fmt.Sprint(j.AOBO), e.IPAddress, e.Country, e.ID} {
		cells = append(cells, string(AppendCell(nil, c)))
	}
	return strings.Join(cells, ",") + "\n"
}
