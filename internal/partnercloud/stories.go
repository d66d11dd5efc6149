package partnercloud

import (
	"sync"
	"time"

	"partnerguard/internal/partnercloud/center"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/story"
	"partnerguard/internal/partnercloud/world"
)

// stage lets the clock play stories: those of a new world's scenario, those of a world
// that was loaded, and those that are begun later. A jump plays what came due at once;
// while the clock runs, one timer waits for the next act.
func (s *Server) stage() error {
	s.director = &story.Director{Locate: s.scenario.Locate, Address: s.scenario.Address}
	s.director.Attach(s.World)
	err := s.World.Do(func(st *world.State) error {
		if st.Stories.Len() > 0 || !s.fresh {
			return nil
		}
		for i := range s.scenario.Stories {
			x := &s.scenario.Stories[i]
			if _, err := s.director.Begin(st, story.Ask{Name: x.Name, Customer: x.Customer, Azure: x.Azure, At: x.Start(st.Created)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w := &waker{w: s.World}
	s.World.OnChange(w.look)
	s.World.Clock.OnJump(w.wake)
	s.cleanup = append(s.cleanup, func() error { w.close(); return nil })
	w.look()
	return nil
}

// waker wakes the world when the next act of a story comes due. Safe for concurrent use.
type waker struct {
	w *world.World

	mu    sync.Mutex // guards the rest
	timer *time.Timer
	over  bool
}

// wake lets come due what is due.
func (k *waker) wake() { k.w.Read(func(*world.State) {}) }

// look sets the timer for what comes next. With a clock that stands still it waits for a
// jump.
func (k *waker) look() {
	var next, now time.Time
	k.w.Read(func(s *world.State) { next, now = s.Next(), s.Clock.Now() })
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	if k.over || next.IsZero() || k.w.Clock.Frozen() {
		return
	}
	k.timer = time.AfterFunc(max(next.Sub(now), 50*time.Millisecond), func() { k.wake(); k.look() })
}

func (k *waker) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

// askStory lists the stories (nil), or begins one and gives it.
func (s *Server) askStory(ask *control.StoryAsk) (out []control.Story, err error) {
	var wait time.Duration
	if ask != nil && ask.In != "" {
		if wait, err = control.ParseDuration(ask.In); err != nil {
			return nil, err
		}
	}
	err = s.World.Do(func(st *world.State) error {
		list := st.Stories.List()
		if ask != nil {
			one, err := s.director.Begin(st, story.Ask{Name: ask.Name, Customer: ask.Customer, Azure: ask.Azure, At: st.Clock.Now().Add(wait)})
			if err != nil {
				return err
			}
			list = []*world.Story{one}
		}
		for _, x := range list {
			v := control.Story{ID: x.ID, Name: x.Name, Customer: x.Customer, Subscription: x.Subscription, Begun: x.Begun, Over: x.Over, Stopped: x.Stopped,
				Acts: []control.StoryAct{}}
			if t := st.Tenant(x.Customer); t != nil {
				v.Customer = t.Domain()
			}
			if next := story.Next(x); !next.IsZero() {
				v.Next = &next
			}
			for _, a := range x.Acts {
				v.Acts = append(v.Acts, control.StoryAct(a))
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// askAlerts lets Microsoft send alerts, or reopen or change one.
func (s *Server) askAlerts(ask control.AlertAsk) (out control.AlertAnswer, err error) {
	var late time.Duration
	if ask.Late != "" {
		if late, err = control.ParseDuration(ask.Late); err != nil {
			return out, err
		}
	}
	err = s.World.Do(func(st *world.State) error {
		out.IDs, err = story.Alerts(st, story.AlertAsk{Do: ask.Do, Count: ask.Count, Customer: ask.Customer, Type: ask.Type, Severity: ask.Severity,
			Test: ask.Test, Late: late, ID: ask.ID})
		return err
	})
	return out, err
}

// askTrouble makes webhooks go wrong.
func (s *Server) askTrouble(t control.Trouble) error {
	out := center.Trouble{Twice: t.Twice, Shuffle: t.Shuffle}
	if t.Late != "" {
		late, err := control.ParseDuration(t.Late)
		if err != nil {
			return err
		}
		out.Late = late
	}
	return s.center.SetTrouble(out)
}
