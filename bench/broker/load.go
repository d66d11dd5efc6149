package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// size asks once and gives the answer's length.
func (s *server) size() (int, error) {
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := c.Write(s.request()); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", s.kind, res.Status)
	}
	return int(res.ContentLength), nil
}

// load opens n connections, asks once over each, and then, from begin on, over
// and over until the time is up. It says how many answers came since. Only the
// status and the length are looked at: the load shares the processors with the
// server.
func (s *server) load(n int, lasts time.Duration, begin func() error) (warm, count int64, err error) {
	request := s.request()
	var done, warmed atomic.Int64
	var stop atomic.Bool
	var first error
	var once sync.Once
	var ready, all sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for range n {
		all.Go(func() {
			c, err := dial(s.Addr, request)
			if err == nil {
				warmed.Add(1)
				defer c.Close()
			}
			ready.Done()
			<-start
			for err == nil && !stop.Load() {
				if err = c.ask(request); err == nil {
					done.Add(1)
				}
			}
			if err != nil {
				once.Do(func() { first = err })
				stop.Store(true)
			}
		})
	}
	ready.Wait()
	if err := begin(); err != nil {
		stop.Store(true)
		close(start)
		all.Wait()
		return 0, 0, err
	}
	time.AfterFunc(lasts, func() { stop.Store(true) })
	close(start)
	all.Wait()
	return warmed.Load(), done.Load(), first
}

var (
	ok     = []byte("HTTP/1.1 200 OK")
	length = []byte("Content-Length: ")
)

// conn is a connection that is kept.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(addr string, request []byte) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	k := &conn{c, bufio.NewReaderSize(c, 8<<10)}
	if err := k.ask(request); err != nil {
		_ = c.Close()
		return nil, err
	}
	return k, nil
}

func (c *conn) ask(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, ok) {
		return fmt.Errorf("%s", bytes.TrimSpace(line))
	}
	n := -1
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if v, is := bytes.CutPrefix(line, length); is {
			n = 0
			for _, d := range bytes.TrimSpace(v) {
				n = n*10 + int(d-'0')
			}
		}
	}
	if n < 0 {
		return errors.New("an answer without a length")
	}
	_, err = c.r.Discard(n)
	return err
}
