package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
)

// How a job ended.
const (
	done    = "done"
	later   = "put off"
	givenUp = "given up"
	failed  = "failed" // and is tried again
	dead    = "dead"   // it failed for the last time
	cut     = "cut off"
	died    = "panicked"
)

// panicked is what a handler panicked with.
type panicked struct{ what any }

func (p panicked) Error() string { return fmt.Sprintf("the job panicked: %v", p.what) }

// written is an error as the queue keeps it: escaped and bounded. PostgreSQL takes no
// NUL in a text, and River would try to store that error, with those of other jobs,
// for ever.
type written struct{ error }

func (w written) Error() string { return observe.Text(w.error.Error()) }
func (w written) Unwrap() error { return w.error }

// work does a job: one line of the log, a span, and numbers. A panic is a failure
// like any.
func (q *Queue) work(ctx context.Context, j *river.Job[envelope], h Handler) (err error) {
	began := time.Now() // monotonic
	q.under.Store(j.ID, true)
	defer q.under.Delete(j.ID)
	ctx, span := observe.Start(ctx, "job", "job "+j.Kind, "job.kind", j.Kind, "job.attempt", strconv.Itoa(j.Attempt))
	q.counts.running.WithLabelValues(j.Kind).Inc()
	defer func() {
		if p := recover(); p != nil {
			err = panicked{p}
			q.o.Log.LogAttrs(ctx, slog.LevelError, "a job panicked", slog.String("kind", j.Kind), slog.Int64("job", j.ID),
				slog.String("stack", string(debug.Stack())))
		}
		how := outcome(ctx, err, j.Attempt >= j.MaxAttempts)
		took := time.Since(began)
		bad := how == failed || how == dead || how == died
		q.counts.running.WithLabelValues(j.Kind).Dec()
		q.counts.done.WithLabelValues(j.Kind, how).Inc()
		q.counts.took.WithLabelValues(j.Kind).Observe(took.Seconds())
		span.End(how, bad)
		q.tell(ctx, j, how, took, err)
		if err != nil {
			err = written{err}
		}
	}()
	return h(ctx, Job{ID: j.ID, Attempt: j.Attempt, Args: j.Args.raw})
}

func outcome(ctx context.Context, err error, last bool) string {
	var snooze *river.JobSnoozeError
	var cancel *river.JobCancelError
	var p panicked
	switch {
	case err == nil:
		return done
	case errors.As(err, &p):
		return died
	case errors.As(err, &snooze):
		return later
	case errors.As(err, &cancel):
		return givenUp
	case errors.Is(ctx.Err(), context.Canceled):
		return cut
	case last:
		return dead
	}
	return failed
}

// tell writes the job's line. What an error says may have been written by others:
// the log's handler escapes it, and it is cut here.
func (q *Queue) tell(ctx context.Context, j *river.Job[envelope], how string, took time.Duration, err error) {
	level := slog.LevelInfo
	switch how {
	case failed, givenUp, cut:
		level = slog.LevelWarn
	case dead, died:
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("kind", j.Kind), slog.Int64("job", j.ID), slog.Int("attempt", j.Attempt),
		slog.Duration("duration", took.Round(time.Microsecond)), slog.String("outcome", how)}
	if err != nil && how != later {
		attrs = append(attrs, slog.String("error", observe.Text(err.Error())))
		if p, ok := errors.AsType[*problem.Error](err); ok && p.Cause() != nil {
			attrs = append(attrs, slog.String("cause", observe.Text(p.Cause().Error())))
		}
	}
	q.o.Log.LogAttrs(context.WithoutCancel(ctx), level, "job", attrs...)
}

// counts are what this process did.
type counts struct {
	done    *prometheus.CounterVec
	took    *prometheus.HistogramVec
	running *prometheus.GaugeVec
}

func newCounts() counts {
	return counts{
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "partnerguard_jobs_ended_total", Help: "Jobs that this process did, by kind and how they ended."},
			[]string{"kind", "outcome"}),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "partnerguard_job_duration_seconds", Help: "How long jobs took in this process, by kind.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600}}, []string{"kind"}),
		prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "partnerguard_jobs_under_way", Help: "Jobs that this process does now, by kind."}, []string{"kind"}),
	}
}

// State is how many jobs of a kind there are, of all processes.
type State struct {
	Kind    string        `json:"kind"`
	Waiting int           `json:"waiting"` // now, later, or again
	Running int           `json:"running"`
	Dead    int           `json:"dead"`    // failed for the last time; kept for a week
	GivenUp int           `json:"givenUp"` // by their own word; kept for a day
	Oldest  time.Duration `json:"-"`       // since when the oldest one could run
}

// States counts the jobs that are not done, by kind.
func (q *Queue) States(ctx context.Context) (map[string]State, error) { return states(ctx, q.d) }

// Metrics adds what this process does, and how all processes' queue is.
func (q *Queue) Metrics(reg prometheus.Registerer) {
	reg.MustRegister(q.counts.done, q.counts.took, q.counts.running)
	of := func(name, help string, value func(State) float64) {
		observe.Gauge(reg, name, help, "kind", func(ctx context.Context) (map[string]float64, error) {
			all, err := q.States(ctx)
			values := map[string]float64{}
			for kind, s := range all {
				values[kind] = value(s)
			}
			return values, err
		})
	}
	of("partnerguard_jobs_waiting", "Jobs that wait, by kind.", func(s State) float64 { return float64(s.Waiting) })
	of("partnerguard_jobs_running", "Jobs that run, in whichever process, by kind.", func(s State) float64 { return float64(s.Running) })
	of("partnerguard_jobs_dead", "Jobs that failed for the last time, within a week, by kind.", func(s State) float64 { return float64(s.Dead) })
	of("partnerguard_jobs_oldest_seconds", "Since when the oldest job waits that could run, by kind.", func(s State) float64 { return s.Oldest.Seconds() })
	observe.Gauge(reg, "partnerguard_workers", "Processes that work the queue.", "", func(ctx context.Context) (map[string]float64, error) {
		list, err := q.Workers(ctx)
		return map[string]float64{"": float64(len(list))}, err
	})
}
