package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/config"
	"partnerguard/internal/web"
)

// house is an installation with a partner cloud inside.
type house struct {
	*app.Installation
	inside  *app.Inside
	log     *slog.Logger
	partner string // its own tenant
	judged  *app.Judged
	tenants []string // those that were made up
	filled  time.Duration
}

// open starts the partner cloud of a folder, connects to it, and reads the partner's
// tenant, as up does. The database is a file of the folder, or at url.
func open(ctx context.Context, dir, url string, log *slog.Logger) (_ *house, err error) {
	env := map[string]string{"HOME": dir, "XDG_DATA_HOME": dir, "XDG_CONFIG_HOME": dir, "PARTNERGUARD_DATABASE": url}
	getenv := func(name string) string { return env[name] }
	c, err := config.Load(config.Source{Getenv: getenv, Flags: map[string]string{"data": dir, "cloud": app.LabName,
		"master-key": "file:" + filepath.Join(dir, "key")}})
	if err != nil {
		return nil, err
	}
	h := &house{log: log}
	if h.inside, err = app.StartInside(ctx, c, time.Now, log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	h.Installation, err = app.Open(ctx, app.Options{Config: c, Lab: &h.inside.Lab, Actor: "local:bench", Now: time.Now, Getenv: getenv, Log: log})
	if err != nil {
		return nil, err
	}
	conn, _, err := h.ConnectLab(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	h.partner = conn.Tenant
	t, err := h.Collect.Meet(ctx)
	if err == nil {
		_, err = h.Collect.Round(ctx, t.ID, collect.Ask{})
	}
	return h, err
}

func (h *house) close() (err error) {
	if h.Installation != nil {
		err = h.Installation.Close()
	}
	closing, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	return errors.Join(err, h.inside.Close(closing))
}

// served is the server under test, with the bare handler beside it.
type served struct {
	*house
	at, bare string // http://127.0.0.1:PORT
	stop     context.CancelFunc
	done     []chan error
}

// serve has the whole server answer on loopback, and a bare handler of the same kernel
// at a port of its own.
func (h *house) serve(ctx context.Context) (*served, error) {
	main, err := h.Serve(ctx, app.ServeOptions{})
	if err != nil {
		return nil, err
	}
	bare := web.NewKernel(web.Deps{})
	bare.Handle(web.Route{Name: "bare", Pattern: "GET /bare", Access: web.Public("the peer of a benchmark"), Handle: bareHandler()})
	s := &served{house: h}
	ctx, s.stop = context.WithCancel(ctx)
	for _, x := range []struct {
		handler *web.Kernel
		at      *string
	}{{main.(*web.Kernel), &s.at}, {bare, &s.bare}} { //nolint:forcetypeassert // Serve gives the kernel
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.stop()
			return nil, err
		}
		*x.at = "http://" + l.Addr().String()
		done, ready := make(chan error, 1), make(chan struct{})
		go func() {
			done <- web.Serve(ctx, web.Options{Listener: l, Handler: x.handler, Log: h.log, Ready: func() { close(ready) }})
		}()
		<-ready
		s.done = append(s.done, done)
	}
	return s, nil
}

func (s *served) close() {
	s.stop()
	for _, d := range s.done {
		<-d
	}
}
