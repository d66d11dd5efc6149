package notify

import (
	"context"
	"strconv"
	"strings"

	"partnerguard/internal/notify/syslog"
)

// logs sends messages to a syslog server.
type logs struct {
	name   string
	server *syslog.Server
}

func (l *logs) Name() string  { return l.name }
func (l *logs) Kind() string  { return "syslog" }
func (l *logs) Where() string { return l.server.String() }

// element is the structured data's id. 32473 is the number that is kept for examples
// (RFC 5612): there is none of our own.
const element = "partnerguard@32473"

// Send writes one line. "sent" is all that is known then: nobody answers.
func (l *logs) Send(ctx context.Context, m *Message) (Answer, error) {
	level := map[Severity]int{Urgent: 1, Warning: 4, Notice: 5}[m.Severity] // alert, warning, notice
	if m.Test || m.Event == "alert.resolved" {
		level = 5
	}
	parts := []string{m.heading()}
	if m.Text != "" {
		parts = append(parts, m.Text)
	}
	for _, f := range m.Fields {
		parts = append(parts, f.Name+": "+f.Value)
	}
	parts = append(parts, m.items()...)
	if len(m.Commands) > 0 {
		parts = append(parts, "do: "+strings.Join(m.Commands, "; "))
	}
	data := [][2]string{{"id", m.ID}, {"severity", string(m.Severity)}, {"test", strconv.FormatBool(m.Test)}}
	if m.Thread != "" {
		data = append(data, [2]string{"alert", m.Thread})
	}
	if m.Link != "" {
		data = append(data, [2]string{"link", m.Link})
	}
	// Facility 13, log audit.
	err := l.server.Send(ctx, &syslog.Message{Facility: 13, Severity: level, At: m.At, ID: m.Event, Element: element, Data: data,
		Text: []byte(strings.Join(parts, " | ")), UTF8: true})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: "sent"}, nil
}
