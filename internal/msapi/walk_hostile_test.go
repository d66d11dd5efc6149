package msapi_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// tooWide answers 504 to requests for more of a log than that.
type tooWide struct {
	inner http.RoundTripper
	most  time.Duration
}

var between = regexp.MustCompile(`ge ([0-9TZ:-]+) and \w+ le ([0-9TZ:-]+)`)

func (w tooWide) RoundTrip(r *http.Request) (*http.Response, error) {
	q, _ := url.QueryUnescape(r.URL.RawQuery)
	if m := between.FindStringSubmatch(q); m != nil {
		from, err1 := time.Parse(time.RFC3339, m[1])
		to, err2 := time.Parse(time.RFC3339, m[2])
		if err1 != nil || err2 != nil || to.Sub(from) > w.most {
			return &http.Response{StatusCode: http.StatusGatewayTimeout, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
		}
	}
	return w.inner.RoundTrip(r)
}
