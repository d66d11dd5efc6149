package checkup

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Limits of the clock: Entra ID refuses what an app signs about five minutes ahead.
const (
	clockBad  = 4 * time.Minute
	clockOdd  = 30 * time.Second
	reachTime = 15 * time.Second
)

// reach asks an address for anything: whatever it answers, it is reached.
func (d *Deps) reach(ctx context.Context, e Endpoint) []Finding {
	u, err := url.Parse(e.Address)
	if err != nil {
		return []Finding{{Level: Bad, Text: "the address of " + e.Name + " cannot be read"}}
	}
	proxy := d.proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	ctx, stop := context.WithTimeout(ctx, reachTime)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+"/", nil)
	if err != nil {
		return []Finding{{Level: Bad, Text: "the address of " + e.Name + " cannot be asked"}}
	}
	r.Header.Set("User-Agent", "partnerguard")
	by, perr := proxy(r)
	t := &http.Transport{Proxy: proxy, TLSClientConfig: &tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: reachTime,
		DisableKeepAlives: true, MaxResponseHeaderBytes: 256 << 10}
	defer t.CloseIdleConnections()
	c := http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	asked := d.Now()
	began := time.Now()
	res, err := c.Do(r)
	way := ""
	if by != nil {
		way = " through the proxy " + by.Host
	}
	if perr != nil {
		return []Finding{{Level: Bad, Text: "the proxy of the environment cannot be used", Fix: "look at HTTPS_PROXY and NO_PROXY"}}
	}
	if err != nil {
		why, fix := unreached(err, u, by)
		return []Finding{{Level: Bad, Text: fmt.Sprintf("%s (%s) is not reached%s: %s", e.Name, u.Host, way, why), Fix: fix, host: u.Host, cause: why + way}}
	}
	_, _ = io.CopyN(io.Discard, res.Body, 1<<10)
	_ = res.Body.Close()
	took := time.Since(began)
	list := []Finding{{Level: Well, Text: fmt.Sprintf("%s (%s) answers%s in %d ms", e.Name, u.Host, way, took.Milliseconds())}}
	if f, ok := d.clock(res.Header.Get("Date"), u.Host, asked, took); ok {
		list = append(list, f)
	}
	return list
}

// unreached says why, and what to do. It has nothing of what came back.
func unreached(err error, u *url.URL, by *url.URL) (why, fix string) {
	host, look := u.Hostname(), "curl -sv -o /dev/null "+u.Scheme+"://"+u.Host+"/"
	if by != nil {
		host = by.Hostname()
	}
	_, isDNS := errors.AsType[*net.DNSError](err)
	_, isAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case isDNS:
		if by != nil {
			return "the proxy's name " + host + " is not found", "getent hosts " + host + "; look at HTTPS_PROXY"
		}
		return "the name is not found by this machine's DNS", "getent hosts " + host
	case isAuthority:
		return "its certificate is of an authority that this machine does not trust: something between opens TLS",
			"put that authority's certificate into the system's store (update-ca-certificates), or let this host through unopened"
	case isName:
		return "the certificate is another host's", look
	case isInvalid && invalid.Reason == x509.Expired:
		return "its certificate is not valid now: is the clock right?", "timedatectl"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused", look
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way there", "ip route get " + host
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "nothing answers within " + reachTime.String(), look + "; a firewall that drops it looks like this"
	case by != nil:
		return "the proxy does not let it through", look
	}
	return "the connection fails", look
}

// clock compares our clock with a server's, whose Date has whole seconds.
func (d *Deps) clock(date, host string, asked time.Time, took time.Duration) (Finding, bool) {
	theirs, err := http.ParseTime(date)
	if err != nil || d.OwnClock {
		return Finding{}, false
	}
	off := asked.Add(took / 2).Sub(theirs.Add(500 * time.Millisecond))
	f := Finding{About: "clock", Level: Well, Text: "this machine's clock agrees with " + host}
	size := off.Abs()
	if size <= clockOdd || size <= took {
		return f, true
	}
	way := "ahead of"
	if off < 0 {
		way = "behind"
	}
	f.Level, f.Text = Warning, fmt.Sprintf("this machine's clock is %s %s %s", size.Round(time.Second), way, host)
	f.Fix = "timedatectl set-ntp true"
	if size >= clockBad {
		f.Level = Bad
		f.Text += ": what it signs is refused, and evidence has wrong dates"
	}
	return f, true
}
