package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
)

// lines writes JSON lines, each out at once.
type lines struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	l := &lines{w, http.NewResponseController(w)}
	_ = l.rc.Flush()
	return l
}

func (l *lines) put(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = l.w.Write(append(b, '\n'))
	}
	return err
}

// number reads an optional whole number of a query.
func number(q url.Values, name string, low, high, missing int64) (int64, error) {
	text := q.Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, problem.New(problem.Usage, "%s is a number from %d to %d, got %.20q", name, low, high, text)
	}
	return n, nil
}

func following(q url.Values) bool { return q.Get("follow") == "1" || q.Get("follow") == "true" }

func filter(q url.Values) (f gate.Filter, err error) {
	f = gate.Filter{Service: q.Get("service"), Method: q.Get("method"), PathPrefix: q.Get("path"), App: q.Get("app"), Tenant: q.Get("tenant"),
		Faulted: q.Get("faulted") == "1" || q.Get("faulted") == "true"}
	status, err := number(q, "status", 0, 599, 0)
	if err != nil {
		return f, err
	}
	limit, err := number(q, "limit", 0, 1<<20, 0)
	if err != nil {
		return f, err
	}
	after, err := number(q, "after", 0, 1<<62, 0)
	f.Status, f.Limit, f.After = int(status), int(limit), uint64(after)
	return f, err
}

// requests lists what was seen; with follow it first tells what is remembered,
// then goes on.
func (a *api) requests(w http.ResponseWriter, r *http.Request) error {
	f, err := filter(r.URL.Query())
	if err != nil {
		return err
	}
	if !following(r.URL.Query()) {
		return write(w, http.StatusOK, requestList{a.d.Gate.Seen(f)})
	}
	rows := a.d.Gate.Follow(r.Context()) // before looking back, so that nothing falls between
	out := newLines(w)
	told := f.After
	for _, s := range a.d.Gate.Seen(f) {
		told = max(told, s.Seq)
		if err := out.put(s); err != nil {
			return nil
		}
	}
	_ = out.rc.Flush()
	for s := range rows {
		if s.Seq <= told || !f.Match(&s) {
			continue
		}
		if out.put(s) != nil || out.rc.Flush() != nil {
			return nil
		}
	}
	return nil
}

// signIns gives rows of the log as they are, and where to go on.
func (a *api) signIns(w http.ResponseWriter, r *http.Request) error {
	if a.d.Log == nil {
		return problem.New(problem.NotFound, "this partner cloud has no sign-in log")
	}
	q := r.URL.Query()
	after, err := number(q, "after", -maxRows, 1<<62, 0)
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", 1, maxRows, 100)
	if err != nil {
		return err
	}
	if !following(q) {
		rows, next, err := a.d.Log.SignIns(r.Context(), after, int(limit))
		if err != nil {
			return err
		}
		if rows == nil {
			rows = []json.RawMessage{}
		}
		return write(w, http.StatusOK, signInList{rows, next})
	}
	rows, next, err := a.d.Log.SignIns(r.Context(), after, int(limit))
	if err != nil {
		return err
	}
	out := newLines(w)
	for {
		for _, row := range rows {
			var one bytes.Buffer
			if err := json.Compact(&one, row); err != nil {
				return problem.Wrap(err, problem.Internal, "a row of the sign-in log is no JSON")
			}
			one.WriteByte('\n')
			if _, err := w.Write(one.Bytes()); err != nil {
				return nil
			}
		}
		if out.rc.Flush() != nil {
			return nil
		}
		if len(rows) == 0 {
			if a.d.Log.Wait(r.Context(), next) != nil {
				return nil
			}
		}
		if rows, next, err = a.d.Log.SignIns(r.Context(), next, maxRows); err != nil {
			return nil
		}
	}
}

type signInList struct {
	SignIns []json.RawMessage `json:"signIns"`
	Next    int64             `json:"next"`
}
