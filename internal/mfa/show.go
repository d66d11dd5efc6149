package mfa

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// errWrong is what whoever answers is told, whatever was wrong.
func errWrong(kind Kind) error {
	words := map[Kind]string{TOTP: "this passcode is not right, or was used already", Recovery: "this recovery code is not right, or was used already",
		Pass: "this pass is not right, was used already, or is out of time", Key: "this security key was not accepted"}[kind]
	hint := map[Kind]string{TOTP: "take the next passcode, and look that the device's clock is set automatically", Recovery: "take another of your codes",
		Pass: "ask your help desk for a new one", Key: "try again, or choose another way"}[kind]
	return problem.New(problem.Forbidden, "%s", upper(words)).WithHint("%s", upper(hint))
}

func codeThere(code secret.Text) error {
	if n := len(code.Reveal()); n == 0 || n > 64 {
		return problem.New(problem.Usage, "There is no code in the field.").WithHint("Type the code")
	}
	return nil
}

// ShowCode judges a passcode, a recovery code or a temporary pass. Kinds: problem.Forbidden
// for one that is not right, problem.TooMany where no answer is looked at yet,
// problem.Unavailable where it could not be judged: then nothing was proven.
func (s *Store) ShowCode(ctx context.Context, t Try, kind Kind, code secret.Text) (Shown, error) {
	if err := codeThere(code); err != nil {
		return Shown{}, err
	}
	list := t.factors // one that was changed meanwhile is read again when it is written
	if list == nil {
		var err error
		if list, err = s.Factors(ctx, t.Person.ID); err != nil {
			return Shown{}, err
		}
	}
	g, err := s.pass(ctx, &t)
	if err != nil {
		return Shown{}, err
	}
	var out Shown
	switch kind {
	case TOTP:
		out, err = s.showPasscode(ctx, g, counted(list, TOTP), code)
	case Recovery:
		out, err = s.showRecovery(ctx, g, counted(list, Recovery), code)
	case Pass:
		out, err = s.showPass(ctx, g, code)
	default:
		return out, problem.New(problem.Internal, "a %s is no code", kind)
	}
	if no, ok := errors.AsType[*refused](err); ok {
		if err := g.wrong(ctx, kind, no.why); err != nil {
			return out, err
		}
		return out, errWrong(kind)
	}
	return out, failed(err)
}

// refused is why an answer was not taken, for the trail alone.
type refused struct{ why string }

func (r *refused) Error() string { return r.why }

// showPasscode holds a passcode to each of the person's apps. Of callers with the same
// step at the same time one wins, by the row's version.
func (s *Store) showPasscode(ctx context.Context, g *gate, list []Factor, code secret.Text) (out Shown, err error) {
	why := "it fits none of the person's authenticator apps"
	if len(list) == 0 {
		why = "the person has no authenticator app"
	}
	for i := range list {
		f := list[i]
		err := again(ctx, func() error {
			seed, err := s.seed(ctx, &g.t.Person, &f)
			if err != nil {
				return err
			}
			st, r, err := seed.Verify(code, s.now(), factor.State{LastStep: f.Step, Drift: f.Drift}, factor.UsualWindow())
			if err != nil {
				return err
			}
			switch r.Verdict {
			case factor.Right:
				f.Step, f.Drift = st.LastStep, st.Drift
				if out, err = s.passed(ctx, g, TOTP, &f); errors.Is(err, errLost) {
					return s.reread(ctx, &f)
				}
				return err
			case factor.Used:
				return &refused{"its step was used already"}
			case factor.ClockOff:
				s.farOff(ctx, g, &f, r)
				return &refused{fmt.Sprintf("it is a passcode of another time, %s off", r.Off)}
			}
			return &refused{why}
		})
		no, ok := errors.AsType[*refused](err)
		if !ok {
			return out, err
		}
		why = no.why
	}
	return out, &refused{why}
}

// reread reads a factor again after another caller changed it, and has it tried anew.
func (s *Store) reread(ctx context.Context, f *Factor) error {
	r, err := s.one(ctx, factors, f.ID, "")
	if err != nil {
		return &refused{"the factor was taken away meanwhile"}
	}
	if err := s.fits(ctx, factors, &r); err != nil {
		return err
	}
	if *f, err = readFactor(&r); err != nil {
		return err
	}
	return errLost
}

// seed opens the secret of passcodes.
func (s *Store) seed(ctx context.Context, p *Person, f *Factor) (factor.Seed, error) {
	t, err := s.d.Vault.Get(ctx, seedRef(p, f))
	return factor.Seed{Secret: t, Algorithm: factor.Algorithm(f.Algorithm), Digits: f.Digits, Period: f.Period}, err
}

// farOff remembers that a passcode was of another time: of many people at once it is our
// own clock. Whoever typed it is not told, or a guess would be told when it becomes right.
func (s *Store) farOff(ctx context.Context, g *gate, f *Factor, r factor.Result) {
	f.Far, f.FarAt = int(r.Off/time.Second)/max(f.Period, 1), s.now()
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.saveFactor(ctx, f); err != nil {
			return err
		}
		return s.note(ctx, &g.t.Person, NoteClock, g.t.Source, fmt.Sprintf("a passcode fitted %s off: the device's clock, or ours", r.Off))
	})
	if err != nil && !errors.Is(err, errLost) {
		s.d.Log.WarnContext(ctx, "that a clock is off could not be written", "person", g.t.Person.ID, "err", err)
	}
}

// passed writes a right answer down: the factor's new state, the person's last, the
// lockout, the trail, in one transaction. errLost where another was faster.
func (s *Store) passed(ctx context.Context, g *gate, kind Kind, f *Factor) (Shown, error) {
	out := Shown{Kind: kind, Factor: f.ID}
	now, place := s.now(), network(g.t.Source, true)
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		f.Last = now
		if err := s.saveFactor(ctx, f); err != nil {
			return err
		}
		out.Left = len(f.codes)
		if kind == Recovery {
			if err := s.record(ctx, audit.MFARecoveryUsed, audit.Done, g.t.actor(), &g.t.Person, "", "",
				map[string]string{"left": text(out.Left)}); err != nil {
				return err
			}
		}
		return s.arrived(ctx, g, &out, kind, f.ID, place)
	})
	return out, err
}

// arrived is what every right answer brings about.
func (s *Store) arrived(ctx context.Context, g *gate, out *Shown, kind Kind, id, place string) error {
	if err := g.right(ctx); err != nil {
		return err
	}
	p, err := s.Person(ctx, g.t.Person.ID)
	if err != nil {
		return err
	}
	if p.State != Active {
		return problem.New(problem.Forbidden, "the help desk has blocked this account's factors").WithHint("ask your help desk")
	}
	out.New = len(p.Places) > 0 && !slices.Contains(p.Places, place)
	p.Places = append(slices.DeleteFunc(p.Places, func(x string) bool { return x == place }), place)
	p.Places = p.Places[max(len(p.Places)-20, 0):]
	p.Last = s.now()
	if err := s.savePerson(ctx, &p); err != nil {
		return err
	}
	out.Person = p
	details := map[string]string{"kind": string(kind), "factor": id, "network": place, "for": g.t.What, "amr": kind.AMR()}
	if err := s.record(ctx, audit.MFAPassed, audit.Done, g.t.actor(), &p, "", "", details); err != nil || !out.New {
		return err
	}
	return s.note(ctx, &p, NoteNewPlace, g.t.Source, "a factor was shown from a network where none was before")
}

// refusedSlowly refuses a code that there is nothing to hold against, after as long as
// where there is: whether a person has such codes is not a stranger's to know.
func (s *Store) refusedSlowly(ctx context.Context, formed bool, code secret.Text, why string) error {
	if formed {
		if _, err := s.slowHash(ctx, token.Text(), "nobody", code); err != nil {
			return err
		}
	}
	return &refused{why}
}

// showRecovery takes a recovery code, once.
func (s *Store) showRecovery(ctx context.Context, g *gate, list []Factor, typed secret.Text) (out Shown, err error) {
	code, ok := factor.ReadCode(typed)
	if !ok || len(list) == 0 {
		return out, s.refusedSlowly(ctx, ok, code, "it is no recovery code of the person")
	}
	for i := range list {
		f := list[i]
		key, err := s.d.Vault.Get(ctx, codesRef(&g.t.Person, f.ID))
		if err != nil {
			return out, err
		}
		hash, err := s.slowHash(ctx, key, f.ID, code)
		if err != nil {
			return out, err
		}
		err = again(ctx, func() error {
			at := -1
			for k, h := range f.codes {
				if subtle.ConstantTimeCompare([]byte(h), []byte(hash)) == 1 {
					at = k
				}
			}
			if at < 0 {
				return &refused{"it is no recovery code of the person, or was used"}
			}
			f.codes = slices.Delete(slices.Clone(f.codes), at, at+1)
			if out, err = s.passed(ctx, g, Recovery, &f); errors.Is(err, errLost) {
				return s.reread(ctx, &f)
			}
			return err
		})
		if _, no := errors.AsType[*refused](err); !no {
			return out, err
		}
	}
	return out, &refused{"it is no recovery code of the person, or was used"}
}

// showPass takes a temporary pass, once.
func (s *Store) showPass(ctx context.Context, g *gate, typed secret.Text) (out Shown, err error) {
	code, ok := factor.ReadCode(typed)
	list, err := s.passes(ctx, g.t.Person.ID)
	if err != nil {
		return out, err
	}
	if !ok || len(list) == 0 {
		return out, s.refusedSlowly(ctx, ok, code, "the person has no temporary pass that counts")
	}
	for i := range list {
		a := list[i]
		key, err := s.d.Vault.Get(ctx, codesRef(&g.t.Person, a.ID))
		if err != nil {
			return out, err
		}
		hash, err := s.slowHash(ctx, key, a.ID, code)
		if err != nil {
			return out, err
		}
		if subtle.ConstantTimeCompare([]byte(hash), []byte(a.hash)) != 1 {
			continue
		}
		out = Shown{Kind: Pass, Factor: a.ID}
		err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
			a.State, a.Used = Used, s.now()
			if err := s.saveAct(ctx, &a); err != nil {
				return err
			}
			if err := s.d.Vault.Delete(ctx, codesRef(&g.t.Person, a.ID)); err != nil {
				return err
			}
			if err := s.record(ctx, audit.MFAPassUsed, audit.Done, g.t.actor(), &g.t.Person, a.ID, "", nil); err != nil {
				return err
			}
			return s.arrived(ctx, g, &out, Pass, a.ID, network(g.t.Source, true))
		})
		if errors.Is(err, errLost) {
			return out, &refused{"the pass was used meanwhile"}
		}
		return out, err
	}
	return out, &refused{"it is no pass of the person"}
}
