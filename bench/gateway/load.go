package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// job is what the load process does: so many connections, each with one request at a
// time, for so long. Tokens are taken in turn.
type job struct {
	At      string
	TLS     bool
	Conns   int
	For     time.Duration
	Tokens  []string
	Mixed   bool          // tokens go round over all connections; else each connection has one of its own
	Refused bool          // a 401 or a 429 is what is expected
	Once    bool          // each token once, and no longer
	Forge   bool          // each request has a signature that is another, and wrong
	Pace    time.Duration // between two requests of a connection
	From    string        // the address it comes from; "" is any
}

// result is what came of it.
type result struct {
	Good, Bad int64
	First     string // of the bad ones
	Took      time.Duration
}

// loadMain is the load process: it reads a job, and prints its result.
func loadMain() {
	var j job
	in := json.NewDecoder(os.Stdin)
	must(in.Decode(&j))
	must(json.NewEncoder(os.Stdout).Encode(j.run(func() {
		fmt.Println(`"ready"`)
		var word string
		must(in.Decode(&word))
	})))
}

// run does the job. ready is called when all connections stand, handshakes included, and
// returns when the work may begin.
func (j *job) run(ready func()) result {
	var good, bad, next atomic.Int64
	var first atomic.Pointer[string]
	var all sync.WaitGroup
	heads := j.heads()
	var began, end time.Time
	var stand sync.WaitGroup
	work := make(chan struct{})
	stand.Add(j.Conns)
	for mine := range j.Conns {
		all.Go(func() {
			standing := sync.OnceFunc(stand.Done)
			defer standing()
			c, err := j.dial()
			if err != nil {
				text := err.Error()
				first.CompareAndSwap(nil, &text)
				bad.Add(1)
				return
			}
			defer func() { _ = c.Close() }()
			standing()
			<-work
			_ = c.SetDeadline(end.Add(5 * time.Second))
			buf := make([]byte, 16<<10)
			for n := 0; ; n++ {
				at := int(next.Add(1)) - 1
				if (n%8 == 0 || j.Pace > 0) && time.Now().After(end) || j.Once && at >= len(heads) {
					return
				}
				head := heads[mine%len(heads)]
				if j.Mixed || j.Once {
					head = heads[at%len(heads)]
				}
				if j.Forge {
					head = forged(head)
				}
				time.Sleep(j.Pace)
				got, err := ask(c, head, buf)
				for range 3 {
					if len(got) > 0 || err == nil || n == 0 { // a server may close behind any answer
						break
					}
					if c, err = j.dial(); err != nil {
						return
					}
					_ = c.SetDeadline(end.Add(5 * time.Second))
					got, err = ask(c, head, buf)
				}
				if err == nil && j.well(got) {
					good.Add(1)
					continue
				}
				bad.Add(1)
				text := fmt.Sprintf("%v: %.200q", err, got)
				first.CompareAndSwap(nil, &text)
				if _ = c.Close(); err == nil || time.Now().Before(end) {
					if c, err = j.dial(); err != nil {
						return
					}
					_ = c.SetDeadline(end.Add(5 * time.Second))
				}
			}
		})
	}
	stand.Wait()
	ready()
	began = time.Now()
	end = began.Add(j.For)
	close(work)
	all.Wait()
	r := result{Good: good.Load(), Bad: bad.Load(), Took: time.Since(began)}
	if p := first.Load(); p != nil {
		r.First = *p
	}
	return r
}

// heads are the requests, one a token.
func (j *job) heads() [][]byte {
	heads := make([][]byte, len(j.Tokens))
	for i, t := range j.Tokens {
		heads[i] = fmt.Appendf(nil, "GET /api/customers?page=2 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: azsdk-go-panel/1.4 (go1.26; linux)\r\n"+
			"Accept: application/json\r\nx-ms-client-request-id: 6f0c1f0e-6f6b-4a3e-9d3a-2f1f0c9a7b36\r\nAuthorization: Bearer %s\r\n\r\n", t)
	}
	return heads
}

// well says that an answer is the one that was to come.
func (j *job) well(got []byte) bool {
	if j.Refused {
		return bytes.HasPrefix(got, []byte("HTTP/1.1 401")) || bytes.HasPrefix(got, []byte("HTTP/1.1 429"))
	}
	return bytes.HasPrefix(got, []byte("HTTP/1.1 200"))
}

func (j *job) dial() (net.Conn, error) {
	d := new(net.Dialer)
	if j.From != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(j.From)}
	}
	if !j.TLS {
		return d.Dial("tcp", j.At)
	}
	return tls.DialWithDialer(d, "tcp", j.At, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // the certificate is the bench's own
}

// forged is the request with other bytes for its token's signature.
func forged(head []byte) []byte {
	out := bytes.Clone(head)
	end := len(out) - len(empty)
	for i := end - 300; i < end-2; i++ {
		out[i] = base64url[rand.IntN(64)]
	}
	return out
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// ask sends one request and reads its answer, whose length is told or whose body is one
// chunked piece.
func ask(c net.Conn, head, buf []byte) ([]byte, error) {
	if _, err := c.Write(head); err != nil {
		return nil, err
	}
	n := 0
	for {
		if n == len(buf) {
			return buf[:n], io.ErrShortBuffer
		}
		m, err := c.Read(buf[n:])
		n += m
		if whole(buf[:n]) {
			return buf[:n], nil
		}
		if err != nil {
			return buf[:n], err
		}
	}
}

var (
	empty   = []byte("\r\n\r\n")
	lengthA = []byte("Content-Length: ")
	lengthB = []byte("content-length: ")
	lastOne = []byte("\r\n0\r\n\r\n")
)

func whole(b []byte) bool {
	i := bytes.Index(b, empty)
	if i < 0 {
		return false
	}
	at := bytes.Index(b[:i], lengthA)
	if at < 0 {
		at = bytes.Index(b[:i], lengthB)
	}
	if at < 0 {
		return bytes.HasSuffix(b, lastOne)
	}
	n := 0
	for _, c := range b[at+len(lengthA):] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return len(b) >= i+4+n
}

// upstreamMain is what all pass on to: it reads a head and says a small answer.
func upstreamMain(at string) {
	l, err := net.Listen("tcp", at)
	must(err)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 30 Nov 2026 12:00:00 GMT\r\nContent-Length: 27\r\n\r\n" +
		`{"items":[],"next":"none!"}`)
	for {
		c, err := l.Accept()
		must(err)
		go func() {
			defer c.Close()
			buf := make([]byte, 16<<10)
			n := 0
			for {
				m, err := c.Read(buf[n:])
				if err != nil {
					return
				}
				if n += m; bytes.HasSuffix(buf[:n], empty) {
					n = 0
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}
