package msapi

import (
	"context"
	"errors"
	"net"
	"net/http"
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
	app    string // client id; "" where the client serves one app alone
	kind   string // with host, tenant and app: whose budget
	pace   pace
	// again allows another try when it is not known whether the first was done.
	again bool
}

// resend is the pipeline policy that keeps to budgets and sends again what may
// be sent again.
type resend Client

// Do sends a request until it is answered for good.
func (s *resend) Do(req *policy.Request) (*http.Response, error) {
	var how conduct
	req.OperationValue(&how)
	ctx := req.Raw().Context()
	key := req.Raw().URL.Host + "\x00" + strings.ToLower(how.tenant) + "\x00" + how.kind + "\x00" + how.app
	for try := 1; ; try++ {
		if d := s.budgets.take(key, how.pace); d > 0 {
			if err := s.o.Wait(ctx, d); err != nil {
				return nil, err
			}
		}
		if err := req.RewindBody(); err != nil {
			return nil, err
		}
		began := s.budgets.elapsed()
		res, err := req.Clone(ctx).Next()
		status := 0
		if err == nil {
			status = res.StatusCode
		}
		s.o.Log.Debug("request", "what", how.what, "host", req.Raw().URL.Host, "tenant", how.tenant, "status", status, "try", try, "ms",
			(s.budgets.elapsed() - began).Milliseconds())
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pause := retryAfter(res)
		switch {
		case status == http.StatusTooManyRequests:
			if pause == 0 {
				pause = backoff(try)
			}
			s.budgets.slower(key, how.pace, min(pause, s.o.MaxWait))
		case status > 0 && status < 500:
			s.budgets.faster(key, how.pace)
		}
		if try >= s.o.Tries || !mayResend(how, status, err) || pause > s.o.MaxWait {
			return res, err
		}
		if pause == 0 {
			pause = backoff(try)
		}
		runtime.Drain(res)
		// A throttled bucket's own pause is waited for by take.
		if status != http.StatusTooManyRequests {
			if err := s.o.Wait(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
}

// mayResend decides (contracts.md sections 2.2 and 3.0). A 429 was refused
// before it was done. After anything else it may have been done.
func mayResend(how conduct, status int, err error) bool {
	if err != nil {
		return how.again && !errors.Is(err, errTooLong) && !errors.Is(err, context.Canceled)
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
