package reading

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/trail"
)

// Window is how many entries a page is over at most.
const Window = 2000

// within is how far back is looked where something rare is asked for and nothing says
// from when: a search reads every page of that time.
const within = 31 * 24 * time.Hour

// Deps is what the page is made of.
type Deps struct {
	Trail *trail.Trail     // required
	DB    *db.DB           // required: where what verifying found is kept
	Now   func() time.Time // required
	Log   *slog.Logger     // nil discards
	// Sign signs where the trail stands; nil where the vault is not open: entries are shown
	// without their proof.
	Sign func(context.Context) ([]byte, error)
	// Anchors are the names of the places outside that are to keep its checkpoints.
	Anchors func() ([]string, error)
}

// Reading is the page. Safe for concurrent use.
type Reading struct {
	d     Deps
	queue *jobs.Queue // nil before Jobs: nothing can be asked for
}

// New makes the page.
func New(d Deps) *Reading {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Reading{d: d}
}

const jobVerify = "trail-verify"

// verifiedSetting is where the last result is kept.
const verifiedSetting = "trail.verified"

// Verified is what verifying found, as it is kept.
type Verified struct {
	At      time.Time `json:"at"`
	Entries int64     `json:"entries"` // that hold
	Root    string    `json:"root"`
	Bad     string    `json:"bad,omitempty"`   // where and why it does not hold
	Error   string    `json:"error,omitempty"` // it could not be read to its end
}

// Jobs gives the queue the verifying, once a day. It comes before the page is asked for.
func (r *Reading) Jobs(q *jobs.Queue) error {
	r.queue = q
	q.Handle(jobVerify, func(ctx context.Context, _ jobs.Job) error { return r.verify(ctx) })
	q.Every(24*time.Hour, jobVerify, nil)
	return nil
}

// verify reads the whole trail and keeps what was found.
func (r *Reading) verify(ctx context.Context) error {
	rep, err := r.d.Trail.Verify(ctx, nil)
	v := Verified{At: r.d.Now().UTC(), Entries: rep.Entries}
	switch {
	case err != nil:
		v.Error = print.Clean(err.Error(), 300)
	case rep.Bad != nil:
		v.Bad = fmt.Sprintf("entry %d: %s", rep.Bad.Seq, rep.Bad.Words)
	}
	if root, rerr := r.d.Trail.RootAt(ctx, rep.Entries); rerr == nil && rep.Entries > 0 {
		v.Root = root.String()
	}
	raw, merr := json.Marshal(v)
	if merr != nil {
		return merr
	}
	if serr := r.d.DB.SetSetting(context.WithoutCancel(ctx), verifiedSetting, string(raw)); serr != nil {
		return serr
	}
	return err
}

// last is what verifying found last; the zero value where it never ran.
func (r *Reading) last(ctx context.Context) (v Verified, err error) {
	raw, err := r.d.DB.Setting(ctx, verifiedSetting)
	if err != nil || raw == "" {
		return v, err
	}
	if json.Unmarshal([]byte(raw), &v) != nil {
		return Verified{}, nil // it is made anew by the next run
	}
	return v, nil
}

// Screens is the page.
func (r *Reading) Screens() []screen.Screen {
	return []screen.Screen{{
		Name: "trail", Title: "Trail", Icon: "trail", Group: screen.Evidence, Order: 30, See: screen.SeeTrail, Over: screen.OfHouse,
		About: "Everything done here, by whom, in a tree that nothing leaves, enters or moves in unseen.",
		List:  listWith(nil),
		Params: []screen.Param{
			{Name: "from", About: "entries from this day or moment on: 2006-01-02 or RFC 3339"},
			{Name: "to", About: "entries before this day or moment"},
			{Name: "before", About: "entries with a smaller number than this: the next window's start"},
			{Name: "object", About: "what was acted on"},
			{Name: "of", About: "entries of this tenant, by id"},
		},
		Load: r.load,
		Acts: []screen.Act{{Name: "verify", Title: "Verify now", About: "Has the whole trail read and checked by a job.", Do: screen.Operate,
			Handle: r.askVerify}},
	}}
}

func (r *Reading) askVerify(ctx context.Context, a *screen.Ask, _ url.Values) (screen.Done, error) {
	if r.queue == nil {
		return screen.Done{}, problem.New(problem.Unavailable, "no worker can be asked here").WithHint("partnerguard trail verify does it at once")
	}
	var added bool
	err := r.d.DB.InTx(ctx, func(ctx context.Context) (err error) {
		if added, err = r.queue.Add(ctx, jobVerify, nil, jobs.Add{Unique: true}); err != nil {
			return err
		}
		return r.d.Trail.Record(ctx, audit.Event{Action: audit.TrailAsked, Outcome: audit.Done, Actor: a.Viewer.Actor})
	})
	if err != nil {
		return screen.Done{}, err
	}
	words := "The trail is verified as soon as a worker is free."
	if !added {
		words = "The trail is being verified already."
	}
	return screen.Done{Path: "/trail", Said: words, Body: map[string]bool{"added": added}}, nil
}

// query is what the address asks the database for: filters of one value are asked there,
// so that the window is full of what is looked for.
func query(a *screen.Ask) (q trail.Query, all bool, err error) {
	if q.From, err = moment(a, "from"); err != nil {
		return q, false, err
	}
	if q.To, err = moment(a, "to"); err != nil {
		return q, false, err
	}
	if s := a.Values.Get("before"); s != "" {
		if q.Before, err = strconv.ParseInt(s, 10, 64); err != nil || q.Before < 1 {
			return q, false, problem.New(problem.Usage, "before is the number of an entry")
		}
	}
	one := func(name string) string {
		if list := a.Query.Filters[name]; len(list) == 1 {
			return list[0]
		}
		return ""
	}
	q.Action, q.Actor, q.Outcome = one("action"), one("actor"), audit.Outcome(one("outcome"))
	q.Object, q.Tenant = a.Values.Get("object"), a.Values.Get("of")
	for _, s := range []string{q.Action, q.Actor, q.Object, q.Tenant} {
		if strings.HasSuffix(s, "*") {
			return q, false, problem.New(problem.Usage, "a word of the address ends in *").WithHint("the search field looks for parts of words")
		}
	}
	rare := q.Action != "" || q.Actor != "" || q.Outcome != "" || q.Object != "" || q.Tenant != "" || a.Viewer.Customers != nil
	if rare && q.From.IsZero() {
		until := q.To
		if until.IsZero() {
			until = a.Now
		}
		q.From = until.Add(-within)
		return q, false, nil
	}
	return q, true, nil
}

func moment(a *screen.Ask, name string) (time.Time, error) {
	s := a.Values.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, problem.New(problem.Usage, "%s is no day and no moment", name).WithHint("2026-11-20 or 2026-11-20T06:00:00Z")
}

// window is the newest entries that match and that the viewer may see, at most Window, and
// where the next window begins: 0 where there is no more.
func (r *Reading) window(ctx context.Context, v *screen.Viewer, q trail.Query) (entries []trail.Entry, next int64, unread int, err error) {
	if v.Customers != nil {
		q.Tenants = []string{}
		for _, t := range v.Customers {
			if q.Tenant == "" || q.Tenant == t {
				q.Tenants = append(q.Tenants, t)
			}
		}
		if len(q.Tenants) == 0 {
			return nil, 0, 0, nil
		}
	}
	for len(entries) < Window {
		q.Limit = min(1000, Window-len(entries))
		f, err := r.d.Trail.Search(ctx, q)
		if err != nil {
			return nil, 0, unread, err
		}
		entries, unread = append(entries, f.Entries...), unread+f.Unread
		if q.Before, next = f.Next, f.Next; next == 0 {
			break
		}
	}
	return entries, next, unread, nil
}

// saidOf is an outcome: done is grey, refused and failed stand out.
func saidOf(o audit.Outcome) *page.Said {
	switch o {
	case audit.Done:
		return nil
	case audit.Refused:
		return &page.Said{Tone: print.Cautious, Word: "refused"}
	}
	return &page.Said{Tone: print.Bad, Word: string(o)}
}
