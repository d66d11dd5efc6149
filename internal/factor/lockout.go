package factor

import "time"

// Failures counts the wrong answers of one bucket. The zero value has none.
type Failures struct {
	Count int
	Last  time.Time // of the newest
}

// Slow says how a bucket is slowed down.
type Slow struct {
	Free   int           // wrong answers without a wait
	First  time.Duration // the wait after one more; doubled by each further one
	Most   time.Duration // the longest wait
	Forget time.Duration // one wrong answer is forgotten in this time without another
}

// Left is how many wrong answers still count at now.
func (s Slow) Left(f Failures, now time.Time) int {
	if f.Count <= 0 || s.Forget <= 0 {
		return max(f.Count, 0)
	}
	gone := max(now.Sub(f.Last), 0) / s.Forget // a clock set back forgets nothing
	return int(max(int64(f.Count)-int64(gone), 0))
}

// Failed is the bucket after another wrong answer at now.
func (s Slow) Failed(f Failures, now time.Time) Failures {
	const most = 1 << 20
	if now.Before(f.Last) {
		now = f.Last
	}
	return Failures{Count: min(s.Left(f, now)+1, most), Last: now}
}

// Wait is how long from now until an answer may be tried; 0: at once.
func (s Slow) Wait(f Failures, now time.Time) time.Duration {
	over := s.Left(f, now) - s.Free
	if over <= 0 {
		return 0
	}
	wait := s.First
	for range min(over-1, 62) {
		if wait >= s.Most {
			break
		}
		wait *= 2
	}
	since := max(now.Sub(f.Last), 0)
	return max(min(wait, s.Most)-since, 0)
}

// Lockout slows whoever guesses, and not whom they guess at. Wrong answers count in
// up to three buckets.
type Lockout struct {
	Own       Slow // one account from one source, or from one known browser
	Source    Slow // one source, over all accounts
	Strangers Slow // one account, over all sources that are not known to be its person's
}

// UsualLockout lets somebody mistype, and lets strangers together try a code about
// once in an hour when they go on.
func UsualLockout() Lockout {
	return Lockout{
		Own:       Slow{Free: 4, First: 30 * time.Second, Most: 15 * time.Minute, Forget: time.Hour},
		Source:    Slow{Free: 20, First: 30 * time.Second, Most: time.Hour, Forget: 30 * time.Minute},
		Strangers: Slow{Free: 9, First: time.Minute, Most: time.Hour, Forget: time.Hour},
	}
}

// Buckets are the failures that one attempt is judged by.
type Buckets struct{ Own, Source, Strangers Failures }

// Wait is how long this attempt must wait, and why in plain words; 0 and "" when it
// need not. known says that the source has proved before to be this person's (a
// cookie bound to the account, set after a right answer): it then waits for its own
// mistakes only, whatever others do to the account.
func (l Lockout) Wait(known bool, b Buckets, now time.Time) (time.Duration, string) {
	wait, why := l.Own.Wait(b.Own, now), "several wrong codes from here"
	if wait == 0 {
		why = ""
	}
	if known {
		return wait, why
	}
	if w := l.Source.Wait(b.Source, now); w > wait {
		wait, why = w, "many wrong codes from this address"
	}
	if w := l.Strangers.Wait(b.Strangers, now); w > wait {
		wait, why = w, "many wrong codes for this account from elsewhere"
	}
	return wait, why
}

// Failed are the buckets after this attempt was wrong. A known source fills its own
// bucket and its address's; it never makes strangers of its person.
func (l Lockout) Failed(known bool, b Buckets, now time.Time) Buckets {
	b.Own = l.Own.Failed(b.Own, now)
	b.Source = l.Source.Failed(b.Source, now)
	if !known {
		b.Strangers = l.Strangers.Failed(b.Strangers, now)
	}
	return b
}

// Passed are the buckets after a right answer. Only its own is emptied: an attacker
// with an account of their own must not thereby empty the address's.
func (l Lockout) Passed(b Buckets) Buckets {
	b.Own = Failures{}
	return b
}
