package control

import (
	"context"
	"net/http"
	"time"

	"partnerguard/internal/problem"
)

// StoryAsk begins a story.
type StoryAsk struct {
	Name     string `json:"name"`            // mine, containers, deployment
	Customer string `json:"customer"`        // domain or tenant id
	Azure    string `json:"azure,omitempty"` // name or id of the subscription; "" is the first
	In       string `json:"in,omitempty"`    // how long from now: 2h; "" is at once
}

// Story is a story as it stands.
type Story struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Customer     string     `json:"customer"` // domain
	Subscription string     `json:"subscription"`
	Begun        time.Time  `json:"begun"`
	Next         *time.Time `json:"next,omitempty"` // of its next act
	Over         bool       `json:"over"`
	Stopped      string     `json:"stopped,omitempty"`
	Acts         []StoryAct `json:"acts"`
}

// StoryAct is what happened.
type StoryAct struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

type storyList struct {
	Stories []Story `json:"stories"`
}

// AlertAsk is what Microsoft is to do with alerts: raise so many at once (a storm is many),
// or reopen or change one that is there.
type AlertAsk struct {
	Do       string `json:"do"` // raise, reopen, change
	Count    int    `json:"count,omitempty"`
	Customer string `json:"customer,omitempty"` // of raise; "" spreads them over all with Azure
	Type     string `json:"type,omitempty"`     // alertType, any text
	Severity string `json:"severity,omitempty"`
	Test     bool   `json:"test,omitempty"`
	Late     string `json:"late,omitempty"` // how long ago it was detected: 26h
	ID       string `json:"id,omitempty"`   // of reopen and change
}

// AlertAnswer are the ids of the alerts.
type AlertAnswer struct {
	IDs []string `json:"ids"`
}

// Trouble is how webhooks go wrong from now on; the zero value ends it.
type Trouble struct {
	Late    string `json:"late,omitempty"` // each comes so much later, by the machine's clock: 2m
	Twice   bool   `json:"twice,omitempty"`
	Shuffle bool   `json:"shuffle,omitempty"` // every other one comes after the next
}

func (a *api) webhooks(w http.ResponseWriter, r *http.Request) error {
	if a.d.Trouble == nil {
		return problem.New(problem.NotFound, "this partner cloud sends no webhooks")
	}
	var t Trouble
	if err := read(r, &t); err != nil {
		return err
	}
	if err := a.d.Trouble(t); err != nil {
		return err
	}
	return write(w, http.StatusOK, t)
}

// Trouble makes webhooks go wrong from now on.
func (c *Client) Trouble(ctx context.Context, t Trouble) error {
	return c.call(ctx, http.MethodPost, "/v1/webhooks", t, nil)
}

func (a *api) stories(w http.ResponseWriter, r *http.Request) error {
	if a.d.Stories == nil {
		return problem.New(problem.NotFound, "this partner cloud plays no stories")
	}
	var ask *StoryAsk
	status := http.StatusOK
	if r.Method == http.MethodPost {
		ask, status = new(StoryAsk), http.StatusCreated
		if err := read(r, ask); err != nil {
			return err
		}
	}
	list, err := a.d.Stories(ask)
	if err != nil {
		return err
	}
	if list == nil {
		list = []Story{}
	}
	return write(w, status, storyList{list})
}

func (a *api) alerts(w http.ResponseWriter, r *http.Request) error {
	if a.d.Alerts == nil {
		return problem.New(problem.NotFound, "this partner cloud sends no alerts")
	}
	var ask AlertAsk
	if err := read(r, &ask); err != nil {
		return err
	}
	answer, err := a.d.Alerts(ask)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, answer)
}

// Stories lists the stories, or begins one where ask is not nil and gives that.
func (c *Client) Stories(ctx context.Context, ask *StoryAsk) ([]Story, error) {
	var l storyList
	var err error
	if ask == nil {
		err = c.call(ctx, http.MethodGet, "/v1/stories", nil, &l)
	} else {
		err = c.call(ctx, http.MethodPost, "/v1/stories", ask, &l)
	}
	return l.Stories, err
}

// Alerts sends or changes alerts.
func (c *Client) Alerts(ctx context.Context, ask AlertAsk) (a AlertAnswer, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/alerts", ask, &a)
	return a, err
}
