package arm

import (
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// operation is a long operation.
type operation struct {
	tenant, sub  string
	started, due time.Time
}

// operations are kept for a while. Used with the state locked.
type operations struct {
	all   map[string]operation
	order []string
}

const maxOperations = 5_000

func (o *operations) add(op operation) string {
	if o.all == nil {
		o.all = map[string]operation{}
	}
	id := world.NewGUID()
	o.all[id] = op
	if o.order = append(o.order, id); len(o.order) > maxOperations {
		delete(o.all, o.order[0])
		o.order = o.order[1:]
	}
	return id
}

// operationStatus tells how a long operation stands: by the operation (always
// 200 with a status) or, with monitor, by its result (202 until it is there).
func operationStatus(k *call) (reply, *fault) {
	id := strings.ToLower(k.params["operation"])
	op, found := k.a.operations.all[id]
	if !found || op.tenant != k.tenant.ID || !strings.EqualFold(op.sub, k.sub.ID) {
		return reply{}, refuse(http.StatusNotFound, "NotFound", "The operation could not be found.")
	}
	done := !k.now.Before(op.due)
	wait := map[string]string{"Retry-After": retryAfter(op.due.Sub(k.now))}
	if strings.EqualFold(k.param("monitor"), "true") {
		if !done {
			at := k.base + k.URL.RequestURI()
			wait["Location"] = at
			return reply{status: http.StatusAccepted, header: wait}, nil
		}
		return reply{status: http.StatusOK}, nil
	}
	v := object{"name": id, "startTime": op.started.UTC().Format(time.RFC3339Nano), "status": "InProgress"}
	if !done {
		return reply{status: http.StatusOK, body: v, header: wait}, nil
	}
	v["status"], v["endTime"] = "Succeeded", op.due.UTC().Format(time.RFC3339Nano)
	return ok(v), nil
}
