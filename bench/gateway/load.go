package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
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
	Refused bool // a 401 is what is expected
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
	must(json.NewDecoder(os.Stdin).Decode(&j))
	must(json.NewEncoder(os.Stdout).Encode(j.run()))
}

func (j *job) run() result {
	var good, bad, next atomic.Int64
	var first atomic.Pointer[string]
	var all sync.WaitGroup
	heads := make([][]byte, len(j.Tokens))
	for i, t := range j.Tokens {
		heads[i] = fmt.Appendf(nil, "GET /api/customers?page=2 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: azsdk-go-panel/1.4 (go1.26; linux)\r\n"+
			"Accept: application/json\r\nx-ms-client-request-id: 6f0c1f0e-6f6b-4a3e-9d3a-2f1f0c9a7b36\r\nAuthorization: Bearer %s\r\n\r\n", t)
	}
	want := []byte("HTTP/1.1 200")
	if j.Refused {
		want = []byte("HTTP/1.1 401")
	}
	began := time.Now()
	end := began.Add(j.For)
	for range j.Conns {
		all.Go(func() {
			c, err := j.dial()
			if err != nil {
				text := err.Error()
				first.CompareAndSwap(nil, &text)
				bad.Add(1)
				return
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(end.Add(5 * time.Second))
			buf := make([]byte, 16<<10)
			for n := 0; ; n++ {
				if n%8 == 0 && time.Now().After(end) {
					return
				}
				head := heads[int(next.Add(1))%len(heads)]
				got, err := ask(c, head, buf)
				if err == io.EOF && len(got) == 0 && n > 0 { // it closes behind an answer, as it may
					if c, err = j.dial(); err != nil {
						return
					}
					_ = c.SetDeadline(end.Add(5 * time.Second))
					got, err = ask(c, head, buf)
				}
				if err == nil && bytes.HasPrefix(got, want) {
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
	all.Wait()
	r := result{Good: good.Load(), Bad: bad.Load(), Took: time.Since(began)}
	if p := first.Load(); p != nil {
		r.First = *p
	}
	return r
}

func (j *job) dial() (net.Conn, error) {
	if !j.TLS {
		return net.Dial("tcp", j.At)
	}
	return tls.Dial("tcp", j.At, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // the certificate is the bench's own
}

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
