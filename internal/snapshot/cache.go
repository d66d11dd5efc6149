package snapshot

import (
	"container/list"
	"reflect"
	"sync"
)

type cacheKey struct {
	tenant, part, version string
	of                    reflect.Type
}

// cache remembers decoded parts, the latest used, up to a size. Of a part it has one
// version a type.
type cache struct {
	mu    sync.Mutex
	limit int64
	size  int64
	byKey map[cacheKey]*list.Element
	last  map[cacheKey]cacheKey // without a version: the one that is there
	order *list.List            // front is the latest used
}

type cached struct {
	key   cacheKey
	value any
	size  int64
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, byKey: map[cacheKey]*list.Element{}, last: map[cacheKey]cacheKey{}, order: list.New()}
}

func (c *cache) get(k cacheKey) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[k]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).value, true //nolint:forcetypeassert // nothing else is put in
}

func (c *cache) put(k cacheKey, v any, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[k]; ok || size > c.limit {
		return
	}
	any := k
	any.version = ""
	if old, ok := c.last[any]; ok {
		c.drop(c.byKey[old])
	}
	c.byKey[k], c.last[any] = c.order.PushFront(&cached{k, v, size}), k
	c.size += size
	for c.size > c.limit {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	it := c.order.Remove(e).(*cached) //nolint:forcetypeassert // nothing else is put in
	c.size -= it.size
	delete(c.byKey, it.key)
	it.key.version = ""
	delete(c.last, it.key)
}
