package otp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Limits of a book.
const (
	maxEntries = 1000
	maxName    = 120 // characters
)

// Entry is one seed of a book with the name that its person calls it by.
type Entry struct {
	ID    string
	Name  string // unique in the book, in any case of letters
	Added time.Time
	factor.Entry
}

// Book is what a file holds, opened. It serves one goroutine.
type Book struct {
	Entries []Entry // by name
	// Offset is added to the machine's clock; Checked is when it was found.
	Offset  time.Duration
	Checked time.Time
}

// kept is how a book is written, inside of what is sealed.
type kept struct {
	Entries  []keptEntry `json:"entries"`
	OffsetMS int64       `json:"offsetMs"`
	Checked  time.Time   `json:"checked,omitzero"`
}

type keptEntry struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Added     time.Time        `json:"added"`
	Issuer    string           `json:"issuer,omitempty"`
	Account   string           `json:"account,omitempty"`
	Secret    string           `json:"secret"`
	Algorithm factor.Algorithm `json:"algorithm"`
	Digits    int              `json:"digits"`
	Period    int              `json:"period"`
	Alphabet  factor.Alphabet  `json:"alphabet,omitempty"`
}

func (b *Book) marshal() ([]byte, error) {
	k := kept{Entries: []keptEntry{}, OffsetMS: b.Offset.Milliseconds(), Checked: b.Checked}
	for i := range b.Entries {
		e := &b.Entries[i]
		k.Entries = append(k.Entries, keptEntry{e.ID, e.Name, e.Added, e.Issuer, e.Account, e.Seed.Secret.Reveal(), e.Seed.Algorithm, e.Seed.Digits,
			e.Seed.Period, e.Seed.Alphabet})
	}
	text, err := json.Marshal(k)
	return text, problemOf(err)
}

func problemOf(err error) error {
	if err == nil {
		return nil
	}
	return problem.Wrap(err, problem.Internal, "the one-time passwords could not be written")
}

func unmarshal(plain []byte) (*Book, error) {
	bad := problem.New(problem.BadInput, "what is sealed in the file is of a form that this version does not know")
	var k kept
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if d.Decode(&k) != nil || len(k.Entries) > maxEntries {
		return nil, bad
	}
	b := &Book{Offset: time.Duration(k.OffsetMS) * time.Millisecond, Checked: k.Checked}
	if b.Offset.Abs() > MaxOffset {
		return nil, bad
	}
	for _, e := range k.Entries {
		s := factor.Seed{Secret: secret.New(e.Secret), Algorithm: e.Algorithm, Digits: e.Digits, Period: e.Period, Alphabet: e.Alphabet}
		if s.Check() != nil {
			return nil, bad
		}
		b.Entries = append(b.Entries, Entry{ID: e.ID, Name: e.Name, Added: e.Added, Entry: factor.Entry{Issuer: e.Issuer, Account: e.Account, Seed: s}})
	}
	return b, nil
}

// Add takes a seed under a name; "" is what its issuer and account call it. What is
// there already, a name that is taken and codes by a counter are refused.
func (b *Book) Add(e factor.Entry, name string, now time.Time) (Entry, error) {
	if name == "" {
		name = e.Called()
	}
	if err := checkName(name); err != nil {
		return Entry{}, err
	}
	if e.Counted {
		return Entry{}, problem.New(problem.BadInput, "%s has codes by a counter (HOTP), and only those by the time (TOTP) are kept here", quote(name)).
			WithHint("Microsoft Entra ID's are by the time: ask the issuer for another")
	}
	if err := e.Seed.Check(); err != nil {
		return Entry{}, err
	}
	if len(b.Entries) >= maxEntries {
		return Entry{}, problem.New(problem.Limit, "there are %d one-time passwords, and no more are kept", maxEntries)
	}
	for i := range b.Entries {
		switch had := &b.Entries[i]; {
		case had.Same(e):
			return Entry{}, problem.New(problem.Conflict, "the same seed is there already, as %s", quote(had.Name))
		case strings.EqualFold(had.Name, name):
			return Entry{}, problem.New(problem.Conflict, "%s is there already, with another seed", quote(name)).
				WithHint("--name gives the new one another name; partnerguard otp remove takes the old one away")
		}
	}
	n := Entry{ID: token.ID("otp"), Name: name, Added: now.UTC().Truncate(time.Second), Entry: e}
	b.Entries = append(b.Entries, n)
	slices.SortFunc(b.Entries, func(a, b Entry) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return n, nil
}

func checkName(name string) error {
	if strings.TrimSpace(name) == "" {
		return problem.New(problem.BadInput, "the one-time password has neither issuer nor account: it needs a name").WithHint("--name NAME")
	}
	if len([]rune(name)) > maxName || !shownWhole(name) {
		return problem.New(problem.BadInput, "the name is longer than %d characters or has one that is not shown", maxName).WithHint("--name NAME")
	}
	return nil
}

// Import takes what it can of another application's export. A name that is taken gets a
// number; a seed that is there already is left out, as is what cannot be kept.
func (b *Book) Import(p factor.Payload, now time.Time) (taken []Entry, left []factor.Left) {
	left = append(left, p.Left...)
	for _, e := range p.Entries {
		called := e.Called()
		if called == "" {
			called = "imported"
		}
		if r := []rune(called); len(r) > maxName-5 {
			called = string(r[:maxName-5])
		}
		name := called
		for n := 2; n < 100 && b.named(name); n++ {
			name = called + " (" + strconv.Itoa(n) + ")"
		}
		got, err := b.Add(e, name, now)
		if err != nil {
			left = append(left, factor.Left{Name: called, Why: err.Error()})
			continue
		}
		taken = append(taken, got)
	}
	return taken, left
}

func (b *Book) named(name string) bool {
	return slices.ContainsFunc(b.Entries, func(e Entry) bool { return strings.EqualFold(e.Name, name) })
}

// Find gives the entry that a word means: its name or id, or the only one whose name
// holds it.
func (b *Book) Find(word string) (Entry, error) {
	var like []Entry
	for i := range b.Entries {
		e := &b.Entries[i]
		if strings.EqualFold(e.Name, word) || e.ID == word {
			return *e, nil
		}
		if strings.Contains(strings.ToLower(e.Name), strings.ToLower(word)) {
			like = append(like, *e)
		}
	}
	switch {
	case len(like) == 1 && word != "":
		return like[0], nil
	case len(like) > 1 && word != "":
		return Entry{}, problem.New(problem.Usage, "%s is in %d names", quote(word), len(like)).WithHint("say the whole name, such as %s", quote(like[0].Name))
	}
	return Entry{}, problem.New(problem.NotFound, "there is no one-time password called %s", quote(word)).WithHint("partnerguard otp list shows them")
}

// Remove takes an entry away.
func (b *Book) Remove(word string) (Entry, error) {
	e, err := b.Find(word)
	if err == nil {
		b.Entries = slices.DeleteFunc(b.Entries, func(o Entry) bool { return o.ID == e.ID })
	}
	return e, err
}

// Code is what an entry shows at a moment. The codes are secrets while they last.
type Code struct {
	ID, Name string
	Code     secret.Text
	Next     secret.Text   // the one after it
	Left     time.Duration // until Next takes its place
	Period   time.Duration
	Step     int64
	// What there is to know of the seed without it.
	Algorithm factor.Algorithm
	Digits    int
	Added     time.Time
}

// Clock is the corrected time.
func (b *Book) Clock(now time.Time) time.Time { return now.Add(b.Offset) }

// Code computes an entry's codes at now, the machine's time.
func (b *Book) Code(e Entry, now time.Time) (Code, error) {
	at := b.Clock(now)
	step := e.Seed.Step(at)
	c := Code{ID: e.ID, Name: e.Name, Step: step, Left: e.Seed.Begin(step + 1).Sub(at), Period: time.Duration(e.Seed.Period) * time.Second,
		Algorithm: e.Seed.Algorithm, Digits: e.Seed.Digits, Added: e.Added}
	var err error
	if c.Code, err = e.Seed.Code(step); err != nil {
		return c, err
	}
	c.Next, err = e.Seed.Code(step + 1)
	return c, err
}

// Show computes the codes of the entry that name means, or of all for "".
func (b *Book) Show(name string, now time.Time) (Shown, error) {
	list := b.Entries
	if name != "" {
		e, err := b.Find(name)
		if err != nil {
			return Shown{}, err
		}
		list = []Entry{e}
	}
	s := Shown{Offset: b.Offset}
	for _, e := range list {
		c, err := b.Code(e, now)
		if err != nil {
			return Shown{}, err
		}
		s.Codes = append(s.Codes, c)
	}
	return s, nil
}

// Shown are the codes of a moment, from an agent or from the opened file.
type Shown struct {
	Codes  []Code
	Offset time.Duration // the clock's correction
	Ends   time.Time     // when the agent forgets; zero without one
}
