package story

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Director plays the stories of a world. It keeps nothing: what a story has come to
// stands in the world. Used with the state locked.
type Director struct {
	// Locate says where an address lies.
	Locate func(netip.Addr) world.Place
	// Address gives an address in the customer's country, or far from it; which is one of
	// several in the same place.
	Address func(country string, far bool, which uint64) netip.Addr
}

// Attach lets the world's clock play its stories.
func (d *Director) Attach(w *world.World) {
	w.Read(func(s *world.State) {
		s.Play = d.play
		s.BeginStories()
	})
}

// Ask is what a story is begun with.
type Ask struct {
	Name     string    // see [world.StoryNames]
	Customer string    // tenant id or domain
	Azure    string    // name or id of the subscription; "" is the first that is on
	At       time.Time // of the first act; zero is now
}

// Begin begins a story. It refuses with package problem's errors what cannot be played:
// a name, customer or subscription that does not exist, nobody who could be taken over.
func (d *Director) Begin(s *world.State, ask Ask) (*world.Story, error) {
	if !slices.Contains(world.StoryNames(), ask.Name) {
		return nil, problem.New(problem.Usage, "no story is called %.40q", ask.Name).WithHint("one of: %s", strings.Join(world.StoryNames(), ", "))
	}
	p := s.PartnerTenant()
	if p == nil || p.CustomerOf(ask.Customer) == nil {
		return nil, problem.New(problem.NotFound, "no customer is called %.80q", ask.Customer).WithHint("name one by domain or tenant id")
	}
	t := s.Tenant(p.CustomerOf(ask.Customer).TenantID)
	sub := subscription(s, t, ask.Azure)
	if sub == nil {
		return nil, problem.New(problem.NotFound, "%s has no such Azure subscription that is on", t.Domain()).
			WithHint("choose a customer with Azure, and the subscription by name or id")
	}
	now := s.Clock.Now()
	if ask.At.IsZero() || ask.At.Before(now) {
		ask.At = now
	}
	st := &world.Story{ID: world.NewGUID(), Name: ask.Name, Customer: t.ID, Subscription: sub.ID, Begun: ask.At.Truncate(time.Second),
		Facts: map[string]string{}}
	if who := victim(s, t, sub, ask.Name == world.StoryDeployment); who != nil {
		st.Facts["user"] = who.ID
	} else if ask.Name != world.StoryContainers {
		return nil, problem.New(problem.NotFound, "%s has no administrator for the story", t.Domain()).WithHint("choose another customer")
	}
	s.BeginStory(st)
	return st, nil
}

// subscription finds one by name or id, or the first that is on.
func subscription(s *world.State, t *world.Tenant, name string) *world.AzureSubscription {
	if t == nil {
		return nil
	}
	for a := range t.Azure.All() {
		if a.StateAt(s.Clock.Now()) == "Enabled" && (name == "" || strings.EqualFold(a.Name, name) || strings.EqualFold(a.ID, name)) {
			return a
		}
	}
	return nil
}

// victim is an administrator of the customer: one without a second factor for an attack,
// and one with for work. Owners of the subscription come first.
func victim(s *world.State, t *world.Tenant, sub *world.AzureSubscription, honest bool) (best *world.User) {
	rank := -1
	for u := range t.Users.All() {
		if !u.Enabled || u.Guest || !t.HasRole(u.ID, s.Clock.Now(), entra.RoleGlobalAdministrator) {
			continue
		}
		n := 0
		if (len(u.Registered()) > 0) == honest {
			n += 2
		}
		if assigned(sub, u.ID, "Owner") {
			n++
		}
		if n > rank {
			best, rank = u, n
		}
	}
	return best
}

func assigned(sub *world.AzureSubscription, principal string, roles ...string) bool {
	return slices.ContainsFunc(sub.Roles, func(r world.AzureRole) bool {
		return strings.EqualFold(r.Principal, principal) && slices.Contains(roles, r.Role)
	})
}

// act is one act of a story.
type act struct {
	after time.Duration
	// microsoft marks what happens whatever became of the attacker.
	microsoft bool
	// do plays it and says what happened; "" is nothing, and not told.
	do func(*player) string
}

func acts(name string) []act {
	var out []act
	switch name {
	case world.StoryMine:
		out = mine()
	case world.StoryContainers:
		out = containers()
	case world.StoryDeployment:
		out = deployment()
	}
	slices.SortStableFunc(out, func(a, b act) int { return int(a.after - b.after) })
	return out
}

// player plays one story.
type player struct {
	d   *Director
	s   *world.State
	st  *world.Story // a copy that is put back
	t   *world.Tenant
	at  time.Time
	act int
}

// play plays the acts that are due and gives the moment of the next.
func (d *Director) play(s *world.State, id string, now time.Time) time.Time {
	old := s.Stories.Get(id)
	if old == nil || old.Over {
		return time.Time{}
	}
	st := *old
	st.Acts = slices.Clone(old.Acts)
	facts := map[string]string{}
	for k, v := range old.Facts {
		facts[k] = v
	}
	st.Facts = facts
	p := &player{d: d, s: s, st: &st, t: s.Tenant(st.Customer)}
	list := acts(st.Name)
	for p.t != nil && st.Done < len(list) {
		a := &list[st.Done]
		if p.at = st.Begun.Add(a.after); p.at.After(now) {
			break
		}
		p.act = st.Done
		st.Done++
		if st.Stopped != "" && !a.microsoft {
			continue
		}
		if what := a.do(p); what != "" {
			st.Acts = append(st.Acts, world.StoryAct{At: p.at, What: what})
		}
	}
	st.Over = p.t == nil || st.Done >= len(list)
	if st.Done != old.Done || st.Over {
		s.Stories.Put(&st)
		s.Dirty()
	}
	if st.Over {
		return time.Time{}
	}
	return st.Begun.Add(list[st.Done].after)
}

// Next is when the next act of a story comes; zero when it is over.
func Next(st *world.Story) time.Time {
	list := acts(st.Name)
	if st.Over || st.Done >= len(list) {
		return time.Time{}
	}
	return st.Begun.Add(list[st.Done].after)
}

// stop ends the attacker's part.
func (p *player) stop(why string) string {
	if p.st.Stopped == "" {
		p.st.Stopped = why
	}
	return "The attacker was stopped: " + why + "."
}

// sub is the subscription as it is.
func (p *player) sub() *world.AzureSubscription { return p.t.Azure.Get(p.st.Subscription) }

// id is the story's own id of a thing, the same each time it is asked.
func (p *player) id(what string) string { return p.s.GUID("story/" + p.st.ID + "/" + what) }

// scope is the subscription's id as paths have it.
func (p *player) scope() string { return "/subscriptions/" + p.st.Subscription }
