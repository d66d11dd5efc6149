package notify

import (
	"fmt"
	"strings"

	"partnerguard/internal/print"
)

// mark is what a test's title begins with, in every form.
const mark = "[TEST] "

// heading is the title with its severity, as every form shows it.
func (m *Message) heading() string {
	s := strings.ToUpper(string(m.Severity)) + ": " + m.Title
	switch m.Event {
	case "alert.resolved":
		s = "Resolved: " + m.Title
	case "alert.escalated":
		s = "Not acknowledged, " + s
	}
	if m.Test {
		s = mark + s
	}
	return s
}

// items are the message's items as lines.
func (m *Message) items() (out []string) {
	for i := range m.Items {
		x := &m.Items[i]
		line := x.Title
		if x.Severity != "" {
			line = strings.ToUpper(string(x.Severity)) + ": " + line
		}
		if x.Text != "" {
			line += ". " + x.Text
		}
		out = append(out, line)
	}
	if m.Left > 0 {
		out = append(out, fmt.Sprintf("and %d more", m.Left))
	}
	return out
}

// Body is the message as plain text, in paragraphs of at most 76 columns.
func (m *Message) Body() string {
	var b strings.Builder
	para := func(prefix, s string) {
		for i, line := range print.Wrap(s, 76-len(prefix)) {
			if i > 0 {
				prefix = strings.Repeat(" ", len(prefix))
			}
			b.WriteString(prefix + line + "\n")
		}
	}
	if m.Test {
		para("", "This is a test: nothing has happened.")
		b.WriteByte('\n')
	}
	para("", m.heading())
	if m.Text != "" {
		b.WriteByte('\n')
		para("", m.Text)
	}
	if len(m.Fields) > 0 {
		b.WriteByte('\n')
		for _, f := range m.Fields {
			para("", f.Name+": "+f.Value)
		}
	}
	if lines := m.items(); len(lines) > 0 {
		b.WriteByte('\n')
		for _, l := range lines {
			para("- ", l)
		}
	}
	if len(m.Commands) > 0 {
		b.WriteString("\nWhat to do:\n\n")
		for _, c := range m.Commands {
			b.WriteString("    " + c + "\n")
		}
	}
	if m.Link != "" {
		b.WriteString("\n" + m.Link + "\n")
	}
	return b.String()
}
