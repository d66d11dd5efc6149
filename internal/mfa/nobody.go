package mfa

import (
	"context"
	"strings"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// maxNobodies bounds the names that nobody has and that are remembered.
const maxNobodies = 20_000

// ShowNobody refuses a code that is shown with a name whose factors are not to be looked
// at: nobody has it, or they are blocked. It says what [Store.ShowCode] says of a wrong
// code, after as long and with the same waits, so that nobody learns by it who has a
// factor here. Wrong answers count for the network; the trail is not a stranger's to fill.
func (s *Store) ShowNobody(ctx context.Context, name, source string, kind Kind, code secret.Text) error {
	if err := codeThere(code); err != nil {
		return err
	}
	g := &gate{s: s, source: network(source, false)}
	src, err := s.readTries(ctx, g.source)
	if err != nil {
		return err
	}
	if wait, why := s.nobodyWaits(name, g, g.counted(src)); wait > 0 {
		return waits(wait, why)
	}
	if _, formed := factor.ReadCode(code); formed && kind != TOTP {
		if _, err := s.slowHash(ctx, token.Text(), "nobody", code); err != nil {
			return err
		}
	}
	err = again(ctx, func() error {
		return s.d.DB.InTx(ctx, func(ctx context.Context) error {
			src, err := s.readTries(ctx, g.source)
			if err != nil {
				return err
			}
			now := s.now()
			return g.put(ctx, &src, s.lock.Source, s.lock.Source.Failed(src.failures(), now), now)
		})
	})
	if err != nil {
		return failed(err)
	}
	return errWrong(kind)
}

// nobodyWaits counts a try at a name in this process, and says how long it has to wait.
func (s *Store) nobodyWaits(name string, g *gate, src factor.Failures) (time.Duration, string) {
	now, key := s.now(), quickHash(secret.New(strings.ToLower(strings.TrimSpace(name))))
	own := key + " at " + g.source
	s.mu.Lock()
	defer s.mu.Unlock()
	b := factor.Buckets{Own: s.nobodies[own], Strangers: s.nobodies[key], Source: src}
	wait, why := s.lock.Wait(false, b, now)
	if wait > 0 {
		return wait, why
	}
	if len(s.nobodies) >= maxNobodies {
		clear(s.nobodies)
	}
	after := s.lock.Failed(false, b, now)
	s.nobodies[own], s.nobodies[key] = after.Own, after.Strangers
	return 0, ""
}
