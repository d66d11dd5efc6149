package msapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"partnerguard/internal/token"
)

// conduct says how one request is to be sent.
type conduct struct {
	what   string // for the log: "refresh", "customers"
	tenant string
	app    string // client id; "" where nobody knows
	kind   string // with host, tenant and app: whose budget
	pace   pace
	units  int // how many requests it counts as; 0 is one
	// again allows another try when it is not known whether the first was done.
	again bool
	// narrow is set where the caller asks for less after a time-out.
	narrow bool
}

// budget is the name of the bucket of a request. Conditional Access counts all
// apps of a tenant together.
func (how *conduct) budget(host string) string {
	app := how.app
	if how.kind == "policy" {
		app = ""
	}
	return host + "\x00" + strings.ToLower(how.tenant) + "\x00" + how.kind + "\x00" + app
}

// resend is the pipeline policy that keeps to budgets and sends again what may
// be sent again.
type resend Client

// Do sends a request until it is answered for good.
func (s *resend) Do(req *policy.Request) (*http.Response, error) {
	var how conduct
	req.OperationValue(&how)
	ctx := req.Raw().Context()
	host := req.Raw().URL.Host
	key := how.budget(host)
	for try := 1; ; try++ {
		units := s.budgets.cost(&how)
		moment, left, err := s.turn(ctx, host, &how, units)
		if err != nil {
			return nil, err
		} else if left > 0 {
			return closedYet(req, left), nil
		}
		res, err := s.once(req, &how, try, func() { s.budgets.sending(key, moment) })
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		status := 0
		if err == nil {
			status = res.StatusCode
			s.budgets.learn(key, &how, res.Header, units)
		}
		pause := retryAfter(res)
		switch {
		case status == http.StatusTooManyRequests:
			if pause == 0 {
				if pause = backoff(try); how.kind != "token" {
					pause = max(pause, time.Second) // Conditional Access lets one a second in, and says nothing
				}
			}
			shut := pause
			if how.kind == "token" { // somebody may be waiting to sign in: Entra ID itself tells them again
				shut = min(pause, s.o.MaxWait)
			}
			s.budgets.slower(key, how.pace, shut)
		case status > 0 && status < 500:
			s.budgets.faster(key)
		}
		if try >= s.o.Tries || !mayResend(how, status, err, try) || pause > s.o.MaxWait {
			return res, err
		}
		if pause == 0 {
			pause = backoff(try)
		}
		runtime.Drain(res)
		// A throttled bucket's own pause is waited for by await.
		if status != http.StatusTooManyRequests {
			if err := s.o.Wait(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
}

// once sends one try, when there is room for one more under way.
func (s *resend) once(req *policy.Request, how *conduct, try int, now func()) (*http.Response, error) {
	ctx := req.Raw().Context()
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	now()
	began := s.budgets.elapsed()
	res, err := req.Clone(ctx).Next()
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	s.o.Log.Debug("request", "what", how.what, "host", req.Raw().URL.Host, "tenant", how.tenant, "status", status, "try", try, "ms",
		(s.budgets.elapsed() - began).Milliseconds())
	return res, err
}

// turn waits until a request may be sent by its own bucket, and by that of its
// app over all tenants.
func (s *resend) turn(ctx context.Context, host string, how *conduct, units int) (moment, left time.Duration, err error) {
	key := how.budget(host)
	for {
		if moment, left, err = s.await(ctx, key, how.pace, units); err != nil || left > 0 {
			return moment, left, err
		}
		if how.app == "" || !slices.Contains(ofGraph, how.kind) {
			return moment, 0, nil
		}
		if _, _, err = s.await(ctx, host+"\x00app\x00"+how.app, paceApp, max(how.units, 1)); err != nil || s.budgets.closed(key) <= moment {
			return moment, 0, err
		}
	}
}

// ofGraph are the kinds of buckets that Graph's limit for an app counts together.
var ofGraph = []string{"graph", "reports", "policy", "security", "gdap"}

// await waits for a turn of a bucket. A throttle that comes while it waits
// makes it wait on. left is how long a bucket stays closed that is closed for
// longer than anybody waits: then nothing may be sent.
func (s *resend) await(ctx context.Context, key string, p pace, units int) (moment, left time.Duration, err error) {
	for {
		if left := s.budgets.closed(key) - s.budgets.elapsed(); left > s.o.MaxWait {
			return 0, left, nil
		}
		moment, now := s.budgets.reserve(key, p, units)
		if moment > now {
			if err := s.o.Wait(ctx, moment-now); err != nil {
				return 0, 0, err
			}
		}
		if s.budgets.closed(key) <= moment {
			return moment, 0, nil
		}
	}
}

// closedYet is the refusal that the service would give: the request is not sent.
func closedYet(req *policy.Request, left time.Duration) *http.Response {
	h := http.Header{}
	h.Set("Retry-After", strconv.Itoa(int((left+time.Second-1)/time.Second)))
	return &http.Response{
		Status: "429 Too Many Requests", StatusCode: http.StatusTooManyRequests, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
		Body: http.NoBody, Request: req.Raw(),
	}
}

// mayResend decides (contracts.md sections 2.2 and 3.0). A 429 was refused
// before it was done. After anything else it may have been done.
func mayResend(how conduct, status int, err error, try int) bool {
	var timeout interface{ Timeout() bool }
	late := status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout || errors.As(err, &timeout) && timeout.Timeout()
	if how.narrow && late && try > 1 {
		return false // the same again is late again: less is asked for
	}
	if err != nil {
		return how.again && !errors.Is(err, errTooLong) && !errors.Is(err, errForbidden) && !errors.Is(err, errAnswersAll) && !errors.Is(err, context.Canceled)
	}
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return how.again
	}
	return false
}

// backoff is how long to wait where nobody says: doubling from half a second,
// with up to a quarter more by chance, so that many clients do not come together.
func backoff(try int) time.Duration {
	d := 500 * time.Millisecond << min(try-1, 6)
	return d + d*time.Duration(token.Bytes(1)[0])/1024
}

// retryAfter reads Retry-After in both forms: seconds, or a moment, which is
// taken against the answer's own Date, never against our clock. 0 is none.
func retryAfter(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	const longest = 24 * time.Hour
	for _, h := range []struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"X-Ms-Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		text, unit := strings.TrimSpace(res.Header.Get(h.name)), h.unit
		if text == "" {
			continue
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			if n > 0 {
				return time.Duration(min(n, float64(longest/unit)) * float64(unit))
			}
			continue
		}
		then, err := http.ParseTime(text)
		if err != nil {
			continue
		}
		if date, err := http.ParseTime(res.Header.Get("Date")); err == nil && then.After(date) {
			return min(then.Sub(date), longest)
		}
	}
	return 0
}

// sent is a whole answer.
type sent struct {
	status int
	header http.Header
	body   []byte
	after  time.Duration // Retry-After
	app    string        // whose budget it took, where that is known
}

// send sends a request of ours.
func (c *Client) send(req *policy.Request, how conduct) (*sent, error) {
	req.SetOperationValue(how)
	res, err := c.pipe.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(res) // the pipeline read it already
	if err != nil {
		return nil, err
	}
	return &sent{status: res.StatusCode, header: res.Header, body: body, after: retryAfter(res)}, nil
}

// onTheWay says in public words why there was no answer. It never repeats the
// error's own text, which may hold an address with its query.
func onTheWay(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooLong):
		return "the answer is longer than this program reads"
	case errors.As(err, &dns):
		return "its name could not be looked up"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		return "it could not be reached"
	case strings.Contains(err.Error(), "certificate"), strings.Contains(err.Error(), "tls:"):
		return "its certificate was not accepted"
	}
	return "the connection broke before the answer was whole"
}
