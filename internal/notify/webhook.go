package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Event is the body of a webhook, in the envelope of Standard Webhooks.
type Event struct {
	Schema    string    `json:"schema"` // EventSchema
	ID        string    `json:"id"`     // as the header webhook-id
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of what happened; the header has that of the attempt
	Test      bool      `json:"test"`
	Data      EventData `json:"data"`
}

// EventSchema names the form of an Event.
const EventSchema = "partnerguard.event/1"

// EventData is what a webhook tells.
type EventData struct {
	Alert    string   `json:"alert"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Fields   []Field  `json:"fields"`
	Items    []Item   `json:"items"`
	LeftOut  int      `json:"leftOut"`
	Commands []string `json:"commands"`
	Link     string   `json:"link"`
}

// webhook posts events, signed as Standard Webhooks has it.
type webhook struct {
	name  string
	to    *poster
	signs []func(context.Context) (secret.Text, error) // the newest first
	now   func() time.Time
}

func (w *webhook) Name() string { return w.name }
func (w *webhook) Kind() string { return "webhook" }

func (w *webhook) Where() string { return w.to.host(context.Background()) }

// Send posts the event. Its time is that of the attempt, so that a receiver can refuse
// what is played back; its id is the message's.
func (w *webhook) Send(ctx context.Context, m *Message) (Answer, error) {
	body, err := json.Marshal(eventOf(m))
	if err != nil {
		return Answer{}, problem.Wrap(err, problem.Internal, "the event could not be written")
	}
	at := w.now()
	var signed []string
	for _, read := range w.signs {
		key, err := read(ctx)
		if err != nil {
			return Answer{}, err
		}
		s, err := Sign(key, m.ID, at, body)
		if err != nil {
			return Answer{}, err
		}
		signed = append(signed, s)
	}
	return w.to.post(ctx, body, http.Header{"Webhook-Id": {m.ID}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Signature": {strings.Join(signed, " ")}})
}

func eventOf(m *Message) *Event {
	e := &Event{Schema: EventSchema, ID: m.ID, Type: m.Event, Timestamp: m.At, Test: m.Test, Data: EventData{Alert: m.Thread, Severity: m.Severity,
		Title: m.Title, Text: m.Text, Fields: m.Fields, Items: m.Items, LeftOut: m.Left, Commands: m.Commands, Link: m.Link}}
	if m.Test {
		e.Data.Title = mark + m.Title
	}
	d := &e.Data
	d.Fields, d.Items, d.Commands = append([]Field{}, d.Fields...), append([]Item{}, d.Items...), append([]string{}, d.Commands...)
	return e
}

// keyPrefix is what a webhook's secret begins with.
const keyPrefix = "whsec_"

// NewKey makes a secret that signs webhooks: 32 random bytes.
func NewKey() secret.Text {
	return secret.New(keyPrefix + base64.StdEncoding.EncodeToString(token.Bytes(32)))
}

// CheckKey refuses what cannot sign: 24 to 64 bytes in base64, behind whsec_.
func CheckKey(key secret.Text) error {
	_, err := keyOf(key)
	return err
}

func keyOf(key secret.Text) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key.Reveal(), keyPrefix))
	if err != nil || len(b) < 24 || len(b) > 64 {
		return nil, problem.New(problem.BadInput, "the secret of the webhook is none").
			WithHint("whsec_ and 24 to 64 bytes in base64; partnerguard notify secret NAME --new makes one")
	}
	return b, nil
}

// Sign signs a body by the symmetric scheme of Standard Webhooks: "v1," and the base64
// of HMAC-SHA256 over id, time in seconds and body with dots between them.
func Sign(key secret.Text, id string, at time.Time, body []byte) (string, error) {
	k, err := keyOf(key)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, k)
	h.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}
