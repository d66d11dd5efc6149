package apppassword

import (
	"strings"
	"sync"
	"time"

	"partnerguard/internal/signin"
)

// Log collects the sign-ins by old clients while the rows are counted. Give its
// Visitor to the fold. The answer does not depend on how the rows were shared out.
type Log struct {
	mu    sync.Mutex
	parts []*collector
}

// NewLog makes an empty one.
func NewLog() *Log { return &Log{} }

// Visitor makes a visitor for one goroutine. Safe for concurrent use.
func (l *Log) Visitor() signin.Visitor {
	c := &collector{accounts: map[string]*seen{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(l.parts, c)
	return c
}

// Limits of what is kept apart.
const (
	maxAccounts = 100_000
	maxClients  = 64
)

type collector struct {
	accounts map[string]*seen
	beyond   int64
}

// seen are the clients of one account.
type seen struct {
	name string
	at   time.Time // of the row that gave the name
	uses map[string]*Use
}

// See takes one row: a sign-in that got in without a second factor, by an old
// client or by what names itself an app password.
func (c *collector) See(s *signin.Sighting) {
	marked := s.Reason == signin.ReasonSkippedAppPassword
	if !s.Success || s.Verdict != signin.NotChallenged || !s.Legacy && !marked {
		return
	}
	key := strings.ToLower(s.UserID)
	if key == "" {
		key = strings.ToLower(s.UserPrincipalName)
	}
	a := c.accounts[key]
	if a == nil {
		if len(c.accounts) >= maxAccounts {
			c.beyond++
			return
		}
		a = &seen{uses: map[string]*Use{}}
		c.accounts[strings.Clone(key)] = a
	}
	a.call(strings.Clone(s.UserPrincipalName), s.At)
	u := a.uses[s.ClientAppUsed]
	if u == nil {
		if len(a.uses) >= maxClients {
			c.beyond++
			return
		}
		client := strings.Clone(s.ClientAppUsed)
		u = &Use{Client: client}
		a.uses[client] = u
	}
	row := Use{Rows: 1, First: s.At, Last: s.At, Example: s.ID}
	if marked {
		row.Marked = 1
	}
	u.add(&row)
}

// call keeps the newest name.
func (a *seen) call(name string, at time.Time) {
	if name != "" && (a.name == "" || at.After(a.at) || at.Equal(a.at) && name > a.name) {
		a.name, a.at = name, at
	}
}

// add counts further rows of the same client.
func (u *Use) add(o *Use) {
	u.Rows += o.Rows
	u.Marked += o.Marked
	if !o.First.IsZero() && (u.First.IsZero() || o.First.Before(u.First)) {
		u.First = o.First.UTC()
	}
	if u.Example == "" || o.Last.After(u.Last) || o.Last.Equal(u.Last) && o.Example > u.Example {
		u.Example = strings.Clone(o.Example)
	}
	if o.Last.After(u.Last) {
		u.Last = o.Last.UTC()
	}
}

// all adds up what every visitor saw.
func (l *Log) all() (accounts map[string]*seen, beyond int64) {
	accounts = map[string]*seen{}
	if l == nil {
		return accounts, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.parts {
		beyond += c.beyond
		for key, a := range c.accounts {
			b := accounts[key]
			if b == nil {
				b = &seen{uses: map[string]*Use{}}
				accounts[key] = b
			}
			b.call(a.name, a.at)
			for client, u := range a.uses {
				if b.uses[client] == nil {
					b.uses[client] = &Use{Client: client}
				}
				b.uses[client].add(u)
			}
		}
	}
	return accounts, beyond
}
