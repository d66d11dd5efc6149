package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// turn has devices send or read so many messages through one way, and proves that each
// came as it was. The clock ends when the server has the last one.
func (f *far) turn(m *middleman, work string, messages, size int) (c cost, err error) {
	f.mu.Lock()
	clear(f.got)
	f.mu.Unlock()
	f.size.Store(int64(size))
	open := f.sender
	if work == "read" {
		open = f.reader
	}
	devices := make([]device, lanes)
	for i := range devices { // the passwords are asked for before the clock begins
		if devices[i], err = open(m); err != nil {
			return c, err
		}
		defer devices[i].Close()
	}
	want := make([]string, messages)
	for i := range want {
		n := sizeOf(i, int64(size))
		if work == "read" {
			n = int64(size)
		}
		want[i] = sumOf(body(i, n))
	}
	before, err := m.ask()
	if err != nil {
		return c, err
	}
	began := time.Now()
	var group sync.WaitGroup
	errs := make([]error, lanes)
	for i, d := range devices {
		group.Go(func() {
			for n := i; n < messages && errs[i] == nil; n += lanes {
				errs[i] = d.one(n, int64(size), want[n])
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return c, err
	}
	if work == "send" {
		if err := f.arrived(want); err != nil {
			return c, err
		}
	}
	c.wall = time.Since(began)
	after, err := m.ask()
	c.cpu = after.CPU - before.CPU
	return c, err
}

// arrived waits until all bodies came, each once.
func (f *far) arrived(want []string) error {
	late := time.After(2 * time.Minute)
	for {
		f.mu.Lock()
		missing, twice := 0, 0
		for _, s := range want {
			if f.got[s] == 0 {
				missing++
			}
			if f.got[s] > 1 {
				twice++
			}
		}
		others := len(f.got) - (len(want) - missing)
		f.mu.Unlock()
		switch {
		case others > 0 || twice > 0:
			return fmt.Errorf("%d bodies came that nobody sent, %d twice", others, twice)
		case missing == 0:
			return nil
		}
		select {
		case <-f.more:
		case <-late:
			return fmt.Errorf("%d of %d messages did not come", missing, len(want))
		}
	}
}

// device is one connection of a device.
type device interface {
	one(n int, size int64, want string) error
	io.Closer
}

type sender struct {
	*smtp.Client
	from string
}

func (f *far) sender(m *middleman) (device, error) {
	raw, err := net.Dial("tcp", m.SMTP)
	if err != nil {
		return nil, err
	}
	c, err := smtp.NewClientStartTLS(raw, f.near)
	if err != nil {
		return nil, err
	}
	return &sender{c, m.User}, c.Auth(sasl.NewPlainClient("", m.User, m.Password))
}

func (s *sender) one(n int, size int64, _ string) error {
	head := fmt.Sprintf("From: %s\r\nSubject: a page\r\nDate: Mon, 30 Nov 2026 02:00:00 +0000\r\nMessage-ID: <%d@scanner>\r\n\r\n", s.from, n)
	return s.SendMail(s.from, []string{"ben@t.example"}, io.MultiReader(strings.NewReader(head), body(n, sizeOf(n, size))))
}

type reading struct {
	net.Conn
	in *bufio.Reader
}

func (f *far) reader(m *middleman) (device, error) {
	c, err := tls.Dial("tcp", m.IMAP, f.near)
	if err != nil {
		return nil, err
	}
	r := &reading{c, bufio.NewReaderSize(c, 32<<10)}
	if _, err := r.in.ReadString('\n'); err != nil {
		return nil, err
	}
	return r, r.ask("LOGIN "+m.User+" "+m.Password, nil)
}

// ask sends a command and reads its answers; literal is given each literal's length.
func (r *reading) ask(command string, literal func(n int64) error) error {
	if _, err := fmt.Fprintf(r, "a %s\r\n", command); err != nil {
		return err
	}
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "a ") {
			if !strings.HasPrefix(line, "a OK") {
				return errors.New(line)
			}
			return nil
		}
		var n int64
		if at := strings.LastIndexByte(line, '{'); at >= 0 && literal != nil {
			if _, err := fmt.Sscanf(line[at:], "{%d}", &n); err != nil {
				return err
			}
			if err := literal(n); err != nil {
				return err
			}
		}
	}
}

func (r *reading) one(n int, size int64, want string) error {
	came := false
	err := r.ask(fmt.Sprintf("FETCH %d BODY[]", n), func(length int64) error {
		sum := sha256.New()
		if _, err := io.CopyN(sum, r.in, length); err != nil {
			return err
		}
		if came = true; length != size || string(sum.Sum(nil)) != want {
			return fmt.Errorf("message %d is not as it was, %d bytes", n, length)
		}
		return nil
	})
	if err == nil && !came {
		err = fmt.Errorf("message %d did not come", n)
	}
	return err
}
