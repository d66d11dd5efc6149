package factor

import (
	"crypto/subtle"
	"strings"
	"time"

	"partnerguard/internal/secret"
)

// State is what is remembered of one device between codes. The zero value is that
// of a new device.
type State struct {
	LastStep int64 // of the last code taken; 0: none yet
	Drift    int   // steps by which the device's clock was ahead of ours
}

// Window says how far a device's clock may be off.
type Window struct {
	Steps int // on each side of the learned drift
	Drift int // the most that is learned, on each side
	Look  int // steps on each side in which a code is recognised, and not taken
}

// UsualWindow is one step on each side (RFC 6238 section 5.2), two learned at most.
// With ten steps it recognises a clock that is five minutes off.
func UsualWindow() Window { return Window{Steps: 1, Drift: 2, Look: 10} }

// Verdict is what became of a code.
type Verdict string

// The verdicts. Only Right lets anybody in.
const (
	Right Verdict = "right"
	Wrong Verdict = "wrong"
	// Used: it was right, and its step or a later one was taken before.
	Used Verdict = "used"
	// ClockOff: it is the code of another time than now.
	ClockOff Verdict = "clock off"
)

// Result is a verdict, with what it says of the device's clock.
type Result struct {
	Verdict Verdict
	Step    int64 // the step whose code it is; 0 for Wrong
	// Off is how far the device's clock is ahead of ours, in whole periods. It is
	// for the trail and the help desk: whoever typed the code must not learn of
	// ClockOff, or a guess would be told when it becomes right.
	Off time.Duration
}

// Verify judges a code typed at now, and gives the state to remember. Only a Right
// one changes it; the caller stores it so that of callers at the same time one wins.
// Each step of the window is computed and compared, whatever matches. An error says
// that the seed is unfit.
func (s Seed) Verify(typed secret.Text, now time.Time, st State, w Window) (State, Result, error) {
	if err := s.Check(); err != nil {
		return st, Result{Verdict: Wrong}, err
	}
	present := s.Step(now)
	drift := min(max(st.Drift, -w.Drift), w.Drift)
	reach := max(w.Look, w.Drift+w.Steps)
	candidate := []byte(Tidy(typed, s.Alphabet).Reveal())
	var fresh, used, far int
	for d := -reach; d <= reach; d++ {
		step := present + int64(d)
		if step <= 0 {
			continue
		}
		code, err := s.code(step)
		if err != nil {
			return st, Result{Verdict: Wrong}, err
		}
		same := subtle.ConstantTimeCompare(candidate, []byte(code.Reveal()))
		switch {
		case d < drift-w.Steps || d > drift+w.Steps:
			far = subtle.ConstantTimeSelect(same, int(step), far)
		case step <= st.LastStep:
			used = subtle.ConstantTimeSelect(same, int(step), used)
		default:
			fresh = subtle.ConstantTimeSelect(same, int(step), fresh)
		}
	}
	switch {
	case fresh != 0:
		off := fresh - int(present)
		return State{LastStep: int64(fresh), Drift: min(max(off, -w.Drift), w.Drift)}, s.result(Right, fresh, present), nil
	case used != 0:
		return st, s.result(Used, used, present), nil
	case far != 0 && int64(far) <= st.LastStep:
		return st, s.result(Used, far, present), nil
	case far != 0:
		return st, s.result(ClockOff, far, present), nil
	}
	return st, Result{Verdict: Wrong}, nil
}

func (s Seed) result(v Verdict, step int, present int64) Result {
	return Result{Verdict: v, Step: int64(step), Off: time.Duration(int64(step)-present) * time.Duration(s.Period) * time.Second}
}

// Tidy takes away what people type between the characters of a code.
func Tidy(typed secret.Text, a Alphabet) secret.Text {
	t := strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "\t", "").Replace(strings.TrimSpace(typed.Reveal()))
	if a == Steam {
		t = strings.ToUpper(t)
	}
	return secret.New(t)
}
