//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/sam/suite"
)

// Life is how a restored connection stands.
type Life string

// The lives.
const (
	Alive    Life = "alive"     // Microsoft took its token, just now
	Dead     Life = "dead"      // it did not, or the token does not open
	Unsure   Life = "not known" // Microsoft could not be asked
	NotAsked Life = "not asked"
	HeldBack Life = "held back" // its row did not fit when the backup was made
)

// RestoredConnection is a connection after the restore.
type RestoredConnection struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Account  string    `json:"account"`
	Tenant   string    `json:"tenant"`
	Life     Life      `json:"life"`
	Obtained time.Time `json:"obtained"` // the refresh token of the backup
	// Older is how much of it the backup does not know.
	Older []string `json:"older,omitempty"`
	Words string   `json:"words,omitempty"` // why it is not alive
	Fix   string   `json:"fix,omitempty"`
	Heal  string   `json:"heal,omitempty"`
}

// RestoredApp is an app registration after the restore.
type RestoredApp struct {
	ClientID string   `json:"clientId"`
	Name     string   `json:"name"`
	Older    []string `json:"older,omitempty"`
	Unknown  string   `json:"unknown,omitempty"` // what Microsoft's record of it would say, and why it was not read
}

// takeUp opens the restored installation, takes its connections into use, and asks
// Microsoft how they stand.
func (i *Installation) takeUp(ctx context.Context, o Options, out *Restored, r RestoreOptions) (err error) {
	r.Tell("opening", 0, 0)
	s, err := Open(ctx, o)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the backup is in its place, and does not open: %s", err).WithHint("%s", problem.HintOf(err))
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	before, err := s.SAM.Store.List(ctx)
	if err != nil {
		return err
	}
	obtained := map[string]time.Time{}
	for _, c := range before {
		obtained[c.ID] = c.ObtainedAt
	}
	list, err := s.SAM.Restore(ctx, !r.Offline, func(done, of int) { r.Tell("asking", int64(done), int64(of)) })
	if err != nil {
		return err
	}
	for _, x := range list {
		out.Connections = append(out.Connections, restoredConnection(out, &x, obtained[x.Connection.ID], s.Now()))
	}
	if err := s.since(ctx, out, obtained); err != nil {
		return err
	}
	return s.apps(ctx, out, list)
}

// since says what was given or taken away after the backup, and takes away again
// what can be: a link counts once.
func (i *Installation) since(ctx context.Context, out *Restored, known map[string]time.Time) error {
	if out.Since == nil {
		return nil
	}
	note := func(format string, args ...any) { out.Notes = append(out.Notes, fmt.Sprintf(format, args...)) }
	told := map[string]bool{}
	for _, a := range out.Since.Acts {
		day := a.At.UTC().Format(time.DateOnly)
		switch _, has := known[a.Object]; {
		case a.Action == audit.ConnectionConsented && !has && !told[a.Object]:
			told[a.Object] = true
			note("the connection %s was made on %s, after the backup: it is not here; consent again with partnerguard connect", a.Object, day)
		case a.Action == audit.ApprovalWithdrawn:
			note("the approval %s was withdrawn on %s, after the backup, and counts again: partnerguard policy withdraw %s", a.Name, day, a.Name)
		case a.Action == audit.InvitationUsed || a.Action == audit.InvitationWithdrawn:
			switch err := i.SAM.Withdraw(ctx, a.Object); {
			case err == nil:
				note("the invitation %s was used or withdrawn on %s, after the backup: it does not count here either", a.Object, day)
			case !errors.Is(err, problem.NotFound): // of one made after the backup there is nothing
				return err
			}
		}
	}
	return nil
}

func restoredConnection(out *Restored, x *suite.Restored, obtained, now time.Time) RestoredConnection {
	c := &x.Connection
	rc := RestoredConnection{ID: c.ID, Name: c.Name, Account: c.Account, Tenant: c.Tenant, Obtained: obtained, Life: NotAsked}
	switch {
	case x.Held != nil:
		rc.Life, rc.Words, rc.Fix = HeldBack, public(x.Held), problem.HintOf(x.Held)
	case x.Outcome == renew.Renewed:
		rc.Life = Alive
	case x.Outcome != "":
		row := renew.Judge(*c, now)
		rc.Life, rc.Words, rc.Fix = Unsure, row.Words(), row.Fix
		if t := c.Trouble; t != nil {
			rc.Words, rc.Fix = t.Words, t.Fix
		}
		if x.Outcome == renew.Rejected || x.Outcome == renew.Damaged || x.Outcome == renew.Held || row.Health == renew.Dead {
			rc.Life, rc.Heal = Dead, sam.Heal(*c)
		}
	}
	if x.Note != "" {
		rc.Older = append(rc.Older, x.Note)
	}
	if out.Since == nil {
		return rc
	}
	if n := out.Since.Renewed[c.ID]; n.Times > 0 {
		times := fmt.Sprintf("%d times", n.Times)
		if n.Times == 1 {
			times = "once"
		}
		rc.Older = append(rc.Older, fmt.Sprintf("its refresh token was rotated %s after the backup, last on %s UTC: the backup's is older than the newest "+
			"that Microsoft gave", times, n.Last.UTC().Format("2006-01-02 15:04")))
	}
	for _, a := range out.Since.Acts {
		if a.Object != c.ID {
			continue
		}
		day := a.At.UTC().Format(time.DateOnly)
		switch a.Action {
		case audit.ConnectionRemoved:
			rc.Older = append(rc.Older, "it was removed after the backup, on "+day+", and is back: partnerguard connect remove "+c.ID)
		case audit.ConnectionRevoked:
			rc.Older = append(rc.Older, "its account's sessions were revoked after the backup, on "+day)
		}
	}
	return rc
}

// public is what may be shown of an error.
func public(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return "it could not be read"
}

// apps says of each app which credentials are newer than the backup: by what was
// done here since, and by what Microsoft has of it.
func (i *Installation) apps(ctx context.Context, out *Restored, list []suite.Restored) error {
	regs, err := i.SAM.Store.Registrations(ctx)
	if err != nil {
		return err
	}
	made := out.Backup.Made
	for _, r := range regs {
		a := RestoredApp{ClientID: r.ClientID, Name: r.Name}
		if out.Since != nil {
			for _, x := range out.Since.Acts {
				if x.Object == r.ClientID && (x.Action == audit.CredentialCreated || x.Action == audit.CredentialRemoved) {
					word := map[audit.Action]string{audit.CredentialCreated: "got another credential", audit.CredentialRemoved: "was removed"}[x.Action]
					a.Older = append(a.Older, "it "+word+" here after the backup, on "+x.At.UTC().Format("2006-01-02 15:04")+" UTC")
				}
			}
		}
		a.Unknown = "Microsoft was not asked"
		for _, x := range list {
			if x.Outcome != renew.Renewed || x.Connection.ClientID != r.ClientID {
				if x.Outcome != "" && x.Connection.ClientID == r.ClientID && a.Unknown != "" {
					a.Unknown = "no connection of it is alive that could ask Microsoft"
				}
				continue
			}
			newer, err := i.newer(ctx, x.Connection, made)
			if err == nil {
				a.Unknown = ""
				a.Older = append(a.Older, newer...)
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.Unknown = "its credentials at Microsoft were not read: " + public(err)
		}
		out.Apps = append(out.Apps, a)
	}
	return nil
}

// newer names the credentials that Microsoft has of an app since a moment.
func (i *Installation) newer(ctx context.Context, c sam.Connection, made time.Time) (out []string, err error) {
	g, err := i.SAM.Graph(c)
	if err != nil {
		return nil, err
	}
	raw, err := g.Application(ctx, c.ClientID)
	if err != nil {
		return nil, err
	}
	list, err := msapi.AppCredentials(raw)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		if !k.From.After(made) {
			continue
		}
		what := "a certificate"
		if k.Kind == msapi.ClientSecret {
			what = "a secret"
		}
		out = append(out, fmt.Sprintf("it has %s at Microsoft since %s, which the backup does not know (until %s)", what,
			k.From.UTC().Format("2006-01-02 15:04")+" UTC", k.Until.UTC().Format(time.DateOnly)))
	}
	return out, nil
}
