package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Argon2id's cost for new passphrases: the second recommended option of RFC
// 9106 section 4, which is also the least that is accepted.
const (
	argonMemory  = 64 << 10 // KiB
	argonTime    = 3
	argonThreads = 4
	argonSalt    = 16 // bytes
)

// The most that a stored cost may ask for: a changed database must not make a
// start eat the machine.
const (
	maxArgonMemory  = 2 << 20 // KiB: the first recommended option of RFC 9106
	maxArgonTime    = 64
	maxArgonThreads = 64
)

// Limits of a passphrase. Stolen, the database can be tried against without
// end, so the least for a password that stands alone (NIST SP 800-63B-4 section
// 3.1.1.2) applies to new ones.
const (
	MinPassphrase = 15 // characters
	maxPassphrase = 4096
)

// Prompt asks the person at the terminal for a secret; confirm asks twice.
type Prompt func(ctx context.Context, what string, confirm bool) (secret.Text, error)

type cost struct {
	Algorithm string `json:"algorithm"` // "argon2id"
	Version   int    `json:"version"`   // 19, which is 1.3
	Memory    uint32 `json:"memoryKiB"`
	Time      uint32 `json:"time"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`
}

func newCost() cost {
	return cost{Algorithm: "argon2id", Version: argon2.Version, Memory: argonMemory, Time: argonTime, Threads: argonThreads, Salt: token.Bytes(argonSalt)}
}

// parseCost reads a stored cost and holds it to its bounds on both sides.
func parseCost(text string) (cost, error) {
	bad := problem.Wrap(ErrDamaged, problem.BadInput, "the cost that the database has for the vault's passphrase cannot be used: it was changed").
		WithHint("restore a backup: partnerguard vault restore --replace --from FILE")
	var c cost
	if len(text) > maxParams {
		return c, bad
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, bad
	}
	if _, err := d.Token(); err != io.EOF {
		return c, bad
	}
	if c.Algorithm != "argon2id" || c.Version != argon2.Version || len(c.Salt) < argonSalt || len(c.Salt) > 64 ||
		c.Memory < argonMemory || c.Memory > maxArgonMemory || c.Time < argonTime || c.Time > maxArgonTime ||
		c.Threads < 1 || c.Threads > maxArgonThreads {
		return c, bad
	}
	return c, nil
}

func (c cost) text() string {
	b, _ := json.Marshal(c) // plain fields: it cannot fail
	return string(b)
}

// passphrase is a master key that argon2id makes of a passphrase. The passphrase
// stays in memory: another process may change the salt.
type passphrase struct {
	says  string
	ask   func(ctx context.Context, confirm bool) ([]byte, error)
	again int         // how often a wrong one may be mended: someone is there to ask
	cost  func() cost // of new ones, with a fresh salt

	mu     sync.Mutex // guards the fields below
	words  []byte
	params string // of key
	key    *local
}

// NewPassphrase asks for the passphrase when it is first needed: twice for a new
// one, and again when it is wrong, up to three times.
func NewPassphrase(prompt Prompt) Master {
	return &passphrase{says: "a passphrase", again: 2, cost: newCost, ask: func(ctx context.Context, confirm bool) ([]byte, error) {
		what := "Passphrase of the vault"
		if confirm {
			what = "New passphrase of the vault"
		}
		s, err := prompt(ctx, what, confirm)
		if err != nil {
			return nil, err
		}
		return []byte(s.Reveal()), nil
	}}
}

// NewPassphraseFile takes the passphrase from a file of one line, or from an
// open descriptor (/dev/fd/3), when it is first needed. A plain file that others
// may read is refused.
func NewPassphraseFile(path string) Master {
	return &passphrase{says: "passphrase file " + path, cost: newCost, ask: func(context.Context, bool) ([]byte, error) {
		return readSecretFile(path, "passphrase file "+path, "it holds the passphrase in one line", true)
	}}
}

func (p *passphrase) Describe() string { return p.says }

// get gives the passphrase, asking for it when there is none yet. p.mu is held.
func (p *passphrase) get(ctx context.Context, confirm bool) error {
	if p.words != nil {
		return nil
	}
	raw, err := p.ask(ctx, confirm)
	if err != nil {
		return err
	}
	defer clear(raw)
	line := bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	switch {
	case len(line) == 0:
		return problem.New(problem.BadInput, "%s is empty", p.says)
	case len(line) > maxPassphrase:
		return problem.New(problem.Limit, "%s is longer than %d bytes", p.says, maxPassphrase)
	case !utf8.Valid(line) || bytes.ContainsAny(line, "\n\r\x00"):
		return problem.New(problem.BadInput, "%s is not one line of text", p.says)
	}
	p.words = norm.NFC.Bytes(line) // one passphrase on every keyboard (RFC 8265 section 4.2.2)
	if &p.words[0] == &line[0] {
		p.words = bytes.Clone(line) // raw is cleared
	}
	return nil
}

// derive makes the key of a cost. p.mu is held.
func (p *passphrase) derive(params string) (*local, error) {
	if p.key != nil && p.params == params {
		return p.key, nil
	}
	c, err := parseCost(params)
	if err != nil {
		return nil, err
	}
	key := argon2.IDKey(p.words, c.Salt, c.Time, c.Memory, c.Threads, 32)
	defer clear(key)
	l, err := newLocal(kindPassphrase, key)
	if err != nil {
		return nil, err
	}
	p.key, p.params = l, params
	return l, nil
}

func (p *passphrase) Wrap(ctx context.Context, vault string, key []byte) (Slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	params := p.params
	if p.key == nil || p.stale(params) {
		if err := p.get(ctx, true); err != nil {
			return Slot{}, err
		}
		if n := utf8.RuneCount(p.words); p.key == nil && n < MinPassphrase {
			p.forget()
			return Slot{}, problem.New(problem.BadInput, "the passphrase has %d characters, and a new one needs %d", n, MinPassphrase).
				WithHint("take several words that nobody has put together before")
		}
		params = p.cost().text()
	}
	l, err := p.derive(params)
	if err != nil {
		return Slot{}, err
	}
	return l.wrap(kindPassphrase, params, vault, key)
}

func (p *passphrase) Unwrap(ctx context.Context, vault string, s Slot) ([]byte, error) {
	if s.Kind != kindPassphrase {
		return nil, wrongMaster(s, "a passphrase", p)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := parseCost(s.Params); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		if err := p.get(ctx, false); err != nil {
			return nil, err
		}
		l, err := p.derive(s.Params)
		if err != nil {
			return nil, err
		}
		if l.is(s.ID) {
			return l.unwrap(vault, s)
		}
		if try == p.again {
			return nil, wrongMaster(s, l.id, p)
		}
		p.forget()
	}
}

func (p *passphrase) forget() {
	clear(p.words)
	p.words, p.key, p.params = nil, nil, ""
}

func (p *passphrase) Stale(s Slot) bool { return s.Kind == kindPassphrase && p.stale(s.Params) }

func (p *passphrase) stale(params string) bool {
	c, err := parseCost(params)
	now := p.cost()
	return err == nil && (c.Memory < now.Memory || c.Time < now.Time)
}
