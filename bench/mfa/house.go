package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/config"
	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

const (
	tenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	public = "https://guard.example"
)

// clock is the installation's: passcodes change by it, and no round waits for that.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time       { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(by time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(by) }
func objectOf(n int) string           { return fmt.Sprintf("5a000000-0000-4000-8000-%012x", n) }
func sourceOf(n int) string           { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }
func (p *owner) code() secret.Text    { return p.codeAt(p.clock.now()) }
func (p *owner) account() mfa.Account { return p.person.Account }
func (h *house) owner(n int) *owner   { return &h.owners[n%len(h.owners)] }
func (p *owner) try(what string) mfa.Try {
	return mfa.Try{Person: p.person, Source: sourceOf(p.n), What: what}
}

// owner is a person with an authenticator app.
type owner struct {
	n      int
	person mfa.Person
	seed   factor.Seed
	clock  *clock
}

func (p *owner) codeAt(at time.Time) secret.Text {
	c, err := p.seed.Code(p.seed.Step(at))
	if err != nil {
		panic(err)
	}
	return c
}

// house is an installation as partnerguard serve has it.
type house struct {
	*app.Installation
	clock  *clock
	owners []owner
}

// open opens an installation in a folder, over its SQLite or over url.
func open(ctx context.Context, dir, url string) (*house, error) {
	key := filepath.Join(dir, "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		return nil, err
	}
	env := map[string]string{"HOME": dir, "XDG_DATA_HOME": dir, "XDG_CONFIG_HOME": dir, "PARTNERGUARD_DATABASE": url}
	getenv := func(name string) string { return env[name] }
	c, err := config.Load(config.Source{Getenv: getenv, Flags: map[string]string{"data": dir, "public-url": public, "master-key": "file:" + key}})
	if err != nil {
		return nil, err
	}
	h := &house{clock: &clock{at: time.Date(2026, 11, 30, 2, 0, 1, 0, time.UTC)}}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	h.Installation, err = app.Open(ctx, app.Options{Config: c, Actor: "local:bench", Now: h.clock.now, Getenv: getenv, Log: log})
	return h, err
}

// enrol gives n people an authenticator app each: the rows, secrets and entries of the
// trail that package mfa writes, without the recovery codes, whose hashes would take
// minutes.
func (h *house) enrol(ctx context.Context, n int) error {
	h.owners = make([]owner, n)
	for i := range h.owners {
		h.owners[i] = owner{n: i, clock: h.clock}
	}
	for part := range slices.Chunk(h.owners, 500) {
		err := h.DB.InTx(ctx, func(ctx context.Context) error {
			for i := range part {
				if err := h.enrolOne(ctx, &part[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i := range h.owners { // as it is read, with its version
		p, err := h.MFA.Of(ctx, h.owners[i].account())
		if err != nil {
			return err
		}
		h.owners[i].person = p
	}
	return nil
}

func (h *house) enrolOne(ctx context.Context, p *owner) error {
	now := h.clock.now()
	p.seed = factor.NewSeed()
	p.person = mfa.Person{ID: token.ID("mp"), Account: mfa.Account{Tenant: tenant, Object: objectOf(p.n)}, Name: "Person " + strconv.Itoa(p.n),
		Login: fmt.Sprintf("p%d@contoso.example", p.n), State: mfa.Active, Made: now, Had: true, Handle: token.Text().Reveal()}
	f := mfa.Factor{ID: token.ID("mf"), Person: p.person.ID, Kind: mfa.TOTP, Label: "Phone", Made: now, By: "bench", Algorithm: string(p.seed.Algorithm),
		Digits: p.seed.Digits, Period: p.seed.Period}
	whose := vault.Bound(tenant, p.person.Account.Object)
	return errors.Join(
		h.row(ctx, "mfa_people", p.person.ID, tenant+"/"+p.person.Account.Object, "", p.person),
		h.row(ctx, "mfa_factors", f.ID, f.ID, p.person.ID, f),
		h.Vault.Put(ctx, vault.Ref{Purpose: "mfa-known", Owner: p.person.ID, Bound: whose}, token.Text()),
		h.Vault.Put(ctx, vault.Ref{Purpose: "mfa-totp", Owner: p.person.ID, Name: f.ID, Bound: vault.Bound(tenant, p.person.Account.Object, f.ID,
			f.Algorithm, strconv.Itoa(f.Digits), strconv.Itoa(f.Period))}, p.seed.Secret),
		h.Trail.Record(ctx, audit.Event{At: now, Action: audit.MFAEnrolled, Outcome: audit.Done, Actor: "local:bench", Object: f.ID, Tenant: tenant}))
}

// row writes a marked row.
func (h *house) row(ctx context.Context, table, id, look, person string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	books := mfa.Books()
	at := slices.IndexFunc(books, func(b *vault.Book) bool { return b.Table == table })
	if at < 0 {
		return fmt.Errorf("there is no table %s", table)
	}
	values := []any{id, look, person, mfa.Active, int64(0), string(text), int64(1)}
	mark, err := h.Vault.Mark(ctx, books[at], values...)
	if err != nil {
		return err
	}
	_, err = h.DB.ExecContext(ctx, "INSERT INTO "+table+" (id, look, person, state, ends, body, version, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		append(values, mark)...)
	return err
}
