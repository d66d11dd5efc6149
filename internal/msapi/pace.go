package msapi

import (
	"context"
	"net/http"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Pace is how many requests a bucket of the resources takes in which time, within one
// tenant; for Graph's directory, whose limit is in resource units, a request counts as
// two of the smallest tenant's.
func Pace(bucket string) (requests int, in time.Duration) {
	kind, p := paceOf(bucket)
	if kind == "graph" && bucket == evidence.BucketDirectory {
		return p.n / 2, p.in
	}
	return p.n, p.in
}

// Clock is the time that the cloud's authority goes by, as the Date of an answer says
// it: to the second, and older by as long as the answer took.
func (c *Client) Clock(ctx context.Context, cloud Cloud) (time.Time, error) {
	if err := cloud.Check(); err != nil {
		return time.Time{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, cloud.Authority+"/common/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		return time.Time{}, problem.Wrap(err, problem.Usage, "the address of the authority cannot be")
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	res, err := c.web.Do(req)
	if err != nil {
		return time.Time{}, problem.Wrap(err, problem.Unavailable, "the authority does not say what time it is").WithHint("check the network")
	}
	defer res.Body.Close()
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return time.Time{}, problem.Wrap(err, problem.BadInput, "the authority does not say what time it is")
	}
	return at, nil
}
