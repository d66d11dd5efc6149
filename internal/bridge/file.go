package bridge

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// File is bridge.yaml: how a bridge stands.
type File struct {
	Version int `yaml:"version"` // 1
	// Name is how the bridge calls itself to devices, and in what it sends: its name in
	// DNS, which the certificate is for.
	Name string `yaml:"name"`
	// Certificate and Key are PEM files, read again within a minute after they changed.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// Owner is told of messages that could not be sent, beside the mailbox they are from.
	Owner     string     `yaml:"owner"`
	Listen    []Listen   `yaml:"listen"`
	Upstream  Upstream   `yaml:"upstream"`
	Tokens    Access     `yaml:"tokens"`
	Mailboxes []Mailbox  `yaml:"mailboxes"`
	Limits    Limits     `yaml:"limits"`
	Queue     QueueRules `yaml:"queue"`
}

// Listen is one address that devices come to.
type Listen struct {
	Protocol string `yaml:"protocol"` // smtp, imap, pop3
	// TLS is starttls, implicit, or none. None is for devices that know no TLS: whoever
	// is on the same wire reads their passwords and their mail.
	TLS string `yaml:"tls"`
	At  string `yaml:"at"` // host:port
	// From are the networks whose connections are taken; with TLS none is every one,
	// without TLS they must be named, or the address be loopback.
	From []string `yaml:"from"`

	from []netip.Prefix
}

// The ways of Listen.TLS.
const (
	StartTLS = "starttls"
	Implicit = "implicit"
	NoTLS    = "none"
)

// Takes says whether a connection from an address is taken here.
func (l *Listen) Takes(a netip.Addr) bool {
	a = a.Unmap()
	if len(l.from) == 0 {
		return l.TLS != NoTLS || a.IsLoopback()
	}
	return slices.ContainsFunc(l.from, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Upstream are Exchange Online's hosts, host:port each.
type Upstream struct {
	SMTP string `yaml:"smtp"` // with STARTTLS
	IMAP string `yaml:"imap"` // over TLS
	POP3 string `yaml:"pop3"` // over TLS
}

// Access says whose tokens open a mailbox. The zero value is the connection whose
// account the mailbox is.
type Access struct {
	Connection string `yaml:"connection"` // name or id
	Customer   string `yaml:"customer"`   // tenant id or domain; "" is the connection's own tenant
	// AsApp uses the app's own permissions (SMTP.SendAsApp, IMAP.AccessAsApp,
	// POP.AccessAsApp), not a person's.
	AsApp bool `yaml:"asApp"`
}

// Mailbox is one mailbox with an access of its own.
type Mailbox struct {
	Address string `yaml:"address"`
	Access  `yaml:",inline"`
}

// Limits of what is taken. The zero values are the defaults named.
type Limits struct {
	MessageBytes int64 `yaml:"messageBytes"` // 157286400: Exchange Online's greatest (150 MB)
	Recipients   int   `yaml:"recipients"`   // of one message; 500
	PerMinute    int   `yaml:"perMinute"`    // messages of a mailbox, sent upstream; 30 (Exchange Online's)
	PerDay       int   `yaml:"perDay"`       // recipients of a mailbox; 10,000 (Exchange Online's)
	Connections  int   `yaml:"connections"`  // of all devices; 500
	PerSource    int   `yaml:"perSource"`    // of one address; 20
	// Idle is how long a connection may be silent: 30m (IMAP's least), 5m before it is in.
	Idle time.Duration `yaml:"idle"`
}

// QueueRules are how long and how much is kept that is not sent yet.
type QueueRules struct {
	Messages int   `yaml:"messages"` // 2,000
	Bytes    int64 `yaml:"bytes"`    // 2147483648
	// FreeBytes of the disk are left alone; below it nothing is taken. 268435456.
	FreeBytes int64         `yaml:"freeBytes"`
	GiveUp    time.Duration `yaml:"giveUp"` // 48h, then its sender is told
}

// Limits of the file itself.
const (
	maxFileBytes = 256 << 10
	maxListen    = 24
	maxMailboxes = 500
)

// ParseFile reads bridge.yaml; name is for its errors, which say the line. Unknown keys
// are refused, and so is what would let devices in without TLS by accident.
func ParseFile(name string, raw []byte) (_ *File, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case len(raw) > maxFileBytes:
		return nil, problem.New(problem.Limit, "%s: the file has at most %d bytes", name, maxFileBytes)
	case !utf8.Valid(raw):
		return nil, problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, 20, 60); line > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: nested too deep", name, line)
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, misread(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, problem.New(problem.BadInput, "%s: it is one YAML document", name)
	}
	if at, _ := yamlguard.First(file, yamlguard.Expanding()...); at > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: anchors, aliases and tags are not taken", name, at).WithHint("write the value out where it is needed")
	}
	f := &File{}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(f); err != nil {
		return nil, misread(name, err)
	}
	f.defaults()
	if err := f.check(name); err != nil {
		return nil, err
	}
	return f, nil
}

func misread(name string, err error) error {
	line, text := 1, "not readable as YAML"
	if e, ok := errors.AsType[yaml.Error](err); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return problem.Wrap(err, problem.BadInput, "%s:%d: %s", name, line, text).WithHint("docs/bridge.md says what may stand where")
}

// ReadFile reads bridge.yaml from a path.
func ReadFile(path string) (*File, error) {
	raw, err := problem.ReadFile("the bridge's file", path, maxFileBytes)
	if err != nil {
		return nil, err
	}
	return ParseFile(path, raw)
}

func (f *File) defaults() {
	f.Upstream.SMTP = cmp.Or(f.Upstream.SMTP, DefaultUpstream.SMTP)
	f.Upstream.IMAP = cmp.Or(f.Upstream.IMAP, DefaultUpstream.IMAP)
	f.Upstream.POP3 = cmp.Or(f.Upstream.POP3, DefaultUpstream.POP3)
	l, q := &f.Limits, &f.Queue
	l.MessageBytes = cmp.Or(l.MessageBytes, 150<<20)
	l.Recipients = cmp.Or(l.Recipients, 500)
	l.PerMinute = cmp.Or(l.PerMinute, 30)
	l.PerDay = cmp.Or(l.PerDay, 10_000)
	l.Connections = cmp.Or(l.Connections, 500)
	l.PerSource = cmp.Or(l.PerSource, 20)
	l.Idle = cmp.Or(l.Idle, 30*time.Minute)
	q.Messages = cmp.Or(q.Messages, 2000)
	q.Bytes = cmp.Or(q.Bytes, 2<<30)
	q.FreeBytes = cmp.Or(q.FreeBytes, 256<<20)
	q.GiveUp = cmp.Or(q.GiveUp, 48*time.Hour)
}

func (f *File) check(name string) error {
	bad := func(where, format string, args ...any) *problem.Error {
		return problem.New(problem.BadInput, "%s: %s: %s", name, where, fmt.Sprintf(format, args...)).WithHint("docs/bridge.md says what may stand where")
	}
	switch {
	case f.Version != 1:
		return bad("version", "must be 1, got %d", f.Version)
	case !isHost(f.Name):
		return bad("name", "%.60q is no name of a host", f.Name).WithHint("the name in the certificate, such as bridge.contoso.example")
	case f.Owner == "" || !isAddress(f.Owner):
		return bad("owner", "%.60q is no address", f.Owner).WithHint("who is told of messages that could not be sent")
	case len(f.Listen) == 0 || len(f.Listen) > maxListen:
		return bad("listen", "there are %d addresses, and 1 to %d are taken", len(f.Listen), maxListen)
	case len(f.Mailboxes) > maxMailboxes:
		return bad("mailboxes", "there are %d, and at most %d are taken", len(f.Mailboxes), maxMailboxes)
	}
	secure := false
	for i := range f.Listen {
		if err := f.Listen[i].check(func(format string, args ...any) *problem.Error {
			return bad(fmt.Sprintf("listen[%d]", i), format, args...)
		}); err != nil {
			return err
		}
		secure = secure || f.Listen[i].TLS != NoTLS
	}
	if (f.Certificate == "" || f.Key == "") && (secure || f.Certificate != f.Key) {
		return bad("certificate", "it and key are PEM files, and both are needed for TLS")
	}
	for where, at := range map[string]string{"upstream.smtp": f.Upstream.SMTP, "upstream.imap": f.Upstream.IMAP, "upstream.pop3": f.Upstream.POP3} {
		if host, port, err := net.SplitHostPort(at); err != nil || host == "" || !isPort(port) {
			return bad(where, "%.60q is no host:port", at)
		}
	}
	seen := map[string]bool{}
	for i := range f.Mailboxes {
		m := &f.Mailboxes[i]
		if m.Address = strings.ToLower(m.Address); !isAddress(m.Address) || seen[m.Address] {
			return bad(fmt.Sprintf("mailboxes[%d]", i), "%.60q is no address, or stands there twice", m.Address)
		}
		seen[m.Address] = true
	}
	return f.bounds(bad)
}

func (f *File) bounds(bad func(where, format string, args ...any) *problem.Error) error {
	l, q := &f.Limits, &f.Queue
	for _, n := range []struct {
		where          string
		is, least, end int64
	}{
		{"limits.messageBytes", l.MessageBytes, 1 << 10, 150 << 20}, {"limits.recipients", int64(l.Recipients), 1, 1000},
		{"limits.perMinute", int64(l.PerMinute), 1, 10_000}, {"limits.perDay", int64(l.PerDay), 1, 1_000_000},
		{"limits.connections", int64(l.Connections), 1, 10_000}, {"limits.perSource", int64(l.PerSource), 1, 10_000},
		{"queue.messages", int64(q.Messages), 1, 100_000}, {"queue.bytes", q.Bytes, 1 << 20, 1 << 40}, {"queue.freeBytes", q.FreeBytes, 1, 1 << 40},
	} {
		if n.is < n.least || n.is > n.end {
			return bad(n.where, "it is %d, and %d to %d can be", n.is, n.least, n.end)
		}
	}
	if l.Idle < time.Minute || l.Idle > 2*time.Hour {
		return bad("limits.idle", "it is %s, and 1m to 2h can be", l.Idle)
	}
	if q.GiveUp < 10*time.Minute || q.GiveUp > 14*24*time.Hour {
		return bad("queue.giveUp", "it is %s, and 10m to 336h can be", q.GiveUp)
	}
	return nil
}

func (l *Listen) check(bad func(format string, args ...any) *problem.Error) error {
	if !slices.Contains(Protocols(), l.Protocol) {
		return bad("%.20q is no protocol of the bridge", l.Protocol).WithHint("one of %s", strings.Join(Protocols(), ", "))
	}
	if l.TLS != StartTLS && l.TLS != Implicit && l.TLS != NoTLS {
		return bad("tls is %.20q", l.TLS).WithHint("one of starttls, implicit and none")
	}
	host, port, err := net.SplitHostPort(l.At)
	if err != nil || !isPort(port) {
		return bad("%.60q is no host:port", l.At).WithHint("such as 0.0.0.0:587")
	}
	for _, s := range l.From {
		p, err := prefix(s)
		if err != nil {
			return bad("%.60q is no address and no network", s)
		}
		if l.TLS == NoTLS && p.Bits() < leastBits(p.Addr()) {
			return bad("without TLS %s is too wide", p).WithHint("name the network of the devices: /16 or narrower, of IPv6 /48")
		}
		l.from = append(l.from, p)
	}
	if a, err := netip.ParseAddr(host); l.TLS == NoTLS && len(l.from) == 0 && (err != nil || !a.IsLoopback()) {
		return bad("without TLS it must say from which networks it takes connections: passwords and mail go over that wire for all to read").
			WithHint("from: [192.0.2.0/24], a network that is yours alone; or better tls: starttls")
	}
	return nil
}

func leastBits(a netip.Addr) int {
	if a.Is4() {
		return 16
	}
	return 48
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == s
}

func isHost(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-')
	})
}

// AccessOf says whose tokens open a mailbox.
func (f *File) AccessOf(mailbox string) Access {
	for i := range f.Mailboxes {
		if strings.EqualFold(f.Mailboxes[i].Address, mailbox) {
			return f.Mailboxes[i].Access
		}
	}
	return f.Tokens
}

// Pair reads the certificate with its key.
func (f *File) Pair() (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return pair, problem.Wrap(err, problem.BadInput, "the certificate %s with the key %s cannot be used", f.Certificate, f.Key).
			WithHint("both are PEM, and the key is the certificate's")
	}
	return pair, nil
}

// DefaultUpstream are Exchange Online's hosts of the public cloud.
var DefaultUpstream = Upstream{SMTP: entra.SMTPHost + ":587", IMAP: entra.OutlookHost + ":993", POP3: entra.OutlookHost + ":995"}
