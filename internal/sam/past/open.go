package past

import (
	"context"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/sam"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Deps are what the past is known by. All are required.
type Deps struct {
	DB    *db.DB
	Trail *trail.Trail
	Vault *vault.Vault
	File  string // where this machine remembers how long the trail was
	Actor string // who opens it
	Look  bool   // only to look: nothing is recorded
	Now   func() time.Time
}

// Open opens the key of the trail's own words. What this machine saw last is
// compared by [Past.Compare].
func Open(ctx context.Context, d Deps) (*Past, error) {
	w, err := openWords(ctx, d)
	if err != nil {
		return nil, err
	}
	return &Past{d: d, words: w, known: map[string]word[sam.Height]{}, approved: map[string]word[bool]{}, spent: map[string]word[bool]{}}, nil
}

// Record records into the trail, as the installation's own word where something
// hangs on the entry. It is an [audit.Recorder].
func (p *Past) Record(ctx context.Context, e audit.Event) error { return p.words.record(ctx, e) }

// Compare holds the database against what this machine saw of it last. It gives
// why nothing of it is used before a person accepts it, or "".
func (p *Past) Compare(ctx context.Context) (behind string, err error) {
	was, err := readSeen(p.d.File)
	if err == nil && was != nil {
		err = p.compare(ctx, was)
	}
	if err != nil {
		return "", err
	}
	if p.behind == "" {
		p.behind = p.words.gone
	}
	if p.behind == "" || p.d.Look {
		return p.behind, nil
	}
	return p.behind, p.d.Trail.Record(ctx, audit.Event{Action: audit.DatabaseOlder, Outcome: audit.Refused, Actor: p.d.Actor, Reason: p.behind})
}

// Behind is why nothing of this database is used, or "".
func (p *Past) Behind() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind
}

// Accept takes the database as it stands, on a person's word, also when it is
// older than it was. It gives why it was not used until now, or "".
func (p *Past) Accept(ctx context.Context) (was string, err error) {
	if err := p.words.accept(ctx); err != nil {
		return "", err
	}
	was = p.Forget()
	if was == "" {
		return "", nil
	}
	if err := p.d.Trail.Record(ctx, audit.Event{Action: audit.DatabaseAccepted, Outcome: audit.Done, Actor: p.d.Actor, Reason: was}); err != nil {
		return was, err
	}
	head, err := p.d.Trail.Head(ctx)
	if err != nil {
		return was, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return was, p.write(head)
}
