package gateway

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// form is gateway.yaml as it is written. Texts stand for what has a form of its own:
// whoever checks them can say what is wrong in words.
type form struct {
	Version     int             `yaml:"version"`
	Listen      []listenForm    `yaml:"listen"`
	Forward     *forwardForm    `yaml:"forward"`
	Admin       string          `yaml:"admin"`
	Trusted     []string        `yaml:"trusted"`
	Authorities []authorityForm `yaml:"authorities"`
	Tenants     []string        `yaml:"tenants"`
	SignIn      *signInForm     `yaml:"signIn"`
	Identity    struct {
		Assertion *bool `yaml:"assertion"`
	} `yaml:"identity"`
	Leeway   string      `yaml:"leeway"`
	KeysKept string      `yaml:"keysKept"`
	Routes   []routeForm `yaml:"routes"`
}

type listenForm struct {
	At  string `yaml:"at"`
	TLS *struct {
		Certificate string `yaml:"certificate"`
		Key         string `yaml:"key"`
	} `yaml:"tls"`
	Plain bool `yaml:"plain"`
}

type forwardForm struct {
	At    string   `yaml:"at"`
	Peers []string `yaml:"peers"`
}

type authorityForm struct {
	Cloud   string   `yaml:"cloud"`
	Keys    string   `yaml:"keys"`
	Issuers []string `yaml:"issuers"`
}

type signInForm struct {
	App    string `yaml:"app"`
	Secret string `yaml:"secret"`
	Life   string `yaml:"life"`
	Idle   string `yaml:"idle"`
}

type routeForm struct {
	Name              string          `yaml:"name"`
	Host              string          `yaml:"host"`
	Hosts             []string        `yaml:"hosts"`
	Path              string          `yaml:"path"`
	Upstream          *upstreamForm   `yaml:"upstream"`
	Tenants           []string        `yaml:"tenants"`
	Audiences         []string        `yaml:"audiences"`
	Callers           []string        `yaml:"callers"`
	MFA               *mfaForm        `yaml:"mfa"`
	Apps              choice          `yaml:"apps"`
	Clients           []string        `yaml:"clients"`
	Roles             []string        `yaml:"roles"`
	Groups            []string        `yaml:"groups"`
	Customers         choice          `yaml:"customers"`
	Mode              string          `yaml:"mode"`
	Next              []nextForm      `yaml:"next"`
	Exceptions        []exceptionForm `yaml:"exceptions"`
	Trail             string          `yaml:"trail"`
	Authorization     string          `yaml:"authorization"`
	AllowEncodedSlash bool            `yaml:"allowEncodedSlash"`
	Preflight         bool            `yaml:"preflight"`
	Limits            limitsForm      `yaml:"limits"`
}

type nextForm struct {
	Mode string `yaml:"mode"`
	From string `yaml:"from"`
}

type exceptionForm struct {
	Name    string   `yaml:"name"`
	Account string   `yaml:"account"`
	App     string   `yaml:"app"`
	Owner   string   `yaml:"owner"`
	Why     string   `yaml:"why"`
	Until   string   `yaml:"until"`
	Reasons []string `yaml:"reasons"`
}

type limitsForm struct {
	Body     string `yaml:"body"`
	Header   string `yaml:"header"`
	Timeout  string `yaml:"timeout"`
	Idle     string `yaml:"idle"`
	Retries  *int   `yaml:"retries"`
	Parallel int    `yaml:"parallel"`
}

// upstreamForm is an address, or an address and more.
type upstreamForm struct {
	URL        string   `yaml:"url"`
	URLs       []string `yaml:"urls"`
	CA         string   `yaml:"ca"`
	ServerName string   `yaml:"serverName"`
	Health     string   `yaml:"health"`
	HTTP2      bool     `yaml:"http2"`
}

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (u *upstreamForm) UnmarshalYAML(n ast.Node) error {
	if word, ok := text(n); ok {
		u.URL = word
		return nil
	}
	type plain upstreamForm
	return within(n, (*plain)(u), "an address such as http://127.0.0.1:9000, or url: and more")
}

// mfaForm is the word none, or what is asked for.
type mfaForm struct {
	none    bool
	Claim   *bool  `yaml:"claim"`
	Context string `yaml:"context"`
	MaxAge  string `yaml:"maxAge"`
}

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (m *mfaForm) UnmarshalYAML(n ast.Node) error {
	const want = "none, or {claim: true, context: c1, maxAge: 12h}"
	if word, ok := text(n); ok {
		if m.none = word == "none"; !m.none {
			return &unlike{line: lineOf(n), text: fmt.Sprintf("%.40q is not what may stand here: %s", word, want)}
		}
		return nil
	}
	type plain mfaForm
	return within(n, (*plain)(m), want)
}

// choice is a word, or a list of ids.
type choice struct {
	word string
	list []string
}

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (c *choice) UnmarshalYAML(n ast.Node) error {
	if word, ok := text(n); ok {
		c.word = word
		return nil
	}
	if n.Type() != ast.SequenceType {
		return &unlike{line: lineOf(n), text: "a word or a list of ids stands here"}
	}
	return yaml.NodeToValue(n, &c.list, yaml.Strict())
}

// unlike says what stands where something of several forms may.
type unlike struct {
	line int
	text string
}

func (e *unlike) Error() string { return e.text }

func within(n ast.Node, into any, want string) error {
	if n.Type() != ast.MappingType && n.Type() != ast.MappingValueType {
		return &unlike{line: lineOf(n), text: "something else stands here than " + want}
	}
	return yaml.NodeToValue(n, into, yaml.Strict())
}

func text(n ast.Node) (string, bool) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}
