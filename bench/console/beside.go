package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"partnerguard/internal/archive"
)

// Every second a customer was read: an hour is enough for 3,600 customers.
const (
	roundEvery  = time.Second
	judgeEvery  = 20 * time.Second // the partner's own tenant is judged
	pagesOf     = 3
	bytesOfPage = 300_000
)

// beside has a collection go on until the function is called that it gives: pages of a
// customer are archived and committed, and what is shown of it is made anew, as after a
// round; now and then the partner's own tenant is judged for real.
func (s *served) beside(ctx context.Context, o options) (func() string, error) {
	parts, err := s.parts(ctx, o.accounts)
	if err != nil {
		return nil, err
	}
	body := bytes.Repeat([]byte(`{"id":"8ad2c2c1-0000-4000-8000-000000000000","userPrincipalName":"user@customer.example","status":{"errorCode":0}},`), bytesOfPage/114)
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	var rounds, judged int
	var fail error
	wait.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(roundEvery):
			}
			if err := s.round(ctx, n%len(s.tenants), parts, body); err != nil {
				if ctx.Err() == nil {
					fail = err
				}
				return
			}
			rounds++
		}
	})
	wait.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(judgeEvery):
			}
			if _, _, err := s.KeepRound(ctx, s.partner); err != nil {
				return
			}
			judged++
		}
	})
	var once sync.Once
	return func() string {
		once.Do(func() { cancel(); wait.Wait() })
		if fail != nil {
			return fmt.Sprintf("a collection that broke off after %d rounds: %v", rounds, fail)
		}
		return fmt.Sprintf("%d rounds of customers and %d judgements of the partner", rounds, judged)
	}, nil
}

// round is one customer's: pages into the archive, and what is shown of it.
func (s *served) round(ctx context.Context, n int, parts *shown, body []byte) error {
	w, err := s.Archive.Begin(s.tenants[n])
	if err != nil {
		return err
	}
	at := s.Now().UTC()
	run := archive.Run{ID: archive.NewRun(at), Tenant: s.tenants[n], Resource: "users", Way: "whole", Began: at, Ended: at, Whole: true}
	for i := range pagesOf {
		page := fmt.Appendf(nil, `{"n":%d,"at":%q,"value":[%s{}]}`, i, at.Format(time.RFC3339Nano), body)
		if err := w.Add(archive.Page{Tenant: run.Tenant, Resource: run.Resource, Run: run.ID, Number: i, Request: "GET /v1.0/users", Status: 200, At: at,
			Body: page}); err != nil {
			return err
		}
		run.Pages++
	}
	if err := w.End(run); err != nil {
		return err
	}
	if _, err := w.Commit(ctx, nil); err != nil {
		return err
	}
	return s.Snapshot.Put(ctx, s.tenants[n], at, "", parts.of(n, at))
}
