package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// Deps is what an Outbox needs.
type Deps struct {
	DB     *db.DB // required
	Config *Config
	Now    func() time.Time                      // required
	Sealed Sealed                                // the vault; nil where it is not open: then secrets that lie there cannot be read
	Record audit.Recorder                        // optional: nil writes no trail
	Base   string                                // where the console is, without / at its end: the only address that messages link to; "" links to none
	Log    *slog.Logger                          // optional: nil discards
	Proxy  func(*http.Request) (*url.URL, error) // nil is that of the environment
}

// Outbox keeps messages and delivers them. Safe for concurrent use, by several
// processes too.
type Outbox struct {
	d        Deps
	channels []Channel
	broken   map[string]error // channels that cannot be opened, by name
	q        atomic.Pointer[jobs.Queue]
	waits    []time.Duration // after each failed attempt
}

// New makes an outbox over a database whose schema is current. A channel that cannot be
// opened, such as for a file that is not there, is kept with its error: [Outbox.Jobs]
// refuses to start with one.
func New(d Deps) (*Outbox, error) {
	if d.DB == nil || d.Now == nil {
		return nil, problem.New(problem.Internal, "an outbox has no database or no clock")
	}
	if d.Config == nil {
		d.Config = &Config{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Proxy == nil {
		d.Proxy = http.ProxyFromEnvironment
	}
	o := &Outbox{d: d, broken: map[string]error{}, waits: waits}
	w := &ways{d.Sealed, d.Now, d.Proxy}
	for i := range d.Config.Channels {
		s := &d.Config.Channels[i]
		c, err := w.open(s)
		if err != nil {
			o.broken[s.Name] = problem.Wrap(err, problem.Usage, "the channel %s cannot be used: %s", s.Name, err).WithHint("%s", problem.HintOf(err))
			continue
		}
		o.channels = append(o.channels, c)
	}
	return o, nil
}

// now is the clock as the database can keep it.
func (o *Outbox) now() time.Time { return o.d.Now().UTC().Truncate(time.Microsecond) }

// Base is where the console is; "" is not known.
func (o *Outbox) Base() string { return o.d.Base }

// Names are the channels of the settings, in their order.
func (o *Outbox) Names() (out []string) {
	for i := range o.d.Config.Channels {
		out = append(out, o.d.Config.Channels[i].Name)
	}
	return out
}

func (o *Outbox) channel(name string) (Channel, error) {
	if err := o.broken[name]; err != nil {
		return nil, err
	}
	for _, c := range o.channels {
		if c.Name() == name {
			return c, nil
		}
	}
	hint := "partnerguard config --help shows how a channel is set"
	if names := o.Names(); len(names) > 0 {
		hint = "there are " + strings.Join(names, ", ")
	}
	return nil, problem.New(problem.NotFound, "no channel is called %.40q", name).WithHint("%s", hint)
}

// state is how far a delivery is.
type state string

const (
	waiting state = "waiting"
	sent    state = "sent"
	dead    state = "dead"
)

// Put keeps a message and has it delivered over channels, each once: within the
// transaction that ctx carries, and with it or not at all. A message whose id was put
// before is not put again. A channel that is not there any more makes a dead letter.
func (o *Outbox) Put(ctx context.Context, m *Message, channels ...string) error {
	kept := *m
	kept.Clean(o.d.Base)
	slices.Sort(channels)
	channels = slices.Compact(channels)
	return o.d.DB.InTx(ctx, func(ctx context.Context) error {
		fresh, err := o.insertMessage(ctx, &kept)
		if err != nil || !fresh {
			return err
		}
		for _, c := range channels {
			if err := o.insertDelivery(ctx, kept.ID, c, waiting, o.now()); err != nil {
				return fmt.Errorf("queue a message for %s: %w", c, err)
			}
			if err := o.enqueue(ctx, kept.ID, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Revive has dead letters sent again, now: those of one message, of one channel, or all
// with "". It says how many.
func (o *Outbox) Revive(ctx context.Context, message, channel, actor string) (n int, err error) {
	err = o.d.DB.InTx(ctx, func(ctx context.Context) error {
		n = 0
		list, err := o.dead(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			d := &list[i]
			if message != "" && d.message != message || channel != "" && d.channel != channel {
				continue
			}
			d.state, d.tries, d.due = waiting, 0, o.now()
			if err := o.updateDelivery(ctx, d); err != nil {
				return err
			}
			if err := o.enqueue(ctx, d.message, d.channel); err != nil {
				return err
			}
			n++
		}
		if n == 0 || o.d.Record == nil {
			return nil
		}
		return o.d.Record.Record(ctx, audit.Event{At: o.now(), Action: audit.NotifyRevived, Outcome: audit.Done, Actor: actor, Object: message,
			Details: map[string]string{"messages": fmt.Sprint(n), "channel": channel}})
	})
	return n, err
}

// Delivery is one message on its way to one channel.
type Delivery struct {
	Message  string    `json:"message"`
	Channel  string    `json:"channel"`
	Alert    string    `json:"alert,omitempty"`
	Title    string    `json:"title"`
	Test     bool      `json:"test,omitempty"`
	At       time.Time `json:"at"`
	State    string    `json:"state"` // waiting, sent, dead
	Tries    int       `json:"tries"`
	Due      time.Time `json:"due,omitzero"` // of one that waits: the next attempt
	Changed  time.Time `json:"changed"`
	Attempts []Attempt `json:"attempts"`
}

// Attempt is one sending.
type Attempt struct {
	N       int           `json:"n"`
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took"`    // nanoseconds
	Outcome string        `json:"outcome"` // begun, sent, failed; begun where nobody knows how it ended
	Status  string        `json:"status,omitempty"`
	Words   string        `json:"words,omitempty"`
	Fix     string        `json:"fix,omitempty"`
}

// HistoryOf says which deliveries are asked for; what is empty is any.
type HistoryOf struct {
	Channel, Alert, State, Message string
	Since                          time.Time
	Limit                          int // 0 is 200; at most 5000
}

// History lists deliveries with their attempts, the newest first.
func (o *Outbox) History(ctx context.Context, q HistoryOf) ([]Delivery, error) {
	q.Limit = min(cmp.Or(q.Limit, 200), 5000)
	list, err := o.history(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list what was told: %w", err)
	}
	for i := range list {
		d := &list[i]
		if d.Attempts, err = o.attempts(ctx, d.Message, d.Channel); err != nil {
			return nil, err
		}
		if d.State != string(waiting) {
			d.Due = time.Time{}
		}
	}
	return list, nil
}

// ChannelStatus is how a channel stands.
type ChannelStatus struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Where   string   `json:"where"` // without what is secret
	Waiting int      `json:"waiting"`
	Dead    int      `json:"dead"`
	Last    *Attempt `json:"last,omitempty"`
	Broken  string   `json:"broken,omitempty"` // why it cannot be used
	Fix     string   `json:"fix,omitempty"`
}

// Channels tells how each channel stands, in the order of the settings; those that are
// not there any more and still have messages come last.
func (o *Outbox) Channels(ctx context.Context) ([]ChannelStatus, error) {
	counts, err := o.counts(ctx)
	if err != nil {
		return nil, err
	}
	last, err := o.lastOf(ctx)
	if err != nil {
		return nil, err
	}
	out := []ChannelStatus{}
	add := func(s ChannelStatus) {
		s.Waiting, s.Dead = counts[s.Name][waiting], counts[s.Name][dead]
		if a, has := last[s.Name]; has {
			s.Last = &a
		}
		delete(counts, s.Name)
		out = append(out, s)
	}
	for i := range o.d.Config.Channels {
		c := &o.d.Config.Channels[i]
		s := ChannelStatus{Name: c.Name, Kind: c.Kind()}
		if err := o.broken[c.Name]; err != nil {
			s.Broken, s.Fix = err.Error(), problem.HintOf(err)
		} else if ch, err := o.channel(c.Name); err == nil {
			s.Where = ch.Where()
		}
		add(s)
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		add(ChannelStatus{Name: name, Broken: "it is not in the settings any more", Fix: "partnerguard notify revive sends nothing there"})
	}
	return out, nil
}
