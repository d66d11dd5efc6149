package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Line is one decision as a file of decisions has it: a JSON object a line. Unknown
// members are refused; docs/gateway.md has the form.
type Line struct {
	At      time.Time `json:"at"`
	Route   string    `json:"route,omitempty"` // absent: none
	Reason  string    `json:"reason"`          // "passed", or why not
	Mode    string    `json:"mode"`
	Refused bool      `json:"refused"`
	Kind    string    `json:"kind"` // user, app, unknown
	Tenant  string    `json:"tenant,omitempty"`
	Caller  string    `json:"caller,omitempty"`
	Account string    `json:"account,omitempty"`
	Client  string    `json:"client,omitempty"`
	Agent   string    `json:"agent,omitempty"`
	Way     string    `json:"way,omitempty"`
	Excused string    `json:"excused,omitempty"`
	Request string    `json:"request,omitempty"`
	Times   int64     `json:"times,omitempty"` // 0 is 1
}

// Lines writes decisions to a file as they come. What comes faster than it is written is
// left out, and counted. Safe for concurrent use.
type Lines struct {
	in      chan noted
	dropped atomic.Int64
}

type noted struct {
	key     key
	account string
	at      time.Time
	request string
}

// NewLines makes Lines; Run writes.
func NewLines() *Lines { return &Lines{in: make(chan noted, 4096)} }

func (l *Lines) note(k *key, account string, r *gateway.Request) {
	select {
	case l.in <- noted{k.own(), account, r.Now, r.ID}:
	default:
		l.dropped.Add(1)
	}
}

// Dropped is how many decisions were left out.
func (l *Lines) Dropped() int64 { return l.dropped.Load() }

// Run writes to w until ctx ends. It gives the first error, and goes on taking what comes.
func (l *Lines) Run(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriter(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for {
		select {
		case n := <-l.in:
			keep(writeLine(b, &n))
		case <-tick.C:
			keep(b.Flush())
		case <-ctx.Done():
			for {
				select {
				case n := <-l.in:
					keep(writeLine(b, &n))
				default:
					keep(b.Flush())
					return first
				}
			}
		}
	}
}

func writeLine(w io.Writer, n *noted) error {
	at := n.at.UnixMicro()
	s := n.key.sum(&count{n: 1, first: at, last: at, account: n.account})
	raw, err := json.Marshal(Line{At: s.First, Route: s.Route, Reason: s.Reason, Mode: s.Mode, Refused: s.Refused, Kind: s.Kind, Tenant: s.Tenant,
		Caller: s.Caller, Account: s.Account, Client: s.Client, Agent: s.Agent, Way: s.Way, Excused: s.Excused, Request: print.Clean(n.request, longID)})
	if err != nil {
		return err
	}
	_, err = w.Write(append(raw, '\n'))
	return err
}

// Limits of a file of decisions.
const (
	maxLine  = 16 << 10
	maxLines = 5_000_000
	maxKeys  = 200_000
)

// ReadLines reads a file of decisions into counts. Times outside of since and until are
// left out; a zero moment is no bound. Kind problem.BadInput names the line.
func ReadLines(r io.Reader, since, until time.Time, route string) ([]Sum, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	at := map[Sum]int{}
	var out []Sum
	for n := 1; s.Scan(); n++ {
		if n > maxLines {
			return nil, problem.New(problem.Limit, "there are more than %d lines", maxLines).WithHint("split the file")
		}
		if len(s.Bytes()) == 0 {
			continue
		}
		sum, err := readLine(s.Bytes())
		if err != nil {
			return nil, problem.New(problem.BadInput, "line %d is no decision: %s", n, print.Clean(err.Error(), 200)).
				WithHint("partnerguard gateway --decisions FILE writes such a file")
		}
		if !since.IsZero() && sum.First.Before(since) || !until.IsZero() && sum.First.After(until) || route != "" && sum.Route != route {
			continue
		}
		k := sum
		k.Account, k.N, k.First, k.Last, k.Hour = "", 0, time.Time{}, time.Time{}, 0
		i, ok := at[k]
		if !ok {
			if len(out) == maxKeys {
				return nil, problem.New(problem.Limit, "there are more than %d callers by reason and client", maxKeys).WithHint("take a shorter time")
			}
			at[k] = len(out)
			out = append(out, sum)
			continue
		}
		out[i].add(&sum)
	}
	if err := s.Err(); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the file of decisions cannot be read").WithHint("a line has at most %d bytes", maxLine)
	}
	return out, nil
}

// add takes another count of the same.
func (s *Sum) add(o *Sum) {
	s.N += o.N
	if o.First.Before(s.First) {
		s.First = o.First
	}
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
	if s.Account == "" {
		s.Account = o.Account
	}
}
