package otp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
)

func TestMeasure(t *testing.T) {
	t.Parallel()
	date := now.Format(http.TimeFormat)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = []string{date}
		if date == "" {
			w.Header()["Date"] = nil
		}
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer s.Close()
	clock := func(off time.Duration) func() time.Time { return func() time.Time { return now.Add(off) } }
	for off, kind := range map[time.Duration]problem.Kind{-90 * time.Second: "", 42 * time.Second: "", 2 * time.Hour: problem.BadInput} {
		got, err := otp.Measure(t.Context(), s.Client(), s.URL+"/away", clock(off))
		if kind == "" && err != nil || kind != "" && !errors.Is(err, kind) {
			t.Errorf("%s: %v", off, err)
		}
		if want := 500*time.Millisecond - off; got.Offset != want || got.Within != 500*time.Millisecond {
			t.Errorf("%s: %+v, want %s", off, got, want)
		}
	}
	for _, address := range []string{"http://example.com", "example.com", "https://", "https://a:b@example.com", "file:///etc/passwd"} {
		if _, err := otp.Measure(t.Context(), s.Client(), address, clock(0)); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", address, err)
		}
	}
	date = ""
	if _, err := otp.Measure(t.Context(), s.Client(), s.URL, clock(0)); !errors.Is(err, problem.Unavailable) {
		t.Errorf("without a date: %v", err)
	}
	var b otp.Book
	if err := b.Correct(time.Minute, now); err != nil || !b.Clock(now).Equal(now.Add(time.Minute)) {
		t.Error(err, b.Offset)
	}
	if err := b.Correct(61*time.Minute, now); err == nil || b.Offset != time.Minute {
		t.Error("a correction of more than an hour is kept")
	}
}
