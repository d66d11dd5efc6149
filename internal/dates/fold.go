package dates

import (
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
)

// use is one use of a sign-in that a change ends or binds.
type use int

const (
	useCenter     use = iota // Partner Center without MFA
	useAdmin                 // the Microsoft 365 admin center without MFA
	useAzure                 // Azure CLI, Azure PowerShell, the Azure app without MFA
	usePopImap               // POP or IMAP
	useEWS                   // Exchange Web Services
	useSMTP                  // SMTP AUTH
	useExchangePS            // Exchange Online PowerShell by a password
	uses
)

// asksMFA are the apps that a change makes ask for MFA.
var asksMFA = map[string]use{
	entra.AppPartnerCenter: useCenter, entra.AppPartner: useCenter, entra.AppM365Portal: useAdmin, entra.AppM365Admin: useAdmin,
	entra.AppAzureCLI: useAzure, entra.AppAzurePowerShell: useAzure, entra.AppAzureMobile: useAzure,
}

// maxAccounts bounds the accounts kept apart of one use.
const maxAccounts = 100_000

// Fold collects what the changes ask of the log while it is counted. Give its
// Visitor to the fold of sign-ins, and ask [Look] once that has finished. The
// answer does not depend on how the rows were shared out.
type Fold struct {
	mu       sync.Mutex // guards visitors
	visitors []*collector
}

// NewFold makes an empty one.
func NewFold() *Fold { return &Fold{} }

// Visitor makes a visitor for one goroutine of the fold. Safe for concurrent
// use.
func (f *Fold) Visitor() signin.Visitor {
	c := &collector{}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitors = append(f.visitors, c)
	return c
}

// seen is what is kept of one account.
type seen struct {
	name string
	rows int64
	last time.Time
}

// tally is one use: by account, what is beyond, and rows that may be such a use
// and do not show it.
type tally struct {
	accounts map[string]*seen
	beyond   int64
	unsure   int64
}

type collector struct{ uses [uses]tally }

// See takes one row.
func (c *collector) See(s *signin.Sighting) {
	if !s.Success {
		return
	}
	app := strings.ToLower(s.AppID)
	if u, ok := asksMFA[app]; ok {
		switch s.Verdict {
		case signin.NotChallenged:
			c.uses[u].take(s)
		case signin.Unknown:
			c.uses[u].unsure++
		}
	}
	if s.ROPC && (app == entra.AppExchangeREST || app == entra.AppExchangeRemote) {
		c.uses[useExchangePS].take(s)
	}
	if !s.Legacy {
		return
	}
	u, known := protocol(s.ClientAppUsed)
	switch {
	case u >= 0:
		c.uses[u].take(s)
	case !known: // an old client of which the log does not say which protocol it spoke
		for _, u := range []use{usePopImap, useEWS, useSMTP, useExchangePS} {
			c.uses[u].unsure++
		}
	}
}

// protocol reads the name of an old client. known says that the name names one
// protocol, whether a change ends it or not.
func protocol(client string) (u use, known bool) {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(client))
	switch {
	case strings.Contains(name, "smtp"):
		return useSMTP, true
	case strings.Contains(name, "imap"), strings.HasSuffix(name, "pop"), strings.Contains(name, "pop3"):
		return usePopImap, true
	case strings.Contains(name, "exchangewebservices"), strings.HasSuffix(name, "ews"):
		return useEWS, true
	case strings.Contains(name, "powershell"):
		return useExchangePS, true
	}
	return -1, !strings.HasPrefix(name, "other") && name != "legacyauthenticationclients"
}

func (t *tally) take(s *signin.Sighting) {
	key := strings.ToLower(s.UserID)
	if key == "" {
		key = strings.ToLower(s.UserPrincipalName)
	}
	a := t.accounts[key]
	if a == nil {
		if len(t.accounts) >= maxAccounts {
			t.beyond++
			return
		}
		if t.accounts == nil {
			t.accounts = map[string]*seen{}
		}
		a = &seen{}
		t.accounts[strings.Clone(key)] = a
	}
	a.rows++
	if name := s.UserPrincipalName; name != "" && (a.name == "" || s.At.After(a.last) || s.At.Equal(a.last) && name > a.name) {
		a.name = strings.Clone(name)
	}
	if s.At.After(a.last) {
		a.last = s.At
	}
}

// of adds up one use over all visitors.
func (f *Fold) of(u use) (out tally) {
	out.accounts = map[string]*seen{}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.visitors {
		t := &c.uses[u]
		out.beyond += t.beyond
		out.unsure += t.unsure
		for key, a := range t.accounts {
			b := out.accounts[key]
			if b == nil {
				copied := *a
				out.accounts[key] = &copied
				continue
			}
			b.rows += a.rows
			if a.name != "" && (b.name == "" || a.last.After(b.last) || a.last.Equal(b.last) && a.name > b.name) {
				b.name = a.name
			}
			if a.last.After(b.last) {
				b.last = a.last
			}
		}
	}
	return out
}
