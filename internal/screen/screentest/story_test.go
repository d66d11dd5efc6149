package screentest

import (
	"testing"
)

func TestShots(t *testing.T) {
	h := Of(Story(214)...)
	h.Needs = map[string]int{"connections": 3}
	for name, at := range map[string]string{"status": "/status", "people": "/people?row=id-0", "signins": "/signins?row=id-3",
		"customers": "/customers?proof=met&q=example", "connections": "/connections", "collection": "/collection"} {
		h.Shoot(t, name, at)
	}
	h.Said = "It was asked for."
	h.HTML(t, "/people")
}
