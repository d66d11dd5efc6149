//go:build !judge

package inquiry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/fraud/inquiry/inquirytest"
	"partnerguard/internal/problem"
)

const partner = "99999999-0000-4000-8000-000000000009"

// world is Microsoft, the collection and the archive, as an inquiry sees them.
type world struct {
	now   time.Time
	stand map[string]inquiry.Stand // by tenant and resource
	asked []string
	down  error
	fails map[string]bool // of resources: they are tried and fail
	cases []inquiry.Case
	trail audittest.Recorder
	story *inquirytest.Story
}

func newWorld() *world {
	return &world{now: inquirytest.Night.Add(8 * time.Hour), stand: map[string]inquiry.Stand{}, fails: map[string]bool{}, story: inquirytest.Attack(),
		cases: []inquiry.Case{{Alert: inquirytest.Alert(), Known: inquirytest.Night.Add(7*time.Hour + 2*time.Minute)}}}
}

func (w *world) inquiry(t *testing.T) *inquiry.Inquiry {
	t.Helper()
	q, err := inquiry.New(inquiry.Deps{Record: &w.trail, Now: func() time.Time { return w.now },
		Case: func(_ context.Context, id string) (*inquiry.Case, error) {
			for i := range w.cases {
				if strings.HasPrefix(w.cases[i].Alert.ID, id) {
					return &w.cases[i], nil
				}
			}
			return nil, problem.New(problem.NotFound, "no such alert")
		},
		Waiting: func(context.Context) ([]inquiry.Case, error) { return w.cases, nil },
		Partner: func(context.Context) (string, error) { return partner, nil },
		Standing: func(_ context.Context, tenant string, names []string) (out []inquiry.Stand, _ error) {
			for _, n := range names {
				s := w.stand[tenant+n]
				s.Resource = n
				out = append(out, s)
			}
			return out, nil
		},
		Collect: func(_ context.Context, tenant string, names []string) error {
			if w.down != nil {
				return w.down
			}
			for _, n := range names {
				w.asked = append(w.asked, tenant+" "+n)
				if w.fails[n] {
					w.stand[tenant+n] = inquiry.Stand{Failing: true, Why: "Microsoft does not answer"}
				} else if !w.stand[tenant+n].Refused {
					w.stand[tenant+n] = inquiry.Stand{Read: w.now}
				}
			}
			return nil
		},
		Records: func(_ context.Context, q inquiry.Query, each func(evidence.Kind, []byte, inquiry.Place) error) ([]inquiry.Segment, error) {
			for i, r := range w.story.Records {
				if (q.Tenant == partner) != (r.Kind == evidence.CustomerUsage) {
					continue
				}
				if err := each(r.Kind, []byte(r.Raw), inquiry.Place{Tenant: q.Tenant, Segment: "seg-" + q.Tenant[:4], Entry: int64(i),
					Read: w.now}); err != nil {
					return nil, err
				}
			}
			return []inquiry.Segment{{Name: "seg-" + q.Tenant[:4], Tenant: q.Tenant, Seq: 5}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// What an alert is about is read once, by itself, and not again; what was refused is a fact,
// and what failed is tried until it is read.
func TestWork(t *testing.T) {
	t.Parallel()
	w := newWorld()
	customer, own := inquiry.Wanted()
	w.stand[inquirytest.Customer+"riskyUsers"] = inquiry.Stand{Refused: true, Needs: "Entra ID P2"}
	w.fails["azureActivity"] = true
	q := w.inquiry(t)
	left, err := q.Work(t.Context(), inquirytest.Customer)
	if err != nil || !left {
		t.Fatalf("with one list that fails: left %v, %v", left, err)
	}
	if len(w.asked) != len(customer)+len(own)-1 || slices.Contains(w.asked, inquirytest.Customer+" riskyUsers") {
		t.Errorf("asked for %v", w.asked)
	}
	w.asked, w.fails = nil, map[string]bool{}
	if left, err = q.Work(t.Context(), inquirytest.Customer); err != nil || left || len(w.asked) != 1 {
		t.Errorf("the rest: asked %v, left %v, %v", w.asked, left, err)
	}
	w.asked = nil
	if left, err = q.Work(t.Context(), inquirytest.Customer); err != nil || left || len(w.asked) != 0 {
		t.Errorf("a third time: asked %v, left %v, %v", w.asked, left, err)
	}
	// Another alert of the same customer comes: what was read before it is read again.
	later := w.cases[0]
	later.Alert.ID, later.Known = "alert-2", w.now.Add(time.Hour)
	w.cases, w.now = append(w.cases, later), w.now.Add(2*time.Hour)
	if left, err = q.Work(t.Context(), inquirytest.Customer); err != nil || left || len(w.asked) != len(customer)+len(own)-1 {
		t.Errorf("for a later alert: asked %d, left %v, %v", len(w.asked), left, err)
	}
	taken := 0
	for _, e := range w.trail.Events() {
		if e.Action == audit.InquiryTaken && e.Details["refused"] == "riskyUsers" {
			taken++
		}
	}
	if taken != 4 {
		t.Errorf("%d entries of the trail name what was refused", taken)
	}
}

// A process that dies in between, and Microsoft that is away, leave what is missing to the next.
func TestDown(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.down = errors.New("no way to Microsoft")
	q := w.inquiry(t)
	if _, err := q.Work(t.Context(), inquirytest.Customer); err == nil {
		t.Error("Microsoft is away, and nothing is said of it")
	}
	x, err := q.Timeline(t.Context(), "alert-1")
	if err != nil {
		t.Fatal(err)
	}
	has(t, "not known", x.Unknown, "read:azureActivity", "read:directoryAudits")
	w.down = nil
	if left, err := w.inquiry(t).Work(t.Context(), inquirytest.Customer); err != nil || left {
		t.Errorf("after it came back: left %v, %v", left, err)
	}
}

// Whoever asks has everything read anew; the timeline then rests on the segments it names.
func TestTake(t *testing.T) {
	t.Parallel()
	w := newWorld()
	q := w.inquiry(t)
	taken, err := q.Take(t.Context(), "alert", "local:ada")
	if err != nil || taken.Left != 0 || taken.Refused != 0 {
		t.Fatalf("%+v %v", taken, err)
	}
	n := len(w.asked)
	if _, err := q.Take(t.Context(), "alert", "local:ada"); err != nil || len(w.asked) != 2*n {
		t.Errorf("asked again for %d of %d: %v", len(w.asked)-n, n, err)
	}
	if e := w.trail.Events()[0]; e.Action != audit.InquiryAsked || e.Actor != "local:ada" || e.Object != "alert-1" || e.Tenant != inquirytest.Customer {
		t.Errorf("the trail says %+v", e)
	}
	x, err := q.Timeline(t.Context(), "alert-1")
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Places) != 2 || len(x.Rows) == 0 || len(x.Costs) == 0 {
		t.Errorf("it rests on %+v, with %d costs", x.Places, len(x.Costs))
	}
	if _, err := q.Take(t.Context(), "nobody", ""); !errors.Is(err, problem.NotFound) {
		t.Errorf("an alert that is none: %v", err)
	}
}
