package attack

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/queue"
)

// bridged makes a device of the mail bridge, and has a message of it wait.
func (h *house) bridged(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	dev, _, err := s.Bridge.Create(ctx, bridge.Device{Name: "Scanner", Mailbox: "scans@contoso.com", Protocols: []string{bridge.SMTP},
		Sources: []string{"192.0.2.0/24"}, Ends: s.Now().Add(90 * 24 * time.Hour)}, "local:owner")
	h.ok(err)
	q, err := queue.Open(ctx, queue.Deps{DB: s.DB, Vault: s.Vault, Trail: s.Trail, Folder: filepath.Join(h.dir, "bridge"), Now: s.Now,
		Rules: bridge.QueueRules{Messages: 10, Bytes: 1 << 30, FreeBytes: 1, GiveUp: 48 * time.Hour}})
	h.ok(err)
	d, err := q.Begin()
	h.ok(err)
	_, err = io.WriteString(d, "From: scans@contoso.com\r\n\r\nA scan.\r\n")
	h.ok(err)
	_, err = d.Commit(ctx, queue.Envelope{Device: dev.ID, Mailbox: dev.Mailbox, Sender: dev.Mailbox, Recipients: []string{"ravi.menon@contoso.com"}}, nil)
	h.ok(err)
	h.ok(q.Close())
}

// whoMails tells which devices come in at the bridge, and what waits to be sent.
func (h *house) whoMails(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	devices, err := s.Bridge.List(ctx)
	if err != nil {
		d.tell("bridge: %v", err)
	}
	for i := range devices {
		x := &devices[i]
		say(x.Refused, "device %s of %s by %v from %v as %v until %s, %s", x.ID, x.Mailbox, x.Protocols, x.Sources, x.Senders, x.Ends, x.State(s.Now()))
	}
	waits, err := s.Bridge.Waiting(ctx)
	if err != nil {
		d.tell("bridge: %v", err)
	}
	for i := range waits {
		x := &waits[i]
		say("", "%s sends as %s to %s", x.Mailbox, x.Sender, fmt.Sprint(x.Recipients))
	}
}
