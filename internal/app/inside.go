//go:build !judge

package app

import (
	"context"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/config"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/problem"
)

// Inside is a partner cloud in this very process, for an installation that has
// none to talk to.
type Inside struct {
	Lab
	server *partnercloud.Server
}

// WantsInside says that an installation is the laboratory's and nothing else: its
// settings name the partner cloud, or no cloud and nothing was ever kept for a real
// one.
func WantsInside(ctx context.Context, c *config.Config) bool {
	if c.Cloud != "" {
		return c.Cloud == LabName
	}
	i := newInstallation(Options{Config: c, Now: time.Now})
	return c.Database == "" && i.unused(ctx, filepath.Join(c.Data, "partnerguard.db"))
}

// StartInside starts the partner cloud of an installation, whose world lies beside
// its data and goes on where it was. change may say what else it starts with.
func StartInside(ctx context.Context, c *config.Config, now func() time.Time, log *slog.Logger, change ...func(*partnercloud.Options)) (*Inside, error) {
	// With mail: a bridge may begin at any time, and its cloud is not started again for it.
	o := partnercloud.Options{State: filepath.Join(c.Data, LabName, "cloud"), Now: now, Log: log, Mail: true}
	for _, f := range change {
		f(&o)
	}
	if err := os.MkdirAll(filepath.Join(c.Data, LabName), 0o700); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder %s cannot be made", filepath.Join(c.Data, LabName)).WithHint("name another with --data")
	}
	s, err := partnercloud.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	info := s.Info()
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(info.CAFile)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, problem.Wrap(err, problem.Internal, "the certificate of the partner cloud cannot be read")
	}
	clock := func(context.Context) (time.Time, error) { return s.World.Clock.Now(), nil }
	return &Inside{Lab{Info: &info, Roots: roots, Clock: clock}, s}, nil
}

// Close saves its world and ends it.
func (in *Inside) Close(ctx context.Context) error { return in.server.Close(ctx) }

// integrationAccount is who signs in for integrations in the embedded scenario.
const integrationAccount = "sam-agent@contoso.com"

// labPerson finds who may consent for the laboratory: the account for
// integrations, else the first who has a second factor.
func labPerson(info *partnercloud.Info) (*partnercloud.Person, error) {
	able := func(p partnercloud.Person) bool { return p.Password != "" && p.TOTP != "" }
	n := slices.IndexFunc(info.People, func(p partnercloud.Person) bool { return able(p) && p.UPN == integrationAccount })
	if n < 0 {
		n = slices.IndexFunc(info.People, able)
	}
	if n < 0 {
		return nil, problem.New(problem.NotFound, "nobody of this partner cloud can sign in with a one-time passcode").
			WithHint("connect by hand: partnerguard connect")
	}
	return &info.People[n], nil
}

// code is a person's one-time passcode at the laboratory's moment.
func (l *Lab) code(ctx context.Context, p *partnercloud.Person) (string, error) {
	at, err := l.Clock(ctx)
	if err != nil {
		return "", err
	}
	return totp.GenerateCode(p.TOTP, at)
}
