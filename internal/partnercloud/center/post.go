package center

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Message is the body of a webhook (contracts.md section 2.7).
type Message struct {
	Event        string  `json:"EventName"`
	ResourceURI  string  `json:"ResourceUri"`
	ResourceName string  `json:"ResourceName"`
	AuditURI     *string `json:"AuditUri"`
	At           string  `json:"ResourceChangeUtcDate"`
}

// Delivery is one webhook on its way.
type Delivery struct {
	Event    string    `json:"event"`
	URL      string    `json:"url"`
	Status   string    `json:"status"` // pending, completed, failed, refused
	Attempts []Attempt `json:"attempts"`

	body     []byte
	msHeader bool
}

// Attempt is one POST, or why there was none.
type Attempt struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Error bool      `json:"error"` // nothing answered
	At    time.Time `json:"at"`    // the machine's clock: it is the network that waits
}

// Bounds of delivery: attempts as published, the rest ours.
const (
	maxAttempts  = 10
	firstDelay   = time.Second
	maxDelay     = 5 * time.Minute
	maxPending   = 1_000
	maxLog       = 200
	atOnce       = 8
	postTimeout  = 10 * time.Second
	maxAnswer    = 64 << 10
	maxCerts     = 8
	certificates = "/webhooks/v1/certificates/"
)

// post delivers webhooks. Timers run only while something is due.
type post struct {
	keys   *bearer.Keys
	client *http.Client
	log    *slog.Logger
	now    func() time.Time // the cloud's clock; delays are the machine's
	base   atomic.Value     // string: where the certificate is fetched
	slots  chan struct{}
	delay  time.Duration // before the second attempt

	mu      sync.Mutex // guards what follows and every Delivery
	all     []*Delivery
	timers  map[*Delivery]*time.Timer
	pending int
	idle    chan struct{} // closed when pending comes to zero
	closed  bool
	certs   map[string]*x509.Certificate
	order   []string
	trouble Trouble
	sent    int // deliveries that trouble was made for
}

// Trouble is how deliveries go wrong, as they do in production now and then: late, twice,
// in another order. Delays are the machine's.
type Trouble struct {
	Late    time.Duration // each comes so much later
	Twice   bool          // each comes twice
	Shuffle bool          // every other one comes after the next
}

// maxLate bounds how late a delivery can be made.
const maxLate = time.Hour

// shuffled is how much later every other delivery comes.
const shuffled = 700 * time.Millisecond

// SetTrouble makes deliveries go wrong from now on; the zero value ends it.
func (c *Center) SetTrouble(t Trouble) error {
	if t.Late < 0 || t.Late > maxLate {
		return problem.New(problem.Usage, "webhooks cannot be late by %s", t.Late).WithHint("by an hour at most: late=2m")
	}
	c.post.mu.Lock()
	defer c.post.mu.Unlock()
	c.post.trouble = t
	return nil
}

func newPost(keys *bearer.Keys, transport http.RoundTripper, log *slog.Logger, now func() time.Time) *post {
	if transport == nil {
		// The dialer checks the address that a name became: no name leads outside.
		d := &net.Dialer{Timeout: postTimeout, Control: func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().Unmap().IsLoopback() {
				return problem.New(problem.Limit, "webhooks are delivered to this machine alone")
			}
			return nil
		}}
		transport = &http.Transport{DialContext: d.DialContext, IdleConnTimeout: 5 * time.Second, MaxIdleConns: 4, ResponseHeaderTimeout: postTimeout}
	}
	p := &post{
		keys: keys, log: log, now: now, slots: make(chan struct{}, atOnce), timers: map[*Delivery]*time.Timer{}, delay: firstDelay,
		certs: map[string]*x509.Certificate{},
		client: &http.Client{Transport: transport, Timeout: postTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	p.base.Store("")
	return p
}

// loopback reports a URL of this machine. Names are not resolved here.
func loopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}

// send queues a webhook and gives its delivery. It never blocks on the network.
func (p *post) send(w *world.Webhook, m Message) *Delivery {
	body, err := json.Marshal(m)
	if err != nil {
		panic("center: a webhook has no JSON: " + err.Error()) // texts alone
	}
	d := &Delivery{Event: m.Event, URL: w.URL, Status: "pending", body: body, msHeader: w.MSHeader}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trouble.Twice && m.Event != "test-created" {
		again := *d
		p.queue(&again)
	}
	return p.queue(d)
}

// queue puts a delivery on its way; p.mu is held.
func (p *post) queue(d *Delivery) *Delivery {
	p.all = append(p.all, d)
	if len(p.all) > maxLog {
		p.all = append([]*Delivery(nil), p.all[len(p.all)-maxLog:]...)
	}
	switch {
	case !loopback(d.URL):
		d.Status = "refused"
		d.Attempts = []Attempt{{Text: "not delivered: the partner cloud calls this machine alone", Error: true, At: p.now()}}
		return d
	case p.closed || p.pending >= maxPending:
		d.Status = "failed"
		d.Attempts = []Attempt{{Text: "not delivered: too many webhooks are due", Error: true, At: p.now()}}
		return d
	}
	p.pending++
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	wait := p.trouble.Late
	if p.sent++; p.trouble.Shuffle && p.sent%2 == 1 {
		wait += shuffled
	}
	p.later(d, wait)
	return d
}

// later runs the next attempt; p.mu is held.
func (p *post) later(d *Delivery, wait time.Duration) {
	p.timers[d] = time.AfterFunc(wait, func() { p.attempt(d) })
}

func (p *post) attempt(d *Delivery) {
	p.slots <- struct{}{}
	a := p.once(d)
	<-p.slots
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.timers, d)
	d.Attempts = append(d.Attempts, a)
	n, _ := strconv.Atoi(a.Code)
	switch {
	case n >= 200 && n < 300:
		d.Status = "completed"
	case len(d.Attempts) >= maxAttempts || p.closed:
		d.Status = "failed"
	default:
		p.later(d, min(p.delay<<(len(d.Attempts)-1), maxDelay))
		return
	}
	p.done()
}

// done counts one delivery out; p.mu is held.
func (p *post) done() {
	if p.pending--; p.pending == 0 {
		close(p.idle)
		p.idle = nil
	}
}

// once signs the body and posts it.
func (p *post) once(d *Delivery) Attempt {
	a := Attempt{At: p.now(), Error: true}
	signature, name, err := p.sign(d.body)
	if err != nil {
		a.Text = "not signed"
		return a
	}
	ctx, cancel := context.WithTimeout(context.Background(), postTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.body))
	if err != nil {
		a.Text = "the URL is not valid"
		return a
	}
	base, _ := p.base.Load().(string)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-MS-Certificate-Url", base+certificates+name+".cer")
	r.Header.Set("X-MS-Signature-Algorithm", "rsa-sha256")
	if d.msHeader {
		r.Header.Set("x-ms-signature", "Signature "+signature)
	} else {
		r.Header.Set("Authorization", "Signature "+signature)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		a.Text = "nothing answered"
		p.log.LogAttrs(ctx, slog.LevelDebug, "webhook", slog.String("event", d.Event), slog.Any("err", err))
		return a
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	return Attempt{Code: strconv.Itoa(resp.StatusCode), Text: http.StatusText(resp.StatusCode), At: a.At}
}

// sign gives the signature over the raw bytes and the name of the certificate
// that checks it.
func (p *post) sign(body []byte) (signature, name string, err error) {
	for range 3 { // a rollover may come between the two
		key, cert := p.keys.Signer(), p.keys.Certificate()
		if pub, good := cert.PublicKey.(*rsa.PublicKey); !good || !pub.Equal(&key.PublicKey) {
			continue
		}
		sum := sha256.Sum256(body)
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			return "", "", err
		}
		print := sha256.Sum256(cert.Raw)
		name = hex.EncodeToString(print[:16])
		p.mu.Lock()
		if p.certs[name] == nil {
			p.certs[name] = cert
			if p.order = append(p.order, name); len(p.order) > maxCerts {
				delete(p.certs, p.order[0])
				p.order = p.order[1:]
			}
		}
		p.mu.Unlock()
		return base64.StdEncoding.EncodeToString(sig), name, nil
	}
	return "", "", fmt.Errorf("the signing key changes too often")
}

// certificate serves a signing certificate to whoever received a webhook.
func (c *Center) certificate(w http.ResponseWriter, r *http.Request) bool {
	name, found := strings.CutPrefix(r.URL.Path, certificates)
	if !found || r.Method != http.MethodGet {
		return false
	}
	c.post.mu.Lock()
	cert := c.post.certs[strings.TrimSuffix(name, ".cer")]
	c.post.mu.Unlock()
	if cert == nil {
		w.WriteHeader(http.StatusNotFound)
		return true
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	_, _ = w.Write(cert.Raw)
	return true
}

// view copies a delivery.
func (p *post) view(d *Delivery) Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *d
	c.Attempts = append([]Attempt(nil), d.Attempts...)
	return c
}

// Deliveries lists the last webhooks, oldest first.
func (c *Center) Deliveries() []Delivery {
	c.post.mu.Lock()
	list := append([]*Delivery(nil), c.post.all...)
	c.post.mu.Unlock()
	out := make([]Delivery, len(list))
	for i, d := range list {
		out[i] = c.post.view(d)
	}
	return out
}

func (p *post) flush(ctx context.Context) error {
	p.mu.Lock()
	idle := p.idle
	p.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *post) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for d, t := range p.timers {
		if t.Stop() {
			delete(p.timers, d)
			d.Status = "failed"
			p.done()
		}
	}
}
