package rehearse

import "sync"

// joined are patterns with whom they are of. A history under other engines shares whose they are:
// what is looked up of an account is looked up once.
type joined struct {
	keys  []string
	list  []*Pattern // in the order of keys
	names []named    // Pattern.who is of these
	whole int        // accounts: named.account is below it

	once  sync.Once
	byKey map[string]*Pattern
}

// named is an account under one of the names that rows give it.
type named struct {
	id, upn string
	account int // the same for all of its names
}

// Of is the same history of some accounts alone, by their ids as patterns have them.
func (h *History) Of(accounts map[string]bool) *History {
	all := h.join()
	keep := make([]bool, len(all.names))
	for i := range all.names {
		keep[i] = accounts[all.names[i].id]
	}
	out := &joined{names: all.names, whole: all.whole}
	for i, p := range all.list {
		if keep[p.who] {
			out.keys, out.list = append(out.keys, all.keys[i]), append(out.list, p)
		}
	}
	return &History{engines: h.engines, all: out}
}

// join joins what the visitors saw, the first time.
func (h *History) join() *joined {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = join(h.visitors)
	}
	return h.all
}

func join(visitors []*collector) *joined {
	all := &joined{}
	at := map[string]int{}
	for n, c := range visitors {
		for k, p := range c.patterns {
			i, ok := at[k]
			if !ok {
				all.keys, all.list = append(all.keys, k), append(all.list, p)
				if len(visitors) > 1 && n < len(visitors)-1 {
					at[k] = len(all.list) - 1
				}
				continue
			}
			all.list[i].add(p)
		}
	}
	type name struct{ id, upn string }
	accounts, names := map[string]int{}, map[name]int{}
	for _, p := range all.list {
		who := name{p.Account, p.UPN}
		i, ok := names[who]
		if !ok {
			account, had := accounts[p.Account]
			if !had {
				account = len(accounts)
				accounts[p.Account] = account
			}
			i = len(all.names)
			names[who] = i
			all.names = append(all.names, named{p.Account, p.UPN, account})
		}
		p.who = i
	}
	all.whole = len(accounts)
	return all
}

// add takes in what another visitor saw of the same signature.
func (p *Pattern) add(o *Pattern) {
	p.Rows += o.Rows
	p.Proven += o.Proven
	p.Demanded += o.Demanded
	p.NotChallenged += o.NotChallenged
	p.begin(o.First)
	if newer(o.Last, o.LastID, p.Last, p.LastID) {
		p.Last, p.LastID, p.LastSource = o.Last, o.LastID, o.LastSource
	}
	if o.NotChallenged > 0 {
		p.Open.see(o.Open.At, o.Open.ID, o.Open.Source)
	}
	if o.Demanded > 0 {
		p.Asked.see(o.Asked.At, o.Asked.ID, o.Asked.Source)
	}
}
