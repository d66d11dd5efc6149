//go:build !judge

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"partnerguard/internal/partnercloud/visitor"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/exchange"
)

// Collecting are the features of a connection that reads all there is to read of a
// tenant.
func Collecting() []capture.Feature {
	return []capture.Feature{capture.Customers, capture.Forecast, capture.Collect, capture.Risk, capture.SecureScore}
}

// ConnectLab gives the laboratory's connection. Where there is none that works, its
// account for integrations signs in, with password and one-time passcode, at the
// pages that everybody signs in at, and consents; fresh says so.
func (i *Installation) ConnectLab(ctx context.Context) (c sam.Connection, fresh bool, err error) {
	if i.lab == nil {
		return c, false, problem.New(problem.Usage, "this is not the partner cloud's installation").WithHint("connect with: partnerguard connect")
	}
	c, err = i.SAM.Connection(ctx, "")
	switch {
	case err == nil:
		if err := i.works(ctx, &c); err == nil || !dead(err) {
			return c, false, err
		}
	case !errors.Is(err, problem.NotFound):
		return c, false, err
	}
	c, err = i.consentInLab(ctx)
	return c, err == nil, err
}

// works says whether a connection still gives a token.
func (i *Installation) works(ctx context.Context, c *sam.Connection) error {
	x, err := i.SAM.Exchange()
	if err != nil {
		return err
	}
	_, err = x.Token(ctx, exchange.Request{Connection: c.ID, Resource: "graph", Caller: i.Actor})
	return err
}

// dead says of the refusal of a token that a new consent heals it.
func dead(err error) bool {
	return errors.Is(err, problem.BadInput) || errors.Is(err, problem.Forbidden) || errors.Is(err, problem.Unmet)
}

func (i *Installation) consentInLab(ctx context.Context) (c sam.Connection, err error) {
	p, err := labPerson(i.lab.Info)
	if err != nil {
		return c, err
	}
	r, err := i.SAM.Registration(ctx, "")
	if err != nil {
		return c, err
	}
	app, err := i.SAM.Store.App(ctx, r.ClientID)
	if err != nil {
		return c, err
	}
	take, err := i.SAM.Capture()
	if err != nil {
		return c, err
	}
	l, err := take.Listen(ctx, capture.Request{Model: sam.CSP, Cloud: i.Cloud, App: app, Tenant: r.Tenant, Redirect: "http://localhost",
		Features: Collecting(), Account: p.UPN, Actor: i.Actor})
	if err != nil {
		return c, err
	}
	defer l.Close()
	web := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.lab.Roots, MinVersion: tls.VersionTLS12}}
	defer web.CloseIdleConnections()
	b, err := visitor.New(web, i.Cloud.Authority)
	if err == nil {
		err = b.Open(ctx, l.URL)
	}
	if err == nil {
		err = b.SignIn(ctx, visitor.Person{UPN: p.UPN, Password: p.Password, Code: func() (string, error) { return i.lab.code(ctx, p) }})
	}
	if err != nil {
		return c, err
	}
	if b.Left == nil {
		return c, problem.New(problem.Unavailable, "%s could not sign in at the partner cloud: a page asks for more (status %d)", p.UPN, b.Status).
			WithHint("sign in by hand: partnerguard connect")
	}
	// The browser goes where it was sent, as any would: to the address that waits, and
	// from there to the page that says how it went.
	for n := 0; b.Left != nil && n < 3; n++ {
		if err := b.Open(ctx, b.Left.String()); err != nil {
			return c, err
		}
	}
	done, err := l.Wait(ctx)
	return done.Connection, err
}
