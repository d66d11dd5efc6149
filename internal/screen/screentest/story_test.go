package screentest

import (
	"strings"
	"testing"
)

// stories are the addresses of the story by what they show.
var stories = map[string]string{
	"components": "/status", "people": "/people?row=id-0", "signins": "/signins?row=id-3", "customers": "/customers?proof=met&q=example",
	"nothing": "/connections", "missing": "/collection", "nomatch": "/people?q=nobodyatall", "last": "/people?page=99&size=20",
}

func TestStoryHolds(t *testing.T) {
	t.Parallel()
	h := Of(Story(214)...)
	h.Needs = map[string]int{"connections": 3}
	h.Said = Hostile[0]
	for name, at := range stories {
		Hold(t, name, h.HTML(t, at))
	}
}

func TestHostileRows(t *testing.T) {
	t.Parallel()
	HoldLists(t, Story(0))
}

// A page of a usual list stays small, and a list of ten thousand is one of them.
func TestLargeList(t *testing.T) {
	t.Parallel()
	h := Of(Story(10_000)...)
	if n := len(h.HTML(t, "/people")); n > 300_000 {
		t.Errorf("%d bytes", n)
	}
	if html := h.HTML(t, "/people?page=77"); !strings.Contains(html, "7,601 to 7,700 of 10,000") {
		t.Error("page 77 is another")
	}
}

func TestShots(t *testing.T) {
	h := Of(Story(214)...)
	h.Needs = map[string]int{"connections": 3}
	h.Said = "It was asked for."
	for name, at := range stories {
		h.Shoot(t, name, at)
	}
}
