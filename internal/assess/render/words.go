package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// rank orders verdicts for reading: what needs work first.
func rank(v assess.Verdict) int {
	switch v {
	case assess.NotMet:
		return 0
	case assess.Attested:
		return 2
	case assess.Met:
		return 3
	case assess.NotApplicable:
		return 4
	}
	return 1
}

var (
	bindingWords = map[string]string{
		"not_yet": "not in force yet", "announced": "announced, not in force yet", "contract": "binding by contract", "enforced": "enforced by Microsoft",
		"advised": "advised", "ended": "no longer in force", "exempt": "does not bind this partner",
	}
	kindWords = map[string]string{
		"direct-bill": "direct-bill partner", "indirect-provider": "indirect provider", "indirect-reseller": "indirect reseller",
		"control-panel-vendor": "control panel vendor", "advisor": "Advisor", "": "partner of unknown kind",
	}
	cloudWords = map[string]string{
		"public": "public cloud", "usgov": "US Government cloud", "china": "21Vianet cloud", "germany": "Germany cloud", "": "unknown cloud",
	}
)

// evidenceSpan says of which days the evidence is; "" when nothing is dated.
func evidenceSpan(a *assess.EvidenceAge) string {
	if a.Newest == nil || a.Oldest == nil {
		return ""
	}
	first, last := print.SettledTime(*a.Oldest).Format(time.DateOnly), print.SettledTime(*a.Newest).Format(time.DateOnly)
	if first == last {
		return "evidence of " + last
	}
	return "evidence of " + first + " to " + last
}

// shortAge says in a few words how old evidence is that is not of today; "" when
// it is.
func shortAge(a *assess.Age) string {
	switch {
	case a.By == "nothing":
		return "evidence without a date"
	case a.Days > 0:
		return "evidence " + print.Plural(int64(a.Days), "days") + " old"
	}
	return ""
}

// actions are what to do: each request by itself, with a verb, and shortened.
func actions(q *assess.Requirement) (out []string) {
	if q.Action == "" {
		return nil
	}
	for _, s := range strings.Split(evidence.Brief(q.Action), "; ") {
		switch n := len(out); {
		case evidence.IsRequest(s):
			out = append(out, "export "+s)
		case n > 0:
			out[n-1] += "; " + s
		default:
			out = append(out, s)
		}
	}
	for i := range out {
		out[i] = print.Saying(out[i])
	}
	return out
}

// inForce says that failing the requirement counts on the report's day.
func inForce(q *assess.Requirement) bool {
	switch q.Binding {
	case "not_yet", "announced", "ended", "exempt":
		return false
	}
	return true
}

func mandatory(q *assess.Requirement) bool { return q.Level == "mandatory" }

// groups splits requirements the way every format for people shows them.
func groups(all []assess.Requirement) (must, should, not []assess.Requirement) {
	for _, q := range all {
		switch {
		case q.Verdict == assess.NotApplicable:
			not = append(not, q)
		case mandatory(&q):
			must = append(must, q)
		default:
			should = append(should, q)
		}
	}
	for _, g := range [][]assess.Requirement{must, should} {
		slices.SortStableFunc(g, func(a, b assess.Requirement) int { return rank(a.Verdict) - rank(b.Verdict) })
	}
	return must, should, not
}

// census counts verdicts.
type census struct{ met, notMet, unknown, attested, all int }

func count(list []assess.Requirement) census {
	var c census
	for _, q := range list {
		c.all++
		switch q.Verdict {
		case assess.Met:
			c.met++
		case assess.NotMet:
			c.notMet++
		case assess.Attested:
			c.attested++
		default:
			c.unknown++
		}
	}
	return c
}

// String lists what is there, what needs work first.
func (c census) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.notMet, "not met"}, {c.unknown, "unknown"}, {c.attested, "attested"}, {c.met, "met"}} {
		if p.n > 0 {
			parts = append(parts, print.Number(int64(p.n))+" "+p.word)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// headline is the one sentence above everything, and the verdict it speaks of.
// Only mandatory requirements in force on the report's day decide it.
func headline(r *assess.Report) (assess.Verdict, string) {
	var c census
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if mandatory(q) && inForce(q) && q.Verdict != assess.NotApplicable {
			one := count(r.Requirements[i : i+1])
			c.met += one.met
			c.notMet += one.notMet
			c.unknown += one.unknown
			c.attested += one.attested
			c.all++
		}
	}
	of := fmt.Sprintf("%d of %s", c.notMet, print.Plural(int64(c.all), "mandatory requirements"))
	switch {
	case c.all == 0:
		return assess.Unknown, "No mandatory requirement could be judged."
	case c.notMet > 0 && c.unknown > 0:
		return assess.NotMet, fmt.Sprintf("%s %s not met, and %d cannot be judged from what was read.", of, are(c.notMet), c.unknown)
	case c.notMet > 0:
		return assess.NotMet, fmt.Sprintf("%s %s not met.", of, are(c.notMet))
	case c.unknown == c.all:
		return assess.Unknown, "No mandatory requirement can be judged from what was read."
	case c.unknown > 0:
		return assess.Unknown, fmt.Sprintf("No breach was found, but %d of %s cannot be judged from what was read.", c.unknown,
			print.Plural(int64(c.all), "mandatory requirements"))
	case c.attested > 0:
		return assess.Attested, fmt.Sprintf("All %s are met, %d of them on somebody's word.", print.Plural(int64(c.all), "mandatory requirements"), c.attested)
	case c.all == 1:
		return assess.Met, "The one mandatory requirement is met."
	}
	return assess.Met, fmt.Sprintf("All %s are met.", print.Plural(int64(c.all), "mandatory requirements"))
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// points shows a score without needless decimals.
func points(f float64) string {
	return strconv.FormatFloat(print.Finite(f), 'f', -1, 64)
}

// fallShort is the count of one requirement, e.g. "7 of 41 accounts".
func fallShort(q *assess.Requirement) string {
	unit := print.Clean(q.Unit, 40)
	if unit == "" {
		unit = "things"
	}
	switch {
	case q.Verdict == assess.NotMet && q.Total > 0:
		if q.Total == 1 {
			unit = strings.TrimSuffix(unit, "s")
		}
		return fmt.Sprintf("%s of %s %s", print.Number(int64(q.Affected)), print.Number(int64(q.Total)), unit)
	case q.Affected > 0:
		return print.Plural(int64(q.Affected), unit)
	case q.Verdict == assess.Met && q.Total > 0:
		return "none of " + print.Plural(int64(q.Total), unit)
	}
	return "—"
}

// partnerName never comes out empty.
func partnerName(p *assess.Partner) string {
	if n := print.First("", p.DisplayName); n != "" {
		return n
	}
	if n := print.First("", p.TenantID); n != "" {
		return "Tenant " + n
	}
	return "Unnamed partner"
}

// factors are the values of StrongestFactor, strongest first.
var factors = []struct{ id, word string }{
	{"phishing_resistant", "phishing-resistant"},
	{"app", "authenticator app"},
	{"otp", "one-time code"},
	{"phone", "phone call or SMS"},
	{"none", "no factor"},
	{"unknown", "factor unknown"},
}

func factorWord(f string) string {
	for _, k := range factors {
		if k.id == f {
			return k.word
		}
	}
	return factors[len(factors)-1].word
}

// accountOrder sorts indexes of accounts: not met, unknown, then the rest, in
// the report's order within each.
func accountOrder(list []assess.Account) (order []int, open int) {
	order = make([]int, 0, len(list))
	for _, v := range []int{0, 1} {
		for i := range list {
			if rank(list[i].MFA) == v {
				order = append(order, i)
			}
		}
	}
	open = len(order)
	for _, v := range []int{2, 3, 4} {
		for i := range list {
			if rank(list[i].MFA) == v {
				order = append(order, i)
			}
		}
	}
	return order, open
}

// signInSentence sums up the log in one sentence.
func signInSentence(s *assess.SignIns) string {
	if s.Rows == 0 {
		return "No sign-in was read."
	}
	t := &s.Total
	span := ""
	if s.First != nil && s.Last != nil {
		span = fmt.Sprintf(" from %s to %s", s.First.UTC().Format(time.DateOnly), s.Last.UTC().Format(time.DateOnly))
	}
	out := fmt.Sprintf("%s%s: %s challenged, %s satisfied by an earlier claim, %s by an external provider, %s not challenged, %s unknown; %s "+
		"interrupted, %s failed, %s not by a user.",
		print.Plural(s.Rows, "sign-ins"), span, print.Number(t.Challenged), print.Number(t.SatisfiedByClaim), print.Number(t.SatisfiedByProvider),
		print.Number(t.NotChallenged), print.Number(t.Unknown), print.Number(t.Interrupted), print.Number(t.Failed), print.Number(t.NotUser))
	if n := s.Legacy.NotChallenged; n > 0 {
		out += fmt.Sprintf(" %s of those not challenged used a legacy protocol.", print.Number(n))
	}
	if n := successes(&s.AOBO); n > 0 {
		out += fmt.Sprintf(" %s acted on behalf of a customer, %s of them not challenged.", print.Number(n), print.Number(s.AOBO.NotChallenged))
	}
	if s.Duplicates > 0 {
		out += fmt.Sprintf(" Further copies of the same rows, dropped: %s.", print.Number(s.Duplicates))
	}
	if s.OutOfRange > 0 {
		out += fmt.Sprintf(" %s outside the period asked for.", print.Number(s.OutOfRange))
	}
	return out
}

// successes counts successful user sign-ins.
func successes(t *assess.Tally) int64 {
	return t.Challenged + t.SatisfiedByClaim + t.SatisfiedByProvider + t.NotChallenged + t.Unknown
}

// span is "14 Oct to 20 Nov 2026", without what the second day says too.
func span(first, last time.Time) string {
	const day = "2 Jan 2006"
	to := last.Format(day)
	switch {
	case first.Format(day) == to:
		return to
	case first.Year() == last.Year():
		return first.Format("2 Jan") + " to " + to
	}
	return first.Format(day) + " to " + to
}

// askedTally is the log without the rows of directory synchronisation, which is
// not asked for MFA: what the requirement counts.
func askedTally(r *assess.Report) assess.Tally {
	t := r.SignIns.Total
	for i := range r.Accounts {
		if a := &r.Accounts[i]; a.Class == string(directory.ClassDirectorySync) {
			t.Challenged -= a.SignIns.Challenged
			t.SatisfiedByClaim -= a.SignIns.SatisfiedByClaim
			t.SatisfiedByProvider -= a.SignIns.SatisfiedByProvider
			t.NotChallenged -= a.SignIns.NotChallenged
			t.Unknown -= a.SignIns.Unknown
		}
	}
	return t
}

// disagreementHelp says what a disagreement may mean.
const disagreementHelp = "Either the settings changed after the sign-in, or something decides it that the settings do not show. Each wants a look."

// ScoreCaveat stands beside Microsoft's score wherever it is shown.
const ScoreCaveat = "Microsoft's score looks at admin roles only; the contract binds every account at every sign-in. A full score is not full compliance."
