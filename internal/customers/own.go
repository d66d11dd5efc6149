package customers

import (
	"sync"
	"time"

	"partnerguard/internal/signin"
)

// OwnName is a customer's own part of the snapshot.
const OwnName = "customer"

// OwnPart is what a customer's own sign-ins say, as far as they were read.
type OwnPart struct {
	AsOf time.Time `json:"asOf"`
	// SignIns that succeeded, by people; MFA was proved of some of them, of others it is known
	// that nothing asked for it, of the rest it is not known.
	SignIns int64     `json:"signIns"`
	WithMFA int64     `json:"withMfa"`
	Without int64     `json:"withoutMfa"`
	First   time.Time `json:"first,omitzero"` // of all rows
	Last    time.Time `json:"last,omitzero"`
	// LastWithout is the newest sign-in without MFA.
	LastWithout time.Time `json:"lastWithout,omitzero"`
	// Accounts had a sign-in without MFA; past 10,000 it is that.
	Accounts int `json:"accounts"`
}

// maxAccounts bounds what one fold remembers.
const maxAccounts = 10_000

// Own adds up a customer's sign-ins. The zero value is ready.
type Own struct {
	mu  sync.Mutex // guards all
	all []*ownVisitor
}

// Visitor makes a visitor for one goroutine. Safe for concurrent use.
func (o *Own) Visitor() signin.Visitor {
	v := &ownVisitor{accounts: map[string]bool{}}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, v)
	return v
}

// Part is what all visitors saw; call it once they are done.
func (o *Own) Part(asOf time.Time) OwnPart {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := OwnPart{AsOf: asOf}
	accounts := map[string]bool{}
	for _, v := range o.all {
		p.SignIns, p.WithMFA, p.Without = p.SignIns+v.part.SignIns, p.WithMFA+v.part.WithMFA, p.Without+v.part.Without
		if p.First.IsZero() || !v.part.First.IsZero() && v.part.First.Before(p.First) {
			p.First = v.part.First
		}
		p.Last, p.LastWithout = later(p.Last, v.part.Last), later(p.LastWithout, v.part.LastWithout)
		for a := range v.accounts {
			if len(accounts) < maxAccounts {
				accounts[a] = true
			}
		}
	}
	p.Accounts = len(accounts)
	return p
}

type ownVisitor struct {
	part     OwnPart
	accounts map[string]bool
}

// See adds one row.
func (v *ownVisitor) See(s *signin.Sighting) {
	at := s.At
	if !at.IsZero() && (v.part.First.IsZero() || at.Before(v.part.First)) {
		v.part.First = at
	}
	v.part.Last = later(v.part.Last, at)
	switch s.Verdict {
	case signin.Challenged, signin.SatisfiedByClaim, signin.SatisfiedByProvider:
		v.part.SignIns++
		v.part.WithMFA++
	case signin.NotChallenged:
		v.part.SignIns++
		v.part.Without++
		v.part.LastWithout = later(v.part.LastWithout, at)
		key := s.UserID
		if key == "" {
			key = s.UserPrincipalName
		}
		if len(v.accounts) < maxAccounts {
			v.accounts[key] = true
		}
	case signin.Unknown:
		if s.Success {
			v.part.SignIns++
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
