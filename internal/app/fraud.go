//go:build !judge

package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/doorbell"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/web"
)

// makeFraud makes the desk of Microsoft's alerts about fraud: without the vault it shows what
// is kept, and nothing is done.
func (i *Installation) makeFraud() (err error) {
	d := desk.Deps{DB: i.DB, Record: i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log, Config: &i.Config.Fraud}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	if !i.look {
		d.Last = i.lastOfFraud
	}
	if i.SAM != nil {
		d.Cloud = i.fraudCloud()
		d.Told, d.Judge = i.fraudTold, i.fraudJudge
	}
	if i.Config.Fraud.Escalate != "" && i.Notify != nil {
		d.Escalate = i.fraudEscalate
	}
	if i.Fraud, err = desk.New(d); err != nil || i.Vault == nil {
		return err
	}
	i.Doorbell, err = doorbell.New(doorbell.Deps{DB: i.DB, Record: i.Trail, Trust: i.doorbellTrust(), Config: &i.Config.Doorbell, Now: i.Now, Log: i.Log,
		Ring: i.Fraud.Ring})
	return err
}

// doorbellTrust is by whose signature a ring is believed: the local cloud's at its own place,
// and in no other installation.
func (i *Installation) doorbellTrust() doorbell.Trust {
	if i.lab == nil {
		return doorbell.Microsoft()
	}
	return doorbell.Laboratory(i.lab.Info.PartnerCenter, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.lab.Roots, MinVersion: tls.VersionTLS12}})
}

// fraudCloud gives the way to Microsoft: as the account of the connection that reads the
// partner, and as its app by itself where that is not let in.
func (i *Installation) fraudCloud() func(context.Context) (desk.Cloud, error) {
	app := &appBearer{i: i}
	return func(ctx context.Context) (desk.Cloud, error) {
		c, err := i.fraudConnection(ctx)
		if err != nil {
			return nil, err
		}
		p, err := i.SAM.PartnerCenter(c)
		if err != nil {
			return nil, err
		}
		g, err := i.SAM.Graph(c)
		if err != nil {
			return nil, err
		}
		alone, err := i.API.Graph(i.Cloud, c.Tenant, app.of(c))
		if err != nil {
			return nil, err
		}
		return desk.Live(p, g, alone), nil
	}
}

// fraudConnection is the connection that reads the partner.
func (i *Installation) fraudConnection(ctx context.Context) (sam.Connection, error) {
	return i.SAM.Connection(ctx, i.Config.Collect.Connection)
}

// appBearer keeps the tokens of apps themselves while they are good. Safe for concurrent use.
type appBearer struct {
	i *Installation

	mu   sync.Mutex // guards kept
	kept map[string]*msapi.Grant
}

// of gives tokens for Graph in the partner's tenant.
func (b *appBearer) of(c sam.Connection) msapi.Bearer {
	return func(ctx context.Context) (secret.Text, error) {
		now := b.i.Now()
		b.mu.Lock()
		g := b.kept[c.ID]
		b.mu.Unlock()
		if g != nil && now.After(g.At.Add(-time.Minute)) && now.Before(g.Expires.Add(-5*time.Minute)) {
			return g.Access, nil
		}
		g, err := b.i.SAM.AppToken(ctx, c, "partner", "graph")
		if err != nil {
			return secret.Text{}, err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.kept == nil || len(b.kept) > 100 {
			b.kept = map[string]*msapi.Grant{}
		}
		b.kept[c.ID] = g
		return g.Access, nil
	}
}

// fraudTold has people told of new alerts at once.
func (i *Installation) fraudTold(ctx context.Context) error { return i.Alerts.Look(ctx) }

// fraudJudge has the alerts read into the archive, and the requirements about them judged by
// what is there.
func (i *Installation) fraudJudge(ctx context.Context) (err error) {
	return i.CollectNow(ctx, "partner", collect.Ask{Now: true, Only: []string{"securityAlerts"}}, func(_ collect.Round, rerr error) {
		if err == nil {
			err = rerr
		}
	})
}

// fraudEscalate tells the channel of escalation of a group, once a stage, in quiet hours too.
func (i *Installation) fraudEscalate(ctx context.Context, g *desk.Group) error {
	first := &g.Cases[0]
	sum := sha256.Sum256([]byte(g.Key + "\x00" + first.ID))
	key := "fraud-" + hex.EncodeToString(sum[:8]) + "-" + g.Stage.String()
	title := map[desk.Stage]string{desk.Late: "Nobody reacted to a fraud alert for an hour", desk.Near: "The 24 hours of a fraud alert are over soon",
		desk.Over: "The 24 hours of a fraud alert are over"}[g.Stage]
	m := &notify.Message{ID: key, Event: "fraud.escalated", Severity: notify.Urgent, At: i.Now(), Thread: "fraud " + first.ID, Title: title + ": " + fraudTitle(g),
		Text: fraudCause(g, i.Now()), Commands: []string{"partnerguard fraud show " + first.ID, "partnerguard fraud assign " + first.ID}}
	return i.DB.InTx(ctx, func(ctx context.Context) error {
		fresh, err := notify.NewTold(i.DB).Once(ctx, key, i.Now())
		if err != nil || !fresh {
			return err
		}
		return i.Notify.Put(ctx, m, i.Config.Fraud.Escalate)
	})
}

// aboutFraud begins the lines that say something of alerts.
var aboutFraud = []byte(`"action":"fraud.`)

// lastOfFraud gives the action by which the trail knows of a version of a row of an alert. What
// was read was held to the trail's root.
func (i *Installation) lastOfFraud(ctx context.Context) (func(alert, row string) audit.Action, error) {
	all, err := i.fraudWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, aboutFraud) },
		func(e *trail.Entry) ([2]string, bool) {
			return [2]string{e.Object, e.Details["row"]}, e.Details["row"] != ""
		})
	if err != nil {
		return nil, err
	}
	return func(alert, row string) audit.Action { return all[[2]string{alert, row}] }, nil
}

// FraudAnswer answers an alert and sends that at once, where Microsoft answers. It stops
// nothing. What is left to be sent is told by the case.
func (i *Installation) FraudAnswer(ctx context.Context, id string, do func(context.Context, string) error) (*desk.Case, error) {
	c, err := i.Fraud.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := do(ctx, c.ID); err != nil {
		return nil, err
	}
	if err := i.Fraud.Send(ctx, c.ID); err != nil {
		i.Log.WarnContext(ctx, "the answer is queued, and not sent yet", "alert", c.ID, "err", err)
	} else if _, err := i.Fraud.Pull(ctx); err != nil {
		i.Log.WarnContext(ctx, "the alerts were not read after the answer", "err", err)
	}
	return i.Fraud.Get(ctx, c.ID)
}

// FraudWebhookURL is where Partner Center rings. Kind problem.Usage where nobody said how this
// installation is reached.
func (i *Installation) FraudWebhookURL() (string, error) {
	base := strings.TrimSuffix(i.Config.Web.PublicURL, "/")
	if base == "" && i.lab != nil { // it rings at this machine
		base = web.Here(&i.Config.Web)
	}
	if base == "" {
		return "", problem.New(problem.Usage, "how Partner Center reaches this installation is not known").
			WithHint("set publicURL, such as https://guard.contoso.example; without a webhook alerts are read every %s", i.Config.Fraud.Every)
	}
	return base + i.Config.Doorbell.Path, nil
}

// FraudWebhook does something with the webhook at Partner Center.
func (i *Installation) FraudWebhook(ctx context.Context, do func(c doorbell.Center, where string) error) error {
	where, err := i.FraudWebhookURL()
	if err != nil {
		return err
	}
	c, err := i.fraudConnection(ctx)
	if err != nil {
		return err
	}
	p, err := i.SAM.PartnerCenter(c)
	if err != nil {
		return err
	}
	return do(p, where)
}

// FraudWebhookChanged records that the webhook was registered, changed or emptied.
func (i *Installation) FraudWebhookChanged(ctx context.Context, r msapi.Registration) error {
	return i.Trail.Record(ctx, audit.Event{At: i.Now(), Action: audit.FraudWebhook, Outcome: audit.Done, Actor: i.Actor, Object: "webhook",
		Details: map[string]string{"url": print.Clean(r.URL, 200), "events": fmt.Sprint(len(r.Events))}})
}
