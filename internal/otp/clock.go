package otp

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"partnerguard/internal/problem"
)

// MaxOffset is the most by which a clock is corrected. A clock that is further off is
// set, or nothing on the machine is right: certificates among it.
const MaxOffset = time.Hour

// Correction is what a clock is off by.
type Correction struct {
	Offset time.Duration // to add to the machine's clock
	Within time.Duration // how exact that is
}

// Measure asks a web server of the user's choice for the time: an HTTPS answer says it
// in its Date header, to the second (RFC 9110 section 6.6.1). Whoever runs that server
// decides what is believed, up to [MaxOffset]. Redirects are not followed. now is the
// machine's clock.
func Measure(ctx context.Context, c *http.Client, address string, now func() time.Time) (Correction, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return Correction{}, problem.New(problem.Usage, "%.100q is no https:// address to ask for the time", address).
			WithHint("any web server will do: https://login.microsoftonline.com")
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	best := Correction{Within: -1}
	for range 3 {
		got, err := ask(ctx, &own, u, now)
		if err != nil {
			return Correction{}, err
		}
		if best.Within < 0 || got.Within < best.Within {
			best = got
		}
	}
	return best, Bounded(best.Offset)
}

func ask(ctx context.Context, c *http.Client, u *url.URL, now func() time.Time) (Correction, error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return Correction{}, problem.Wrap(err, problem.Usage, "%.100q cannot be asked for the time", u.Host)
	}
	before := now()
	a, err := c.Do(r)
	after := now()
	if err != nil {
		return Correction{}, problem.Wrap(err, problem.Unavailable, "%s does not answer", u.Host).
			WithHint("a clock that is far off makes certificates look wrong: set it, or say --offset yourself")
	}
	a.Body.Close()
	at, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return Correction{}, problem.New(problem.Unavailable, "%s does not say what time it is", u.Host).WithHint("ask another web server")
	}
	way := after.Sub(before)
	// A second that has begun is half over on the average, and so is the way there and back.
	said := at.Add(500 * time.Millisecond)
	return Correction{Offset: said.Sub(before.Add(way / 2)).Round(100 * time.Millisecond), Within: 500*time.Millisecond + way/2}, nil
}

// Bounded refuses a correction that is too large.
func Bounded(d time.Duration) error {
	if d.Abs() > MaxOffset {
		return problem.New(problem.BadInput, "the clock would be corrected by %s, and at most %s is", d.Round(time.Second), MaxOffset).
			WithHint("set the clock of the machine; its time zone does not matter")
	}
	return nil
}

// Correct keeps a correction; the machine's clock itself is not touched.
func (b *Book) Correct(offset time.Duration, now time.Time) error {
	if err := Bounded(offset); err != nil {
		return err
	}
	b.Offset, b.Checked = offset, now.UTC().Truncate(time.Second)
	return nil
}
