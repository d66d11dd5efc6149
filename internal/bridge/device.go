package bridge

import (
	"crypto/rand"
	"encoding/json"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// The protocols of a device.
const (
	SMTP = "smtp"
	IMAP = "imap"
	POP3 = "pop3"
)

// Protocols are those that a device may be let into.
func Protocols() []string { return []string{SMTP, IMAP, POP3} }

// Limits of devices (ours).
const (
	MaxLife    = 2 * 366 * 24 * time.Hour
	maxDevices = 2000
	keptFor    = 366 * 24 * time.Hour // a row whose device ended or was revoked is shown so long
	maxName    = 80
	maxList    = 32 // sources, or addresses, of one device
	maxAddress = 254
)

// Device is one device with a password of its own: it opens one mailbox, by some
// protocols, from some addresses, until a day.
type Device struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Mailbox   string    `json:"mailbox"`
	Protocols []string  `json:"protocols"`
	Sources   []string  `json:"sources"`           // CIDR; none is from anywhere
	Senders   []string  `json:"senders,omitempty"` // addresses it may write as beside the mailbox's own
	Made      time.Time `json:"made"`
	Ends      time.Time `json:"ends"`
	By        string    `json:"by"`
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`
	Used      time.Time `json:"used,omitzero"` // to the minute
	UsedFrom  string    `json:"usedFrom,omitempty"`
	UsedBy    string    `json:"usedBy,omitempty"` // the protocol
	// Refused says why it is let in nowhere: its row is not as it was written.
	Refused string `json:"refused,omitempty"`

	selector, hash string
	mark           []byte
}

// State is a device's standing in one word: active, ended, revoked or refused.
func (d *Device) State(now time.Time) string {
	switch {
	case d.Refused != "":
		return "refused"
	case !d.Revoked.IsZero():
		return "revoked"
	case !now.Before(d.Ends):
		return "ended"
	}
	return "active"
}

// MayWriteAs says whether the device may send as an address: its mailbox's, or one
// that its row names.
func (d *Device) MayWriteAs(address string) bool {
	if !isAddress(address) { // EqualFold takes letters of other scripts for s and k
		return false
	}
	return strings.EqualFold(address, d.Mailbox) || slices.ContainsFunc(d.Senders, func(s string) bool { return strings.EqualFold(s, address) })
}

// From says whether an address is one of the device's sources.
func (d *Device) From(a netip.Addr) bool {
	a = a.Unmap()
	return len(d.Sources) == 0 || slices.ContainsFunc(d.Sources, func(s string) bool {
		p, err := prefix(s)
		return err == nil && p.Contains(a)
	})
}

// settle puts a device that somebody asks for into the form that is kept, or says
// what is wrong with it.
func (d *Device) settle() error {
	bad := func(format string, args ...any) *problem.Error { return problem.New(problem.Usage, format, args...) }
	d.Name, d.Mailbox = strings.TrimSpace(d.Name), strings.ToLower(strings.TrimSpace(d.Mailbox))
	switch {
	case d.Name == "":
		return bad("the device has no name").WithHint("name it by where it stands: \"Scanner, second floor\"")
	case len(d.Name) > maxName || !shown(d.Name):
		return bad("the device's name is too long, or holds characters that cannot be seen").WithHint("at most %d bytes", maxName)
	case !isAddress(d.Mailbox):
		return bad("%.60q is no mailbox", d.Mailbox).WithHint("its address, such as scans@contoso.example")
	case len(d.Protocols) == 0:
		return bad("the device may nothing").WithHint("one or more of %s", strings.Join(Protocols(), ", "))
	case !d.Ends.After(d.Made):
		return bad("the password would end before it begins")
	case d.Ends.Sub(d.Made) > MaxLife:
		return bad("the password would live longer than two years").WithHint("make another when it is over")
	case len(d.Sources) > maxList || len(d.Senders) > maxList:
		return bad("at most %d sources and %d senders are taken", maxList, maxList)
	}
	slices.Sort(d.Protocols)
	d.Protocols = slices.Compact(d.Protocols)
	for _, p := range d.Protocols {
		if !slices.Contains(Protocols(), p) {
			return bad("%.20q is no protocol of the bridge", p).WithHint("one or more of %s", strings.Join(Protocols(), ", "))
		}
	}
	sources := make([]string, 0, len(d.Sources))
	for _, s := range d.Sources {
		p, err := prefix(s)
		if err != nil {
			return err
		}
		if p.IsSingleIP() {
			sources = append(sources, p.Addr().String())
			continue
		}
		sources = append(sources, p.String())
	}
	d.Sources = sources
	senders := make([]string, 0, len(d.Senders))
	for _, s := range d.Senders {
		if s = strings.ToLower(strings.TrimSpace(s)); !isAddress(s) {
			return bad("%.60q is no address to write as", s)
		}
		senders = append(senders, s)
	}
	d.Senders = senders
	return nil
}

// prefix reads one source: an address, or a network of them.
func prefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, problem.New(problem.Usage, "%.60q is no address and no network", s).WithHint("such as 192.0.2.17 or 192.0.2.0/24")
	}
	return p.Masked(), nil
}

// isAddress takes plain addresses alone: what a mailbox of Exchange Online may have,
// and nothing that a command of SMTP would read in two ways.
func isAddress(s string) bool {
	if len(s) > maxAddress || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>()[]\,;:"`, r) }) {
		return false
	}
	local, domain, ok := strings.Cut(s, "@")
	a, err := mail.ParseAddress(s)
	return ok && local != "" && domain != "" && !strings.Contains(domain, "@") && err == nil && a.Address == s
}

// IsAddress says whether a text is an address that the bridge takes: ASCII, without
// quotes, comments or routes, at most 254 bytes.
func IsAddress(s string) bool { return isAddress(s) }

func shown(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	})
}

// The password of a device: letters and digits that no keypad and no reader takes for
// another. The first six pick its row and are no secret; eighteen more have 90 bits.
const (
	alphabet    = "0123456789abcdefghjkmnpqrstvwxyz"
	selectorLen = 6
	secretLen   = 18
)

// newPassword draws a password, and gives it as it is shown, in groups of four.
func newPassword() (selector string, text secret.Text) {
	raw := make([]byte, selectorLen+secretLen)
	_, _ = rand.Read(raw) // never fails
	for i, b := range raw {
		raw[i] = alphabet[b%32]
	}
	all := string(raw)
	var groups []string
	for i := 0; i < len(all); i += 4 {
		groups = append(groups, all[i:i+4])
	}
	return all[:selectorLen], secret.New(strings.Join(groups, "-"))
}

// readPassword takes what a device sends: with the dashes or without, in either case.
func readPassword(text secret.Text) (selector string, plain string, ok bool) {
	raw := text.Reveal()
	if len(raw) > 64 {
		return "", "", false
	}
	plain = strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, raw)
	if len(plain) != selectorLen+secretLen || strings.ContainsFunc(plain, func(r rune) bool { return !strings.ContainsRune(alphabet, r) }) {
		return "", "", false
	}
	return plain[:selectorLen], plain, true
}

func list(v []string) string {
	b, _ := json.Marshal(v) // texts alone
	return string(b)
}

// unlist reads a list; what is none gives one that nothing fits.
func unlist(s string) []string {
	var out []string
	if json.Unmarshal([]byte(s), &out) != nil {
		return []string{"?"}
	}
	return out
}

// IsMessageID says whether a text is a Message-ID that can be written into another
// message: <local@domain> in visible ASCII, at most 998 bytes.
func IsMessageID(s string) bool {
	if len(s) < 5 || len(s) > 998 || s[0] != '<' || s[len(s)-1] != '>' {
		return false
	}
	inner := s[1 : len(s)-1]
	return strings.Contains(inner, "@") && !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' })
}
