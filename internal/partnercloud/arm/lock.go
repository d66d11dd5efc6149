package arm

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// lockRoutes are management locks.
func lockRoutes() []*route {
	const locks = "Microsoft.Authorization/locks"
	anywhere := atSubscription | atGroup | atResource
	return from(kit.Known, "Azure Resource Manager: Management Locks",
		add("GET", anywhere, authorization, "locks", locks+"/read", listLocks).takes("$top", "$skiptoken", "$filter").only("$filter", "atScope()"),
		add("GET", anywhere, authorization, "locks/{name}", locks+"/read", getLock),
		add("PUT", anywhere, authorization, "locks/{name}", locks+"/write", putLock),
		off(add("DELETE", anywhere, authorization, "locks/{name}", locks+"/delete", deleteLock)),
	)
}

const lockKind = "Microsoft.Authorization/locks"

func lockView(l *world.AzureLock) object {
	props := object{"level": l.Level}
	if l.Notes != "" {
		props["notes"] = l.Notes
	}
	return object{"id": l.Scope + "/providers/" + lockKind + "/" + l.Name, "type": lockKind, "name": l.Name, "properties": props}
}

// listLocks gives those at, above and below the scope; atScope() leaves out those
// below.
func listLocks(k *call) (reply, *fault) {
	rows := []object{}
	for i := range k.sub.Locks {
		l := &k.sub.Locks[i]
		if covers(l.Scope, k.at.scope) || k.param("$filter") == "" && covers(k.at.scope, l.Scope) {
			rows = append(rows, lockView(l))
		}
	}
	return page(k, rows)
}

func (k *call) lock() int {
	return slices.IndexFunc(k.sub.Locks, func(l world.AzureLock) bool {
		return strings.EqualFold(l.Name, k.params["name"]) && strings.EqualFold(l.Scope, k.at.scope)
	})
}

func getLock(k *call) (reply, *fault) {
	i := k.lock()
	if i < 0 {
		return reply{}, refuse(http.StatusNotFound, "LockNotFound", "The lock '"+clip(k.params["name"])+"' could not be found.")
	}
	return ok(lockView(&k.sub.Locks[i])), nil
}

// maxLockName bounds the name of a lock.
const maxLockName = 260

var lockName = pattern.Later(`^[^<>%&:\\?/\x00-\x1f]+$`)

// maxLocks is the published bound of a scope, here of a subscription.
const maxLocks = 20

func putLock(k *call) (reply, *fault) {
	var in struct {
		named
		Properties struct {
			Level  string `json:"level"`
			Notes  string `json:"notes"`
			Owners []any  `json:"owners"`
		} `json:"properties"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	p := &in.Properties
	i := slices.Index([]string{"cannotdelete", "readonly"}, strings.ToLower(p.Level))
	at := k.lock()
	switch {
	case len(k.params["name"]) > maxLockName || !lockName.MatchString(k.params["name"]):
		return reply{}, bad("InvalidLockName", "The lock's name is not valid.")
	case i < 0:
		return reply{}, bad("InvalidLockLevel", "The lock's level must be CanNotDelete or ReadOnly.")
	case len(p.Notes) > 512 || len(p.Owners) > 0:
		return reply{}, bad("InvalidLock", "Notes have at most 512 characters; owners are not supported here.")
	case at < 0 && len(k.sub.Locks) >= maxLocks:
		return reply{}, bad("LockLimitExceeded", "The subscription has as many locks as it may have.")
	}
	if f := in.judge(k.at.scope+"/providers/"+lockKind+"/"+k.params["name"], lockKind); f != nil {
		return reply{}, f
	}
	l := world.AzureLock{Name: k.params["name"], Scope: k.at.scope, Level: []string{"CanNotDelete", "ReadOnly"}[i], Notes: p.Notes}
	status := http.StatusCreated
	if at >= 0 {
		status, l.Name = http.StatusOK, k.sub.Locks[at].Name
	}
	k.change(k.route.action, k.at.scope+"/providers/"+lockKind+"/"+l.Name, "Succeeded", func(a *world.AzureSubscription) {
		a.Locks = slices.Clone(a.Locks)
		if at >= 0 {
			a.Locks[at] = l
		} else {
			a.Locks = append(a.Locks, l)
		}
	})
	return reply{status: status, body: lockView(&l)}, nil
}

func deleteLock(k *call) (reply, *fault) {
	i := k.lock()
	if i < 0 {
		return reply{status: http.StatusNoContent}, nil
	}
	k.change(k.route.action, k.at.scope+"/providers/"+lockKind+"/"+k.params["name"], "Succeeded",
		func(a *world.AzureSubscription) { a.Locks = slices.Delete(slices.Clone(a.Locks), i, i+1) })
	return ok(object{}), nil
}

// locked refuses a change that a lock forbids: CanNotDelete deletions, ReadOnly every
// one. A lock below forbids the deletion of what holds it. Rights, locks and the
// subscription as such are not locked.
func (k *call) locked(scope string) *fault {
	if !k.route.writes || len(k.sub.Locks) == 0 || slices.Contains([]string{authorization, subscribing, billing}, k.route.provider) {
		return nil
	}
	deletes := k.route.method == http.MethodDelete
	if k.route.provider == "" && k.at.group != "" {
		scope = k.at.scope
	}
	for _, l := range k.sub.Locks {
		above, below := covers(l.Scope, scope), deletes && covers(scope, l.Scope)
		if !above && !below || !deletes && l.Level != "ReadOnly" {
			continue
		}
		verb := "write"
		if deletes {
			verb = "delete"
		}
		return refuse(http.StatusConflict, "ScopeLocked", "The scope '"+scope+"' cannot perform "+verb+" operation because following scope(s) are locked: '"+
			l.Scope+"'. Please remove the lock and try again.")
	}
	return nil
}
