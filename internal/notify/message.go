package notify

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/pattern"
	"partnerguard/internal/token"
)

// Severity is how much something matters.
type Severity string

// The severities, the gravest first.
const (
	Urgent  Severity = "urgent"  // somebody has to act now: quiet hours do not hold it back
	Warning Severity = "warning" // somebody has to act soon
	Notice  Severity = "notice"  // somebody should know
)

// Severities are all, the gravest first.
func Severities() []Severity { return []Severity{Urgent, Warning, Notice} }

// Rank is 0 for the gravest; what is no severity comes last.
func (s Severity) Rank() int {
	for i, known := range Severities() {
		if s == known {
			return i
		}
	}
	return len(Severities())
}

// Message is one thing to be told. Texts are plain: no form of a channel has a meaning
// in them.
type Message struct {
	// ID is the same over all attempts and channels, and of no other message: the
	// receiver drops what it has seen.
	ID       string    `json:"id"`
	Event    string    `json:"type"` // alert.opened, alert.changed, alert.resolved, alert.escalated, digest, test …
	Severity Severity  `json:"severity"`
	Test     bool      `json:"test"` // nothing has happened
	At       time.Time `json:"timestamp"`
	// Thread is what later messages of the same thing share: an alert's id.
	Thread   string   `json:"thread,omitempty"`
	Title    string   `json:"title"`
	Text     string   `json:"text,omitempty"`
	Fields   []Field  `json:"fields,omitempty"`
	Items    []Item   `json:"items,omitempty"`
	Left     int      `json:"leftOut,omitempty"` // items that are too many
	Commands []string `json:"commands,omitempty"`
	// Link is a page of the console, which asks to sign in; "" is none.
	Link string `json:"link,omitempty"`
}

// Field is a fact by its name.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Item is one of several things in a message.
type Item struct {
	ID       string   `json:"id,omitempty"`
	Severity Severity `json:"severity,omitempty"`
	Title    string   `json:"title"`
	Text     string   `json:"text,omitempty"`
}

// Limits of a message, in characters and in pieces: what every channel takes.
const (
	maxTitle    = 200
	maxText     = 1500
	maxName     = 40
	maxValue    = 300
	maxFields   = 10 // Slack's
	maxItems    = 20
	maxItemText = 300
	maxCommand  = 200
	maxCommands = 5
)

// NewID is an id for a message.
func NewID() string { return token.ID("m") }

// Clean brings a message to what every channel can say: bounded, in one line each,
// without anything that is not seen, without links but its own, and without what looks
// like a secret. base is where the console is; a Link that is not below it is dropped.
func (m *Message) Clean(base string) {
	m.At = m.At.UTC().Truncate(time.Second)
	m.Title, m.Text = Plain(m.Title, maxTitle), Plain(m.Text, maxText)
	m.Event, m.Thread = Plain(m.Event, maxName), Plain(m.Thread, maxName)
	if m.Severity.Rank() == len(Severities()) {
		m.Severity = Notice
	}
	m.Fields = m.Fields[:min(len(m.Fields), maxFields)]
	for i := range m.Fields {
		m.Fields[i] = Field{Plain(m.Fields[i].Name, maxName), Plain(m.Fields[i].Value, maxValue)}
	}
	if n := len(m.Items) - maxItems; n > 0 {
		m.Items, m.Left = m.Items[:maxItems], m.Left+n
	}
	for i := range m.Items {
		x := &m.Items[i]
		x.ID, x.Title, x.Text = Plain(x.ID, maxName), Plain(x.Title, maxTitle), Plain(x.Text, maxItemText)
	}
	m.Commands = m.Commands[:min(len(m.Commands), maxCommands)]
	for i := range m.Commands {
		m.Commands[i] = Plain(m.Commands[i], maxCommand)
	}
	if base == "" || !strings.HasPrefix(m.Link, base+"/") || !linkForm.MatchString(m.Link[len(base):]) {
		m.Link = ""
	}
}

// linkForm is a page of the console: a path of plain words, and perhaps a row or a filter.
var linkForm = pattern.Later(`^/[a-z0-9/_-]{0,80}(\?[A-Za-z0-9=&%._~-]{0,200})?$`)

// Plain is a text in one line of at most limit characters: what is not seen, or turns
// the direction of writing, is left out; a link is written so that nothing follows it;
// what looks like a secret is not there.
func Plain(s string, limit int) string {
	if most := 8 * limit; len(s) > most { // what is cut off below need not be looked at
		s = s[:most]
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0',
			unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	s = sealed.ReplaceAllString(s, "[redacted]")
	s = linked.ReplaceAllString(s, "$1[.]")
	s = strings.ReplaceAll(s, "://", "[:]//")
	if utf8.RuneCountInString(s) > limit {
		n := 0
		for i := range s {
			if n == limit-1 {
				return s[:i] + "…"
			}
			n++
		}
	}
	return s
}

var (
	// sealed is what looks like a secret: a JSON web token, the secret of a webhook, a
	// refresh token of Entra ID, a member of a URL or a header that carries one, and any
	// long run of letters that no name is.
	sealed = pattern.Later(`(?i)eyJ[\w-]{8,}(\.[\w-]*){0,2}|whsec_[\w+/=-]+|\b[01]\.A[\w-]{20,}[\w.-]*|\bBearer\s+\S+|` +
		`\b(sig|code|token|access_token|refresh_token|client_secret|password|pwd|secret|sharedaccesskey|accountkey)=[^\s&;]+|[A-Za-z0-9+/_=~-]{56,}`)
	// linked is a host that a mail program makes a link of by itself.
	linked = pattern.Later(`(?i)\b(www)\.`)
)
