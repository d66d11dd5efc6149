package world

import (
	"slices"
	"time"
)

// Story is something that happens by the clock: an attack on a customer's Azure
// subscription, or a deployment that looks like one. Package story plays it.
type Story struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"` // see [StoryNames]
	Customer     string            `json:"customer"`
	Subscription string            `json:"subscription"`
	Begun        time.Time         `json:"begun"` // the moment of its first act
	Done         int               `json:"done"`  // acts that are over
	Over         bool              `json:"over"`
	Stopped      string            `json:"stopped,omitempty"` // what ended the attacker's part before its end
	Facts        map[string]string `json:"facts,omitempty"`   // what later acts need to know of earlier ones
	Acts         []StoryAct        `json:"acts,omitempty"`
}

// StoryAct is what an act came to.
type StoryAct struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Key is the story's id.
func (s *Story) Key() string { return s.ID }

// The stories that can be played.
const (
	StoryMine       = "mine"       // a stolen administrator makes graphics machines in five regions
	StoryContainers = "containers" // a stolen app makes containers, Machine Learning nodes and a Batch pool
	StoryDeployment = "deployment" // a legitimate large deployment that Microsoft warns of
)

// StoryNames lists them.
func StoryNames() []string { return []string{StoryMine, StoryContainers, StoryDeployment} }

// BeginStory adds a story: its acts come due by the clock.
func (s *State) BeginStory(st *Story) {
	s.Stories.Put(st)
	s.due.known = false
	s.dirty = true
}

// BeginStories lets stories be looked at again: after a start, or with another Play.
func (s *State) BeginStories() { s.due.known = false; s.dirty = s.dirty || s.Stories.Len() > 0 }

// storiesDue plays what came due.
func (s *State) storiesDue(now time.Time) {
	if s.Play == nil {
		return
	}
	for _, st := range s.Stories.List() {
		if st.Over {
			continue
		}
		if next := s.Play(s, st.ID, now); !next.IsZero() {
			s.soon(next)
		}
	}
}

// Next is the moment of the next thing that comes due by the clock alone; zero for none
// that is known.
func (s *State) Next() time.Time {
	if !s.due.known || !slices.ContainsFunc(s.Stories.List(), func(st *Story) bool { return !st.Over }) {
		return time.Time{}
	}
	return s.due.at
}
