//go:build !judge

package inquiry

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// queue is where jobs go; [jobs.Queue] is one.
type queue interface {
	Add(ctx context.Context, kind string, args any, a jobs.Add) (bool, error)
}

// The kinds of jobs.
const (
	jobTake = "fraud-inquiry"     // reads what the alerts of one customer are about
	jobLook = "fraud-inquiry-due" // finds alerts of which something was not read yet
	jobAnew = "fraud-inquiry-new" // reads all of it anew, since somebody asked
)

// How often it is looked for alerts that a dead process left, how soon a failed reading is
// tried again, and until when.
const (
	lookEvery = 5 * time.Minute
	again     = 2 * time.Minute
	tryFor    = 48 * time.Hour
)

// takeArgs are the arguments of a job.
type takeArgs struct {
	Customer string `json:"customer"`
}

// Taken is what a snapshot came to.
type Taken struct {
	Alert   string    `json:"alert"`
	At      time.Time `json:"at"`
	Reads   []Read    `json:"reads"`
	Read    int       `json:"read"`    // since the alert was known
	Refused int       `json:"refused"` // facts: what is missing stands with them
	Left    int       `json:"left"`    // tried again by itself
}

func takenOf(alert string, at time.Time, reads []Read) *Taken {
	t := &Taken{Alert: alert, At: at, Reads: reads}
	for i := range reads {
		switch reads[i].State {
		case ReadSince:
			t.Read++
		case ReadRefused:
			t.Refused++
		default:
			t.Left++
		}
	}
	return t
}

// Take reads now what an alert is about, whoever asks: everything again, whether it was read
// since or not. What was refused is a fact and stands in what it gives; what failed is tried
// again by itself. The error is for what ended it: somebody else at the tenant (kind
// problem.Conflict), the database, the archive.
func (q *Inquiry) Take(ctx context.Context, id, actor string) (*Taken, error) {
	c, err := q.d.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	if q.d.Collect == nil {
		return nil, problem.New(problem.Unavailable, "nothing can be read here: the vault is not open").WithHint("open the installation with its key")
	}
	if actor == "" {
		actor = q.d.Actor
	}
	if err := q.record(ctx, audit.InquiryAsked, actor, c, nil); err != nil {
		return nil, err
	}
	if err := q.read(ctx, c.Alert.Customer, slices.Clone(ofCustomer), slices.Clone(ofPartner)); err != nil {
		return nil, err
	}
	return q.taken(ctx, actor, c)
}

// read has both sides read. Somebody who is no customer any more has no side.
func (q *Inquiry) read(ctx context.Context, tenant string, theirs, ours []string) error {
	defer q.forget()
	partner, err := q.d.Partner(ctx)
	if err != nil {
		return err
	}
	if len(theirs) > 0 && tenant != "" {
		if err := q.d.Collect(ctx, tenant, theirs); err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
	}
	if len(ours) > 0 {
		return q.d.Collect(ctx, partner, ours)
	}
	return nil
}

// taken records what was read and what could not be.
func (q *Inquiry) taken(ctx context.Context, actor string, c *Case) (*Taken, error) {
	reads, err := q.Reads(ctx, c)
	if err != nil {
		return nil, err
	}
	t := takenOf(c.Alert.ID, q.now(), reads)
	var refused, left []string
	for i := range reads {
		switch r := &reads[i]; {
		case r.State == ReadRefused:
			refused = append(refused, r.Resource)
		case r.State != ReadSince:
			left = append(left, r.Resource)
		}
	}
	details := map[string]string{"read": strconv.Itoa(t.Read)}
	if len(refused) > 0 {
		details["refused"] = strings.Join(refused, " ")
	}
	if len(left) > 0 {
		details["left"] = strings.Join(left, " ")
	}
	return t, q.record(ctx, audit.InquiryTaken, actor, c, details)
}

func (q *Inquiry) record(ctx context.Context, what audit.Action, actor string, c *Case, details map[string]string) error {
	return q.d.Record.Record(ctx, audit.Event{At: q.now(), Action: what, Outcome: audit.Done, Actor: actor, Object: c.Alert.ID, Tenant: c.Alert.Customer,
		Details: details})
}

// Begin has an alert looked into by a job, at once; alerts of one customer are read together.
// It does nothing before Jobs was called, or where nothing can be read: whoever has the queue
// finds the alert by itself.
func (q *Inquiry) Begin(ctx context.Context, customer string) error {
	if q.queue == nil || customer == "" {
		return nil
	}
	_, err := q.queue.Add(ctx, jobTake, takeArgs{strings.ToLower(customer)}, jobs.Add{Unique: true})
	return err
}

// anewArgs are the arguments of a job that reads all of it anew.
type anewArgs struct {
	Alert string `json:"alert"`
	Actor string `json:"actor"`
}

// Ask has everything that an alert is about read anew by a job, for somebody who does not wait.
func (q *Inquiry) Ask(ctx context.Context, id, actor string) error {
	c, err := q.d.Case(ctx, id)
	if err != nil {
		return err
	}
	if q.queue == nil {
		return problem.New(problem.Unavailable, "nothing is read by itself here").WithHint("partnerguard serve or worker does; partnerguard fraud inquire %s reads it now", id)
	}
	_, err = q.queue.Add(ctx, jobAnew, anewArgs{c.Alert.ID, actor}, jobs.Add{Unique: true})
	return err
}

// Jobs gives the queue what is read by itself.
func (q *Inquiry) Jobs(all *jobs.Queue) error {
	if q == nil || q.d.Collect == nil || q.d.Waiting == nil {
		return nil
	}
	q.queue = all
	all.Handle(jobLook, func(ctx context.Context, _ jobs.Job) error { return q.look(ctx) })
	all.Handle(jobTake, func(ctx context.Context, j jobs.Job) error {
		var a takeArgs
		if err := j.Read(&a); err != nil {
			return err
		}
		left, err := q.Work(ctx, a.Customer)
		switch {
		case errors.Is(err, problem.Conflict): // somebody else reads the tenant
			return jobs.Later(10 * time.Second)
		case err != nil:
			return err
		case left:
			return jobs.Later(again)
		}
		return nil
	})
	all.Handle(jobAnew, func(ctx context.Context, j jobs.Job) error {
		var a anewArgs
		if err := j.Read(&a); err != nil {
			return err
		}
		_, err := q.Take(ctx, a.Alert, a.Actor)
		if errors.Is(err, problem.Conflict) {
			return jobs.Later(10 * time.Second)
		}
		return err
	})
	all.Every(lookEvery, jobLook, nil)
	return nil
}

// look adds a job for each customer of whose alerts something was not read: a process may have
// died before it did.
func (q *Inquiry) look(ctx context.Context) error {
	list, err := q.d.Waiting(ctx)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for i := range list {
		c := &list[i]
		if asked[c.Alert.Customer] || c.Alert.Customer == "" || q.now().Sub(c.Known) > tryFor {
			continue
		}
		reads, err := q.Reads(ctx, c)
		if errors.Is(err, problem.NotFound) {
			return nil // nothing is connected
		}
		if err != nil {
			return err
		}
		if takenOf("", q.now(), reads).Left == 0 {
			continue
		}
		asked[c.Alert.Customer] = true
		if err := q.Begin(ctx, c.Alert.Customer); err != nil {
			return err
		}
	}
	return nil
}

// Work reads what is missing for the waiting alerts of a customer, and says whether something
// is left that is to be tried again. What is there already is not read again.
func (q *Inquiry) Work(ctx context.Context, customer string) (left bool, err error) {
	list, err := q.d.Waiting(ctx)
	if err != nil {
		return false, err
	}
	list = slices.DeleteFunc(list, func(c Case) bool {
		return !strings.EqualFold(c.Alert.Customer, customer) || q.now().Sub(c.Known) > tryFor
	})
	if len(list) == 0 {
		return false, nil
	}
	// The newest wants most: what was read since it came was read since all of them came.
	newest := slices.MaxFunc(list, func(a, b Case) int { return a.Known.Compare(b.Known) })
	reads, err := q.Reads(ctx, &newest)
	if err != nil {
		return false, err
	}
	theirs, ours := missing(reads, false), missing(reads, true)
	if len(theirs)+len(ours) == 0 {
		return false, nil
	}
	if err := q.read(ctx, customer, theirs, ours); err != nil {
		return false, err
	}
	for i := range list {
		if i == 100 {
			break // a storm: what was read is the same for all of them
		}
		t, err := q.taken(ctx, q.d.Actor, &list[i])
		if err != nil {
			return false, err
		}
		left = left || t.Left > 0
	}
	return left, nil
}
