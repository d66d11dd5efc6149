package notify

import (
	"context"
	"encoding/json"
	"strings"

	"partnerguard/internal/problem"
)

// chat posts to Teams or Slack, whose address is the secret.
type chat struct {
	name, kind string
	to         *poster
	form       func(*Message) any
	most       int // bytes of a body
}

func (c *chat) Name() string  { return c.name }
func (c *chat) Kind() string  { return c.kind }
func (c *chat) Where() string { return c.to.host(context.Background()) }

// Send posts the message; items that do not fit are left out, and counted.
func (c *chat) Send(ctx context.Context, m *Message) (Answer, error) {
	fits := *m
	for {
		body, err := json.Marshal(c.form(&fits))
		if err != nil {
			return Answer{}, problem.Wrap(err, problem.Internal, "the message could not be written")
		}
		if len(body) <= c.most || len(fits.Items) == 0 {
			return c.to.post(ctx, body, nil)
		}
		n := (len(fits.Items) + 1) / 2
		fits.Items, fits.Left = fits.Items[:len(fits.Items)-n], fits.Left+n
	}
}

// maxCard is below what Teams takes of a message (28 KB).
const maxCard = 24 << 10

type card = map[string]any

// adaptive is a message for a workflow with the trigger "When a Teams webhook request
// is received": an Adaptive Card 1.4 as an attachment. What a tenant wrote stands in text
// runs alone, in which no Markdown is read, unlike in text blocks and facts.
func adaptive(m *Message) any {
	runs := func(more card, parts ...card) card {
		b := card{"type": "RichTextBlock", "inlines": parts}
		for k, v := range more {
			b[k] = v
		}
		return b
	}
	run := func(s string, more ...any) card {
		r := card{"type": "TextRun", "text": s}
		for i := 0; i+1 < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return r
	}
	color := map[Severity]string{Urgent: "attention", Warning: "warning", Notice: "default"}[m.Severity]
	if m.Event == "alert.resolved" {
		color = "good"
	}
	body := []card{runs(nil, run(m.heading(), "weight", "bolder", "size", "medium", "color", color))}
	if m.Test {
		body = append(body, runs(nil, run("This is a test: nothing has happened.", "italic", true)))
	}
	if m.Text != "" {
		body = append(body, runs(nil, run(m.Text)))
	}
	for i, f := range m.Fields {
		spacing := "none"
		if i == 0 {
			spacing = "default"
		}
		body = append(body, runs(card{"spacing": spacing}, run(f.Name+": ", "weight", "bolder"), run(f.Value)))
	}
	for _, line := range m.items() {
		body = append(body, runs(card{"spacing": "small"}, run("• "+line)))
	}
	for _, c := range m.Commands {
		body = append(body, runs(card{"spacing": "small"}, run(c, "fontType", "monospace")))
	}
	c := card{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
		"fallbackText": "This card wants a newer Teams.", "msteams": card{"width": "Full"}}
	if m.Link != "" {
		c["actions"] = []card{{"type": "Action.OpenUrl", "title": "Open in Partnerguard", "url": m.Link}}
	}
	return card{"type": "message", "attachments": []card{{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": c}}}
}

// maxBlocks is below what Slack takes of a message: 50 blocks.
const maxBlocksBody = 64 << 10

// blocks is a message for Slack's incoming webhooks. What a tenant wrote is plain_text,
// in which neither mentions nor links are read; the summary of a notification is not,
// and is escaped.
func blocks(m *Message) any {
	plain := func(s string) card { return card{"type": "plain_text", "text": s, "emoji": false} }
	section := func(s string) card { return card{"type": "section", "text": plain(s)} }
	title := m.heading()
	if r := []rune(title); len(r) > 150 {
		title = string(r[:149]) + "…"
	}
	list := []card{{"type": "header", "text": plain(title)}}
	if m.Test {
		list = append(list, section("This is a test: nothing has happened."))
	}
	if m.Text != "" {
		list = append(list, section(m.Text))
	}
	if len(m.Fields) > 0 {
		var fields []card
		for _, f := range m.Fields {
			fields = append(fields, plain(f.Name+": "+f.Value))
		}
		list = append(list, card{"type": "section", "fields": fields})
	}
	for _, line := range m.items() {
		list = append(list, section("• "+line))
	}
	if len(m.Commands) > 0 {
		list = append(list, section("What to do:\n"+strings.Join(m.Commands, "\n")))
	}
	if m.Link != "" { // built here, of the settings and plain words
		list = append(list, card{"type": "section", "text": card{"type": "mrkdwn", "text": "<" + slackEscape.Replace(m.Link) + "|Open in Partnerguard>"}})
	}
	return card{"text": slackEscape.Replace(m.heading()), "blocks": list}
}

// slackEscape is what Slack wants of texts in which it looks for links and mentions.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
