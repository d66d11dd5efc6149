package notify

import (
	"errors"
	"io"
	"strings"
	"text/template"
	"time"

	"partnerguard/internal/problem"
)

// Words is the vocabulary of a mail's templates: all that they can say.
type Words struct {
	ID       string    // of the message, to know it by when it comes twice
	Alert    string    // the alert's id; "" where it is about none, or several
	Event    string    // alert.opened, alert.changed, alert.resolved, alert.escalated, digest, test
	Severity string    // urgent, warning, notice
	Test     bool      // nothing has happened
	At       time.Time // UTC
	Title    string
	Text     string
	Fields   []Field
	Items    []Item
	Left     int // items that are too many
	Commands []string
	Link     string
}

func wordsOf(m *Message) *Words {
	return &Words{m.ID, m.Thread, m.Event, string(m.Severity), m.Test, m.At, m.Title, m.Text, m.Fields, m.Items, m.Left, m.Commands, m.Link}
}

// templates write a mail as a ticket system wants it; nil writes that of the house.
type templates struct{ subject, body *template.Template }

// Limits of what a template says, in bytes.
const (
	maxSubject = 500
	maxBody    = 64 << 10
	maxSource  = 32 << 10
)

// newTemplates parses templates and tries them on a message with everything in it and
// on one with nothing: a word that is none is found now. Kind problem.Usage.
func newTemplates(subject, body string) (*templates, error) {
	t := &templates{}
	for _, part := range []struct {
		name, text string
		to         **template.Template
		limit      int
	}{{"subject", subject, &t.subject, maxSubject}, {"body", body, &t.body, maxBody}} {
		if part.text == "" {
			continue
		}
		if len(part.text) > maxSource {
			return nil, problem.New(problem.Usage, "the template of the %s is longer than %d bytes", part.name, maxSource)
		}
		p, err := template.New(part.name).Option("missingkey=error").Parse(part.text)
		if err == nil {
			for _, m := range []*Message{Sample(Urgent, time.Unix(0, 0)), {}} {
				if _, err = run(p, m, part.limit); err != nil {
					break
				}
			}
		}
		if err != nil {
			return nil, problem.New(problem.Usage, "the template of the %s does not work: %s", part.name, err).
				WithHint("its words are .ID .Alert .Event .Severity .Test .At .Title .Text .Fields .Items .Left .Commands .Link; docs/notify.md has an example")
		}
		*part.to = p
	}
	return t, nil
}

var errLong = errors.New("it says too much")

// short is a writer that ends.
type short struct {
	strings.Builder
	left int
}

func (s *short) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, errLong
	}
	return s.Builder.Write(p)
}

func run(t *template.Template, m *Message, limit int) (string, error) {
	w := &short{left: limit}
	err := t.Execute(io.Writer(w), wordsOf(m))
	return w.String(), err
}

// Sample is the message of a test: it is marked as one in every form.
func Sample(severity Severity, at time.Time) *Message {
	return &Message{ID: NewID(), Event: "test", Severity: severity, Test: true, At: at, Title: "Test of this channel: nothing has happened",
		Text:     "This is what an alert looks like here. Nothing has to be done, and nobody is paged.",
		Fields:   []Field{{"Severity", string(severity)}, {"Affected", "0 of 0 accounts"}},
		Items:    []Item{{Severity: severity, Title: "An alert that is none", Text: "as several look in one message"}},
		Commands: []string{"partnerguard notify history"}}
}
