package probe

import (
	"context"
	"strings"
	"time"
)

// needed are the kinds without which nothing is proved: a relationship and its
// assignments as Microsoft says they are, and DAP. Tokens and sign-ins prove more where
// there are any, and forbid a pass where they speak against it; that there are none does
// not.
func needed(k Kind) bool { return k != TokenRoles && k != MemberSeen }

// Judge sums up the results of one customer: a failure of any is one, then what still
// waits, then what could not be asked and is needed. Nothing asked is no pass.
func Judge(list []Result) (o Outcome, words string) {
	o = Unknown
	var best Proof
	n := 0
	for i := range list {
		r := &list[i]
		rank := map[Outcome]int{Fail: 3, Wait: 2, Unknown: 1}[r.Outcome]
		switch {
		case r.Outcome == Unknown && !needed(r.Kind):
			continue
		case r.Outcome == Pass:
			best = stronger(best, r.Proof)
		case rank > n:
			n, o, words = rank, r.Outcome, sentence(r)
		}
		if needed(r.Kind) && n == 0 {
			o = Pass
		}
	}
	switch {
	case o == Unknown && words == "":
		return o, "Nothing was asked."
	case o == Pass:
		words = "Access is as it should be, " + map[Proof]string{ByToken: "by a token of the connected account.",
			BySignIn: "by a sign-in of a group's member.", ByState: "by what Microsoft says of it; nobody was seen to use it."}[best]
	}
	return o, words
}

func stronger(a, b Proof) Proof {
	rank := map[Proof]int{ByToken: 3, BySignIn: 2, ByState: 1}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

func sentence(r *Result) string {
	s := string(r.Kind) + " of " + r.Subject + ": wanted " + r.Want + ", found " + r.Got + "."
	return strings.TrimSpace(s + " " + r.Why)
}

// Patience is how long [Patient] waits for what takes its time.
type Patience struct {
	Until time.Time                                  // not asked again after it; zero: asked once
	Now   func() time.Time                           // required
	Sleep func(context.Context, time.Duration) error // required
}

// Patient probes again and again while something waits, until nothing does or patience
// ends. The last results are given; the error is that of the context.
func Patient(ctx context.Context, c Client, e Expectation, p Patience) ([]Result, error) {
	for {
		out := Probe(ctx, c, e, p.Now())
		next := time.Time{}
		for i := range out {
			if a := out[i].Again; !a.IsZero() && (next.IsZero() || a.Before(next)) {
				next = a
			}
		}
		if next.IsZero() || next.After(p.Until) {
			return out, ctx.Err()
		}
		if err := p.Sleep(ctx, next.Sub(p.Now())); err != nil {
			return out, err
		}
	}
}
