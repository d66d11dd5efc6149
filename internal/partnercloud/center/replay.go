package center

import (
	"net/http"
	"time"
)

// replays remembers what was answered to a write under a client's MS-RequestId,
// so that a retry is done once. As in production the id alone counts: using it
// again for another call gives the old result. Refused writes changed nothing
// and are not kept. It is used with the state locked.
type replays struct {
	kept  map[string]replay
	order []string
}

type replay struct {
	at  time.Time
	rep reply
}

// How long and how many.
const (
	replayFor  = 24 * time.Hour
	maxReplays = 5_000
)

func replayKey(k *call) string {
	return k.who.Tenant + "\x00" + k.who.ObjectID + "\x00" + k.who.Client() + "\x00" + k.id
}

func (r *replays) find(k *call) (reply, bool) {
	old, found := r.kept[replayKey(k)]
	if !found || k.now.Sub(old.at) >= replayFor {
		return reply{}, false
	}
	return old.rep, true
}

func (r *replays) keep(k *call, rep reply) {
	if rep.status >= http.StatusBadRequest {
		return
	}
	if r.kept == nil {
		r.kept = map[string]replay{}
	}
	key := replayKey(k)
	if _, found := r.kept[key]; !found {
		r.order = append(r.order, key)
	}
	r.kept[key] = replay{k.now, rep}
	for len(r.order) > maxReplays {
		delete(r.kept, r.order[0])
		r.order = r.order[1:]
	}
}
