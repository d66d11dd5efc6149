package control

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// What is asked of stories, alerts and webhooks comes through, and what is refused comes
// back as the error it was.
func TestStoriesAlertsWebhooks(t *testing.T) {
	t.Parallel()
	var began StoryAsk
	var sent AlertAsk
	var trouble Trouble
	clock := world.NewClock(time.Now)
	srv := httptest.NewServer(New(Deps{Secret: "s", Clock: clock, Gate: gate.New(gate.Deps{Now: clock.Now}),
		Stories: func(ask *StoryAsk) ([]Story, error) {
			if ask == nil {
				return nil, nil
			}
			if began = *ask; ask.Name == "heist" {
				return nil, problem.New(problem.Usage, "no story is called %q", ask.Name).WithHint("mine")
			}
			return []Story{{ID: "1", Name: ask.Name}}, nil
		},
		Alerts:  func(ask AlertAsk) (AlertAnswer, error) { sent = ask; return AlertAnswer{IDs: []string{"a"}}, nil },
		Trouble: func(t Trouble) error { trouble = t; return nil },
	}))
	t.Cleanup(srv.Close)
	c, ctx := Dial(srv.URL, "s"), context.Background()
	if list, err := c.Stories(ctx, nil); err != nil || list == nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if list, err := c.Stories(ctx, &StoryAsk{Name: "mine", Customer: "x.example", In: "2h"}); err != nil || len(list) != 1 || began.In != "2h" {
		t.Errorf("%v %v %+v", list, err, began)
	}
	_, err := c.Stories(ctx, &StoryAsk{Name: "heist"})
	if p, ours := errors.AsType[*problem.Error](err); !ours || p.Kind != problem.Usage || problem.HintOf(err) != "mine" {
		t.Errorf("%v", err)
	}
	if a, err := c.Alerts(ctx, AlertAsk{Do: "raise", Count: 3, Test: true}); err != nil || len(a.IDs) != 1 || sent.Count != 3 || !sent.Test {
		t.Errorf("%v %v %+v", a, err, sent)
	}
	if err := c.Trouble(ctx, Trouble{Late: "2m", Twice: true}); err != nil || !trouble.Twice || trouble.Late != "2m" {
		t.Errorf("%v %+v", err, trouble)
	}
	// A cloud without them says so.
	bare := httptest.NewServer(New(Deps{Secret: "s", Clock: clock, Gate: gate.New(gate.Deps{Now: clock.Now})}))
	t.Cleanup(bare.Close)
	c = Dial(bare.URL, "s")
	if _, err := c.Stories(ctx, nil); err == nil {
		t.Error("stories of a cloud that plays none")
	}
	if _, err := c.Alerts(ctx, AlertAsk{Do: "raise"}); err == nil {
		t.Error("alerts of a cloud that sends none")
	}
	if err := c.Trouble(ctx, Trouble{}); err == nil {
		t.Error("webhooks of a cloud that sends none")
	}
}
