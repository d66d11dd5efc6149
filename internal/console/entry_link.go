package console

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// LinkLife is how long a link waits to be used.
const LinkLife = 10 * time.Minute

// link lets its maker in, once, from this machine.
type link struct {
	id, hash, actor string
	made, ends      time.Time
	mark            []byte
}

// Link makes a link to the console at address ("http://127.0.0.1:8443", of this machine)
// for actor, "local:USER". It works once within [LinkLife], from this machine alone, and
// lets in as the operator of the machine. Whoever sees it could use it: it is told to its
// maker alone. Kind problem.Usage for an address that is not this machine's.
func (c *Console) Link(ctx context.Context, actor, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !loopbackName(u.Hostname()) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", problem.New(problem.Usage, "%.100q is no address of this machine", address).
			WithHint("a link is for this machine alone: http://127.0.0.1 or http://localhost with the port that serve answers on")
	}
	if !strings.HasPrefix(actor, "local:") {
		return "", problem.New(problem.Usage, "a link is made by a user of this machine, not by %.60q", actor)
	}
	text := token.Text()
	now := c.now()
	l := &link{id: token.ID("cl"), hash: hashOf(text), actor: actor, made: now, ends: now.Add(LinkLife)}
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := c.sweep(ctx, now); err != nil {
			return err
		}
		if err := c.insertLink(ctx, l); err != nil {
			return err
		}
		return c.record(ctx, audit.Event{Action: audit.ConsoleLinkMade, Outcome: audit.Done, Actor: actor, Object: l.id,
			Details: map[string]string{"ends": l.ends.Format(time.RFC3339)}})
	})
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host + linkPath + text.Reveal(), nil
}

func loopbackName(host string) bool {
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1"
}

// findLink gives a link that can still be used. Kind problem.NotFound where it cannot,
// without saying which of the reasons it is.
func (c *Console) findLink(ctx context.Context, text secret.Text) (link, error) {
	no := problem.New(problem.NotFound, "this link does not let anybody in: it was used, is older than ten minutes, or never was").
		WithHint("make another on this machine: partnerguard console link")
	if len(text.Reveal()) != 43 {
		return link{}, no
	}
	hash := hashOf(text)
	l, err := c.linkRow(ctx, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return link{}, no
	}
	if err != nil {
		return link{}, err
	}
	now := c.now()
	if l.hash != hash || !now.Before(l.ends) || now.Before(l.made.Add(-backwards)) || now.Sub(l.made) >= LinkLife {
		return link{}, no
	}
	if err := c.holds(ctx, linkBook, l.id, l.mark, l.values(), audit.ConsoleLinkMade); isForged(err) {
		return link{}, no
	} else if err != nil {
		return link{}, err
	}
	return l, nil
}

// useLink begins a session with a link, which is used up by it.
func (c *Console) useLink(ctx context.Context, text secret.Text, r *http.Request, was string) (*Session, secret.Text, error) {
	l, err := c.findLink(ctx, text)
	if err != nil {
		return nil, secret.Text{}, err
	}
	now := c.now()
	s := &Session{Way: ByLink, Actor: l.actor, Name: strings.TrimPrefix(l.actor, "local:"), Role: RoleOperator, Proof: "a link of this machine", Proven: now,
		Address: addressOf(r), Client: clientOf(r)}
	var cookie secret.Text
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error {
		n, err := c.deleteLink(ctx, l.id)
		if err != nil {
			return err
		}
		if n != 1 { // another was faster
			return problem.New(problem.NotFound, "this link was used a moment ago").WithHint("make another on this machine: partnerguard console link")
		}
		if err := c.record(ctx, audit.Event{Action: audit.ConsoleLinkUsed, Outcome: audit.Done, Actor: l.actor, Object: l.id,
			Details: map[string]string{"address": s.Address, "client": s.Client}}); err != nil {
			return err
		}
		cookie, err = c.begin(ctx, s, was, audit.ConsoleEntered, map[string]string{"link": l.id})
		return err
	})
	return s, cookie, err
}
