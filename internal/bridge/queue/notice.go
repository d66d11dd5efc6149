package queue

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/token"
)

// bounce tells a message's mailbox and the bridge's owner which recipients it did not
// reach, by a message of its own, in one transaction with keep.
func (q *Queue) bounce(ctx context.Context, it *Item, keep func(context.Context) error) (err error) {
	head := q.headOf(ctx, it)
	d, err := q.begin(true)
	if err != nil {
		return err
	}
	id := token.ID("dsn") + "@" + q.d.Name
	to := []string{it.Mailbox}
	if q.d.Owner != "" && !strings.EqualFold(q.d.Owner, it.Mailbox) {
		to = append(to, q.d.Owner)
	}
	if err := writeNotice(d, &notice{name: q.d.Name, mailbox: it.Mailbox, to: to, id: id, at: q.d.Now(), item: it, head: head}); err != nil {
		d.Abort()
		return err
	}
	said := it.told()
	defer func() {
		if err != nil { // it will be tried again
			for _, i := range said {
				it.Recipients[i].State = Failed
			}
		}
	}()
	_, err = d.Commit(ctx, Envelope{Device: it.Device, Mailbox: it.Mailbox, Sender: it.Mailbox, Recipients: to, MessageID: "<" + id + ">", bounce: true},
		func(ctx context.Context) error {
			e := q.event(it, audit.BridgeBounced, audit.Failed, it.Recipients[said[0]].Reply)
			return errors.Join(keep(ctx), q.d.Trail.Record(ctx, e))
		})
	return err
}

// told marks those that failed as told, and says which they are.
func (it *Item) told() (said []int) {
	for i := range it.Recipients {
		if r := &it.Recipients[i]; r.State == Failed {
			r.State = Told
			said = append(said, i)
		}
	}
	return said
}

// maxHead is how much of a message's head a notice has.
const maxHead = 32 << 10

// headOf reads a message's head; "" where it cannot be read.
func (q *Queue) headOf(ctx context.Context, it *Item) string {
	body, err := q.body(ctx, it)
	if err != nil {
		return ""
	}
	defer body.Close()
	var b strings.Builder
	in := bufio.NewReader(io.LimitReader(body, maxHead))
	for {
		line, err := in.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line == "" || err != nil {
			return b.String()
		}
		b.WriteString(line + "\r\n")
	}
}

// notice is what a notice says.
type notice struct {
	name, mailbox, id, head string
	to                      []string
	at                      time.Time
	item                    *Item
}

var statusForm = regexp.MustCompile(`\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// writeNotice writes a delivery status notification (RFC 3464): for people, for
// programs, and the head of the message.
func writeNotice(w io.Writer, n *notice) error {
	boundary := token.ID("b")
	b := &strings.Builder{}
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\r\n", args...) }
	line("From: %s <%s>", mime.QEncoding.Encode("utf-8", "Mail bridge"), n.mailbox)
	line("To: <%s>", strings.Join(n.to, ">, <"))
	line("Subject: Not delivered: a message of a device")
	line("Date: %s", n.at.UTC().Format(time.RFC1123Z))
	line("Message-ID: <%s>", n.id)
	if bridge.IsMessageID(n.item.MessageID) {
		line("References: %s", n.item.MessageID)
	}
	line("Auto-Submitted: auto-replied")
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/report; report-type=delivery-status; boundary=\"%s\"\r\n", boundary)
	line("--%s\r\nContent-Type: text/plain; charset=utf-8\r\n", boundary)
	line("A message that a device sent through the mail bridge %s on %s", n.name, n.item.Made.UTC().Format(time.RFC1123Z))
	line("could not be delivered to:\r\n")
	for _, r := range n.item.Recipients {
		if r.State == Failed {
			line("  %s\r\n    %s", r.To, upstream.Clean(r.Reply))
		}
	}
	line("\r\nIt is not tried again for them. The message's head is attached; the message itself")
	line("is not kept. The device is %s; partnerguard apppassword list says which one that is.\r\n", n.item.Device)
	line("--%s\r\nContent-Type: message/delivery-status\r\n", boundary)
	line("Reporting-MTA: dns; %s", n.name)
	line("Arrival-Date: %s", n.item.Made.UTC().Format(time.RFC1123Z))
	for _, r := range n.item.Recipients {
		if r.State != Failed {
			continue
		}
		reply := upstream.Clean(r.Reply)
		status := statusForm.FindString(reply)
		if status == "" {
			status = "5.0.0"
		}
		line("\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s", r.To, status)
		line("Diagnostic-Code: smtp; %s", reply)
	}
	line("\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n--%s--", boundary, n.head, boundary)
	_, err := io.WriteString(w, b.String())
	return err
}
