//go:build !judge

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/run"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
)

// makeBridge makes the mail bridge, which runs when it is started.
func (i *Installation) makeBridge() (err error) {
	d := run.Deps{DB: i.DB, Vault: i.Vault, Trail: i.Trail, Folder: i.queueDir(), Now: i.Now, Log: i.Log,
		Tokens: func(f *bridge.File) upstream.Tokens { return &mailTokens{i: i, file: f, own: map[string]appToken{}} },
		Free: func(folder string) (uint64, bool) {
			free, _, ok := observe.Disk(folder)
			return free, ok
		}}
	if i.Lab() { // a laboratory's tokens and mail never reach Microsoft
		d.Upstream = &run.Elsewhere{Hosts: bridge.Upstream{SMTP: noMail, IMAP: noMail, POP3: noMail}, Names: bridge.DefaultUpstream}
		if i.lab != nil && i.lab.Info.Mail != nil {
			m := i.lab.Info.Mail
			d.Upstream.Hosts, d.Upstream.Roots = bridge.Upstream{SMTP: m.SMTP, IMAP: m.IMAP, POP3: m.POP}, i.lab.Roots
		}
	}
	i.Bridge, err = run.New(d)
	return err
}

// noMail is where a laboratory's mail goes that has no mail service (RFC 2606).
const noMail = "partner-cloud.invalid:587"

// queueDir is the folder of what the bridge is to send. The lab's lies apart.
func (i *Installation) queueDir() string {
	dir := i.Config.Data
	if i.Lab() {
		dir = filepath.Join(dir, LabName)
	}
	return filepath.Join(dir, "bridge")
}

// StartBridge runs the bridge as its file says until the installation is closed.
func (i *Installation) StartBridge(ctx context.Context, f *bridge.File) ([]run.Where, error) {
	if i.lab != nil && i.lab.Info.Mail == nil {
		return nil, problem.New(problem.Usage, "the partner cloud that runs has no mail service").WithHint("start it with: partnerguard cloud --mail")
	}
	where, err := i.Bridge.Start(ctx, f)
	if err != nil {
		return nil, err
	}
	i.close = append(i.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		return i.Bridge.Stop(ending)
	})
	return where, nil
}

// startBridge runs the bridge within serve, where the settings say so.
func (i *Installation) startBridge(ctx context.Context) error {
	if i.Config.Bridge.File == "" {
		return nil
	}
	f, err := bridge.ReadFile(i.Config.Bridge.File)
	if err != nil {
		return err
	}
	where, err := i.StartBridge(ctx, f)
	for _, w := range where {
		i.Log.InfoContext(ctx, "the mail bridge listens", "protocol", w.Protocol, "tls", w.TLS, "at", w.Addr.String())
	}
	return err
}

// mailTokens gives the tokens that open mailboxes: of the connection whose account the
// mailbox is, or as bridge.yaml says.
type mailTokens struct {
	i    *Installation
	file *bridge.File

	mu  sync.Mutex          // guards own
	own map[string]appToken // of apps, by connection and customer
}

type appToken struct {
	access  secret.Text
	expires time.Time
}

var _ upstream.Tokens = (*mailTokens)(nil)

// Token implements [upstream.Tokens].
func (m *mailTokens) Token(ctx context.Context, mailbox, _, refused string) (secret.Text, error) {
	a := m.file.AccessOf(mailbox)
	c, err := m.connection(ctx, a, mailbox)
	if err != nil {
		return secret.Text{}, err
	}
	const resource = "https://" + entra.OutlookHost
	if a.AsApp {
		return m.ofApp(ctx, c, a.Customer, resource, refused)
	}
	x, err := m.i.SAM.Exchange()
	if err != nil {
		return secret.Text{}, err
	}
	t, err := x.Token(ctx, exchange.Request{Connection: c.ID, Customer: a.Customer, Resource: resource, Caller: "bridge", Refused: refused})
	return t.Access, err
}

func (m *mailTokens) connection(ctx context.Context, a bridge.Access, mailbox string) (sam.Connection, error) {
	if a.Connection != "" || a.AsApp {
		return m.i.SAM.Connection(ctx, a.Connection)
	}
	list, err := m.i.SAM.Store.List(ctx)
	if err != nil {
		return sam.Connection{}, err
	}
	for k := range list {
		if strings.EqualFold(list[k].Account, mailbox) {
			return list[k], nil
		}
	}
	return sam.Connection{}, problem.New(problem.NotFound, "no connection is of the account %.120s, and bridge.yaml names none for it", mailbox).
		WithHint("partnerguard connect, signed in as that account; or name a connection under tokens or mailboxes: docs/bridge.md")
}

// ofApp gives a token of the connection's app, kept until shortly before its end.
func (m *mailTokens) ofApp(ctx context.Context, c sam.Connection, customer, resource, refused string) (secret.Text, error) {
	const margin = 5 * time.Minute
	key := c.ID + "\x00" + strings.ToLower(customer)
	m.mu.Lock()
	t, ok := m.own[key]
	m.mu.Unlock()
	if ok && m.i.Now().Add(margin).Before(t.expires) && printOf(t.access) != refused {
		return t.access, nil
	}
	var g *msapi.Grant
	g, err := m.i.SAM.AppToken(ctx, c, customer, resource)
	if err != nil {
		return secret.Text{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.own[key] = appToken{g.Access, g.Expires}
	return g.Access, nil
}

func printOf(t secret.Text) string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return hex.EncodeToString(sum[:])
}
