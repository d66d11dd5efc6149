package partner

import (
	"slices"
	"time"

	"partnerguard/internal/evidence"
)

// Mode says what may decide a practice.
type Mode string

// The modes.
const (
	ByData    Mode = "auto"        // what was collected or exported, alone
	ByBoth    Mode = "auto+attest" // that, and a person's dated word where it cannot decide
	ByPersons Mode = "attest"      // a person's dated word alone
)

// Attestable says that a person's word counts where the data cannot decide.
func (m Mode) Attestable() bool { return m == ByBoth || m == ByPersons }

// Practice is one of the CSP security best practices: a recommended rule of the rule
// book, in our words. Its Contract is the day of the text it is taken from, the
// earliest that was read; it binds nobody.
type Practice struct {
	Rule
	Area string `json:"area"`
	Mode Mode   `json:"mode"`
	// Decides and Interface say which evidence decides it and where that is read.
	Decides   string `json:"decides"`
	Interface string `json:"interface"`
	// Rules are the requirements of the book that say the same, or a part of it: their
	// verdicts are taken over.
	Rules []string `json:"rules"`
}

// The days of the two texts: "CSP security best practices" and, for the customer's
// side, "Customer security best practices" (contracts-2026-11 section 7).
var (
	practiceDay = day(2023, time.October, 13)
	customerDay = day(2023, time.March, 21)
)

const customerPage = "https://learn.microsoft.com/partner-center/security/customer-security-best-practices"

// attestedAge is of practices that only a person's word decides: the word has its own end.
var attestedAge = MaxAge{366 * day24, "what nobody can export is attested, and an attestation ends within a year"}

// Practices are the practices, P01 to P38, in the order of the page. The caller may
// change what it gets.
func Practices() []Practice {
	all := slices.Concat(contactPractices(), identityPractices(), appPractices(), leastPractices(), reachPractices(), apartPractices(), watchPractices(),
		moneyPractices(), personPractices())
	for i := range all {
		p := &all[i]
		p.Level, p.MaxAge = Recommended, orAge(p.MaxAge, settingsAge)
		if p.Source == "" {
			p.Source = practicePage
		}
		if p.Contract.IsZero() {
			p.Contract = practiceDay
		}
		p.Needs, p.May, p.Helps = some(p.Needs), some(p.May), some(p.Helps)
		p.Rules = some(p.Rules)
		p.Except, p.Clouds = some(p.Except), some(p.Clouds)
		p.Enforced = []Step{}
	}
	return all
}

// some makes a list a list, be it empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func orAge(a, other MaxAge) MaxAge {
	if a.Hours == 0 {
		return other
	}
	return a
}

// FindPractice looks a practice up by its id.
func FindPractice(id string) (Practice, bool) {
	for _, p := range Practices() {
		if p.ID == id {
			return p, true
		}
	}
	return Practice{}, false
}

// practiceKinds are lists that practices share. What a proof over sign-ins is made of
// is that of the rules.
func kindsOf(k ...evidence.Kind) []evidence.Kind { return k }
