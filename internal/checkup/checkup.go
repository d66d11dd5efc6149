package checkup

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Level is how bad a finding is.
type Level string

// The levels, the worst first.
const (
	Bad     Level = "bad"     // something does not work, or what is kept is in danger
	Warning Level = "warning" // it will be bad, or is not as it should be
	Unknown Level = "unknown" // it could not be looked at
	Well    Level = "well"
)

var rank = map[Level]int{Bad: 0, Warning: 1, Unknown: 2, Well: 3}

// Finding is one thing that was looked at.
type Finding struct {
	About string `json:"about"` // "clock", "disk" …
	Level Level  `json:"level"`
	Text  string `json:"text"`          // what is
	Fix   string `json:"fix,omitempty"` // a command, or what to do where there is none

	host, cause string // of an address that was not reached
}

// Result is all findings, the worst first.
type Result struct {
	At       time.Time `json:"at"`
	Findings []Finding `json:"findings"`
	Bad      int       `json:"bad"`
	Warnings int       `json:"warnings"`
	Unknown  int       `json:"unknown"`
}

// Err is nil where nothing is bad.
func (r *Result) Err() error {
	switch r.Bad {
	case 0:
		return nil
	case 1:
		return problem.New(problem.Unavailable, "one thing is not well").WithHint("the first line says what mends it")
	}
	return problem.New(problem.Unavailable, "%d things are not well", r.Bad).WithHint("the first lines say what mends them")
}

// Check is a further look, of whoever knows more.
type Check struct {
	About string
	Look  func(context.Context) ([]Finding, error)
}

// Endpoint is an address that must be reached.
type Endpoint struct{ Name, Address string }

// File is one whose rights matter.
type File struct {
	Path string
	What string // "the database"
	// Secret says that nobody but its owner may read it; else nobody else may write it.
	Secret bool
	Must   bool // that it is not there is bad
}

// Deps is what is looked at; what is nil or empty is left out.
type Deps struct {
	Now       func() time.Time // the machine's clock; required
	Offline   bool             // nobody is asked anything over the network
	Endpoints []Endpoint
	Roots     *x509.CertPool // of a cloud of one's own; nil: the system's
	OwnClock  bool           // the cloud has a clock of its own, so its time says nothing of ours
	Folder    string         // of the data
	Database  string         // where it is
	Files     []File
	Cert, Key string // of the server, PEM files
	DB        *db.DB // nil where it did not open
	Backed    func(context.Context) (time.Time, error)
	More      []Check
	// Tell, if not nil, hears what was looked at, of how many.
	Tell func(done, of int64)

	proxy func(*http.Request) (*url.URL, error) // nil: the environment's
}

// within bounds one look.
const within = 30 * time.Second

// Run looks at everything, several things at the same time.
func Run(ctx context.Context, d Deps) (*Result, error) {
	checks := []Check{
		{"files", d.files}, {"disk", d.disk}, {"certificate", d.certificate}, {"backup", d.backup}, {"database", d.database}, {"queue", d.queue},
	}
	if !d.Offline {
		for _, e := range d.Endpoints {
			checks = append(checks, Check{"network", func(ctx context.Context) ([]Finding, error) { return d.reach(ctx, e), nil }})
		}
	}
	checks = append(checks, d.More...)
	found := make([][]Finding, len(checks))
	var all sync.WaitGroup
	var mu sync.Mutex
	done, slots := int64(0), make(chan struct{}, 8)
	for i, c := range checks {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, stop := context.WithTimeout(ctx, within)
			defer stop()
			list, err := c.Look(ctx)
			if err != nil {
				list = append(list, Finding{About: c.About, Level: Unknown, Text: "it could not be looked at: " + err.Error(), Fix: problem.HintOf(err)})
			}
			for k := range list {
				list[k].About = cmp.Or(list[k].About, c.About)
			}
			found[i] = list
			mu.Lock()
			defer mu.Unlock()
			if done++; d.Tell != nil {
				d.Tell(done, int64(len(checks)))
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Result{At: d.Now().UTC(), Findings: causeOnce(clockOnce(slices.Concat(found...)))}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(rank[a.Level], rank[b.Level]) })
	for _, f := range r.Findings {
		switch f.Level {
		case Bad:
			r.Bad++
		case Warning:
			r.Warnings++
		case Unknown:
			r.Unknown++
		}
	}
	return r, nil
}

// clockOnce keeps of what several servers say of the clock the worst.
func clockOnce(list []Finding) (out []Finding) {
	at := -1
	for _, f := range list {
		if f.About != "clock" {
			out = append(out, f)
			continue
		}
		if at < 0 {
			at, out = len(out), append(out, f)
		} else if rank[f.Level] < rank[out[at].Level] {
			out[at] = f
		}
	}
	return out
}

// causeOnce puts together the addresses that are not reached for one reason.
func causeOnce(list []Finding) (out []Finding) {
	at := map[string]int{}
	for _, f := range list {
		i, seen := at[f.cause]
		switch {
		case f.cause == "":
			out = append(out, f)
		case !seen:
			at[f.cause], out = len(out), append(out, f)
		default:
			out[i].host += ", " + f.host
			out[i].Text = "not reached: " + out[i].host + ": " + f.cause
		}
	}
	return out
}

// ended says how an end in time stands.
func ended(until, now time.Time) (Level, string) {
	days := int(until.Sub(now).Hours() / 24)
	date := until.UTC().Format(time.DateOnly)
	switch {
	case until.Before(now):
		return Bad, "ended on " + date
	case days < 7:
		return Bad, "ends on " + date
	case days < 30:
		return Warning, "ends on " + date
	}
	return Well, "is good until " + date
}

// Ends is a finding of something that ends: what, when, and the command that makes
// another. The zero time is not known.
func Ends(what string, until, now time.Time, fix string) Finding {
	if until.IsZero() {
		return Finding{Level: Unknown, Text: "when " + what + " ends is not known", Fix: fix}
	}
	level, words := ended(until, now)
	f := Finding{Level: level, Text: what + " " + words}
	if level != Well {
		f.Fix = fix
	}
	return f
}
