package notify

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/wneessen/go-mail"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/problem"
)

// post sends messages by mail: a person's, or a ticket system's by its templates.
type post struct {
	name   string
	from   string
	to     []string
	server *mailer.Server
	forms  *templates
}

func (p *post) Name() string  { return p.name }
func (p *post) Kind() string  { return "mail" }
func (p *post) Where() string { return p.server.String() + " to " + strings.Join(p.to, ", ") }

// Send mails the message to everybody at once.
func (p *post) Send(ctx context.Context, m *Message) (Answer, error) {
	msg, err := p.write(m)
	if err != nil {
		return Answer{}, err
	}
	err = p.server.Send(ctx, msg)
	if r, ok := errors.AsType[*mailer.Refusal](err); ok {
		f := &Failure{Last: r.Last, err: r.Unwrap()}
		if r.Code != 0 {
			f.Status = strconv.Itoa(r.Code)
		}
		return Answer{}, f
	}
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: "250"}, nil
}

// write makes the mail. Its Message-ID is the message's, and mails of one alert name the
// same one before them, so that they lie together.
func (p *post) write(m *Message) (*mail.Msg, error) {
	_, domain, _ := strings.Cut(p.from, "@")
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(p.from); err != nil {
		return nil, problem.New(problem.Usage, "the channel %s sends from no address", p.name)
	}
	if err := msg.To(p.to...); err != nil {
		return nil, problem.New(problem.Usage, "the channel %s sends to no address", p.name)
	}
	subject, body := "[Partnerguard] "+m.heading(), m.Body()
	if p.forms.subject != nil {
		s, err := run(p.forms.subject, m, maxSubject)
		if err != nil {
			return nil, problem.New(problem.BadInput, "the template of the subject does not work for this message")
		}
		if subject = Plain(s, maxSubject); m.Test && !strings.Contains(subject, strings.TrimSpace(mark)) {
			subject = mark + subject
		}
	}
	if p.forms.body != nil {
		s, err := run(p.forms.body, m, maxBody)
		if err != nil {
			return nil, problem.New(problem.BadInput, "the template of the body does not work for this message")
		}
		if body = lines(s); m.Test {
			body = "This is a test: nothing has happened.\n\n" + body
		}
	}
	msg.Subject(subject)
	msg.SetMessageIDWithValue(header(m.ID) + "@" + domain)
	if m.Thread != "" {
		msg.SetGenHeader(mail.HeaderInReplyTo, "<"+header(m.Thread)+"@"+domain+">")
		msg.SetGenHeader(mail.HeaderReferences, "<"+header(m.Thread)+"@"+domain+">")
	}
	msg.SetDateWithValue(m.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All") // of Exchange, which would answer otherwise
	msg.SetGenHeader("X-Partnerguard-Event", cmp.Or(header(m.Event), "-"))
	if m.Test {
		msg.SetGenHeader("X-Partnerguard-Test", "yes")
	} else if m.Severity == Urgent && m.Event != "alert.resolved" {
		msg.SetImportance(mail.ImportanceHigh)
	}
	msg.SetBodyString(mail.TypeTextPlain, body)
	return msg, nil
}

// header keeps of a text what may stand in a header's id.
func header(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, s)
}

// lines keeps the lines of a template's text, and nothing else that is not seen.
func lines(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\t", "    "))
}
