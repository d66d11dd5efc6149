package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/trail"
)

// proven is an opened entry with its proof.
type proven struct {
	Seq    int64         `json:"seq"`
	Proof  *trail.Proof  `json:"proof,omitempty"`
	Size   int64         `json:"size,omitempty"` // entries of the checkpoint
	Root   string        `json:"root,omitempty"`
	Unsaid string        `json:"unsaid,omitempty"` // why there is none
	Hashes []string      `json:"-"`
	Of     audit.Outcome `json:"-"`
}

// listWith is the list of entries; open is the proof of the row that is open.
func listWith(open *proven) *screen.List[trail.Entry] {
	return &screen.List[trail.Entry]{
		Noun: "entry", Default: "-seq", Search: "action, object, actor, reason", PerPage: 100, Tight: true,
		Key:    func(e *trail.Entry) string { return strconv.FormatInt(e.Seq, 10) },
		Tenant: func(e *trail.Entry) string { return e.Tenant },
		Columns: []screen.Column[trail.Entry]{
			{Name: "at", Head: "Time", Order: func(a, b *trail.Entry) int { return a.At.Compare(b.At) },
				Cell: func(e *trail.Entry) screen.Cell { return screen.Cell{At: e.At} }},
			{Name: "action", Head: "Action", Cell: func(e *trail.Entry) screen.Cell { return screen.Cell{Text: string(e.Action), Mono: true} }},
			{Name: "object", Head: "Object", Cell: func(e *trail.Entry) screen.Cell { return screen.Cell{Text: print.Clean(e.Object, 80), Sub: gist(e)} },
				Text: func(e *trail.Entry) string { return e.Object + " " + e.Reason }},
			{Name: "actor", Head: "Actor", Cell: func(e *trail.Entry) screen.Cell { return screen.Words(print.Clean(e.Actor, 80)) }},
			{Name: "outcome", Head: "Outcome", Cell: func(e *trail.Entry) screen.Cell {
				if s := saidOf(e.Outcome); s != nil {
					return screen.Cell{Said: s}
				}
				return screen.Cell{Text: string(e.Outcome), Quiet: true}
			}},
			{Name: "tenant", Head: "Tenant", Only: true, Text: func(e *trail.Entry) string { return e.Tenant }},
			{Name: "hash", Head: "Hash", Only: true, Text: func(e *trail.Entry) string { return e.Hash.String() }},
			{Name: "details", Head: "Details", Only: true, Text: details},
			{Name: "seq", Head: "No.", Right: true, Plain: true, Order: func(a, b *trail.Entry) int { return int(a.Seq - b.Seq) },
				Cell: func(e *trail.Entry) screen.Cell {
					return screen.Cell{Text: strconv.FormatInt(e.Seq, 10), Quiet: true, Sub: short(e.Hash)}
				}},
		},
		Filters: []screen.Filter[trail.Entry]{
			{Name: "outcome", Head: "Outcome", Enum: []string{"refused", "failed", "done"},
				Of: func(e *trail.Entry) []string { return []string{string(e.Outcome)} }},
			{Name: "by", Head: "By", Enum: []string{"people", "programs", "itself"}, Of: func(e *trail.Entry) []string { return []string{by(e.Actor)} },
				Word: func(v string) string { return "by " + v }},
			{Name: "action", Head: "Action", Of: func(e *trail.Entry) []string { return []string{string(e.Action)} }},
			{Name: "actor", Head: "Actor", Quiet: true, Of: func(e *trail.Entry) []string { return []string{e.Actor} }},
		},
		Detail: func(e *trail.Entry) []screen.Block { return entry(e, open) },
	}
}

// by is what kind of actor one is.
func by(actor string) string {
	kind, _, _ := strings.Cut(actor, ":")
	switch kind {
	case "system":
		return "itself"
	case "local", "entra":
		return "people"
	}
	return "programs"
}

// short is a hash as a list shows it.
func short(h trail.Hash) string { s := h.String(); return s[:8] + "…" + s[len(s)-4:] }

// gist is the second line of an entry: its reason, or the short ones of its details. The
// open row has them all.
func gist(e *trail.Entry) string {
	if e.Reason != "" {
		return print.Clean(e.Reason, 90)
	}
	var parts []string
	for _, k := range sorted(e.Details) {
		if v := e.Details[k]; len(v) <= 32 && len(parts) < 3 {
			parts = append(parts, k+" "+v)
		}
	}
	return print.Clean(strings.Join(parts, ", "), 90)
}

func details(e *trail.Entry) string {
	var parts []string
	for _, k := range sorted(e.Details) {
		parts = append(parts, k+"="+e.Details[k])
	}
	return strings.Join(parts, " ")
}

func sorted(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// entry is an open row: what it says, and that it is in the tree.
func entry(e *trail.Entry, open *proven) []screen.Block {
	pairs := screen.Pairs{
		{Key: "At", Cell: screen.Cell{Text: e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), Mono: true}},
		{Key: "Actor", Cell: screen.Cell{Text: e.Actor, Path: screen.With("/trail", "actor", e.Actor)}},
	}
	if e.Object != "" {
		pairs = append(pairs, screen.Pair{Key: "Object", Cell: screen.Cell{Text: e.Object, Path: screen.With("/trail", "object", e.Object)}})
	}
	if e.Tenant != "" {
		pairs = append(pairs, screen.Pair{Key: "Tenant", Cell: screen.Cell{Text: e.Tenant, Mono: true, Path: screen.With("/trail", "of", e.Tenant)}})
	}
	if e.Reason != "" {
		pairs = append(pairs, screen.Pair{Key: "Reason", Cell: screen.Words(e.Reason)})
	}
	for _, k := range sorted(e.Details) {
		pairs = append(pairs, screen.Pair{Key: k, Cell: screen.Cell{Text: e.Details[k]}})
	}
	if to := leads(e); to.Path != "" {
		pairs = append(pairs, screen.Pair{Key: "See", Cell: to})
	}
	proof := []screen.Block{screen.Pairs{{Key: "Entry", Cell: screen.Words(print.Number(e.Seq))},
		{Key: "Leaf", Cell: screen.Cell{Text: e.Hash.String(), Mono: true}, From: "SHA-256 over its words"}}}
	switch {
	case open == nil || open.Seq != e.Seq:
	case open.Unsaid != "":
		proof = append(proof, screen.Para{Text: open.Unsaid, Class: "note"})
	default:
		proof = append(proof, screen.Para{Class: "note",
			Text: fmt.Sprintf("It is in the tree of the checkpoint of %s entries: the leaf and these %s make its root.",
				print.Number(open.Size), print.Plural(int64(len(open.Hashes)), "hashes"))},
			screen.Pairs{{Key: "Root", Cell: screen.Cell{Text: open.Root, Mono: true}}})
		for part := range slices.Chunk(open.Hashes, 24) { // a text of a page is bounded
			proof = append(proof, screen.Code{Text: strings.Join(part, "\n"), Wrap: true})
		}
	}
	return []screen.Block{screen.Bit{Head: "What was recorded", Body: []screen.Block{pairs}}, screen.Bit{Head: "That it is in the tree", Body: proof}}
}

// leads is the page of what an entry is about.
func leads(e *trail.Entry) screen.Cell {
	area, _, _ := strings.Cut(string(e.Action), ".")
	switch area {
	case "connection":
		return screen.Cell{Text: "the connection", Path: screen.With("/connections/one", "connection", e.Object)}
	case "automation":
		return screen.Cell{Text: "the item", Path: screen.With("/automation", "row", e.Object)}
	case "exception":
		return screen.Cell{Text: "the exceptions", Path: "/exceptions"}
	case "archive", "collection":
		return screen.Cell{Text: "the readings", Path: screen.With("/collection", "tenant", e.Tenant)}
	case "job":
		return screen.Cell{Text: "the jobs", Path: "/collection/jobs"}
	}
	return screen.Cell{}
}

// summary is the page in numbers, and the proof of the entry that is open.
type summary struct {
	Entries  int64     `json:"entries,omitempty"` // of the whole trail; not told to who sees a part
	Root     string    `json:"root,omitempty"`
	Verified *Verified `json:"verified,omitempty"`
	Shown    int       `json:"shown"`
	Next     int64     `json:"next,omitempty"` // before of the next window
	Open     *proven   `json:"open,omitempty"`
}

func (r *Reading) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	q, whole, err := query(a)
	if err != nil {
		return nil, err
	}
	entries, next, unread, err := r.window(ctx, a.Viewer, q)
	if err != nil {
		return nil, err
	}
	var open *proven
	if seq, err := strconv.ParseInt(a.Query.Row, 10, 64); err == nil && slices.ContainsFunc(entries, func(e trail.Entry) bool { return e.Seq == seq }) {
		open = r.prove(ctx, seq)
	}
	last, err := r.last(ctx)
	if err != nil {
		return nil, err
	}
	head, err := r.d.Trail.Head(ctx)
	if err != nil {
		return nil, err
	}
	s := summary{Shown: len(entries), Next: next, Open: open}
	all := a.Viewer.Customers == nil
	if all {
		s.Entries, s.Root = head.Seq, head.Hash.String()
		if !last.At.IsZero() {
			s.Verified = &last
		}
	}
	v := &screen.View{Rows: listWith(open).Of(entries), Summary: s, Sentence: sentence(len(entries), next, q, whole),
		Facts:   []screen.Fact{{What: "Verified", At: last.At, Allows: 3 * 24 * time.Hour, Source: "the whole trail, read from its first entry", Rests: true}},
		Nothing: &screen.Nothing{Head: "No entry", Text: "Nothing that matches was recorded in this time.", LinkText: "The newest entries", Path: "/trail"}}
	if unread > 0 {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: print.Plural(int64(unread), "entries") + " could not be read.",
			Text: "Verifying names them."})
	}
	if a.Machine {
		return v, nil
	}
	v.Actions = []screen.Action{{Text: "Verify now", Act: "verify"}}
	if next > 0 {
		v.Actions = append(v.Actions, screen.Action{Text: "Older entries", Path: older(a, next)})
	}
	v.Notices = append(v.Notices, stands(&last, head.Seq, all))
	if all {
		v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{r.checkpoint(head, &last, a.Now), r.witnesses(ctx, head.Seq, a.Now)}}}
	}
	return v, nil
}

func older(a *screen.Ask, next int64) string {
	pairs := []string{"before", strconv.FormatInt(next, 10)}
	for _, name := range []string{"from", "to", "object", "of"} {
		pairs = append(pairs, name, a.Values.Get(name))
	}
	for name, list := range a.Query.Filters {
		for _, x := range list {
			pairs = append(pairs, name, x)
		}
	}
	return screen.With("/trail", pairs...)
}

func sentence(n int, next int64, q trail.Query, whole bool) string {
	words := "Everything done here, by whom, in a tree that nothing leaves or enters unseen. "
	what := "The newest "
	if next == 0 {
		what = "All "
	}
	words += what + print.Plural(int64(n), "entries")
	if !whole {
		words += " that match"
	}
	if !q.From.IsZero() {
		words += " since " + q.From.UTC().Format("2 Jan 2006")
	}
	return words + "."
}

// stands is the first thing the page says: whole, not whole, or not known.
func stands(v *Verified, size int64, all bool) screen.Notice {
	switch {
	case v.Bad != "":
		return screen.Notice{Tone: print.Bad, Lead: "The trail does not hold.", Text: print.Ended(print.Sentence(v.Bad)) +
			" Keep the database as it is, and compare with an export or an anchor."}
	case v.At.IsZero():
		return screen.Notice{Tone: print.Doubt, Lead: "Whether it is whole is not known yet.", Text: "It is verified once a day, and when it is asked for."}
	case v.Error != "":
		return screen.Notice{Tone: print.Doubt, Lead: "It could not be verified.", Text: print.Ended(print.Sentence(v.Error))}
	}
	n := screen.Notice{Tone: print.Good, Lead: "Whole.", Text: "Each entry is in the tree, from the first one on."}
	if all {
		n.Text = fmt.Sprintf("%s entries, each in the tree from the first one on; %s were recorded since.", print.Number(v.Entries),
			print.Number(max(size-v.Entries, 0)))
	}
	return n
}

// checkpoint is where the trail stands.
func (r *Reading) checkpoint(head trail.Head, v *Verified, now time.Time) screen.Block {
	pairs := screen.Pairs{{Key: "Entries", Cell: screen.Words(print.Number(head.Seq))}, {Key: "Root", Cell: screen.Cell{Text: head.Hash.String(), Mono: true}}}
	if !v.At.IsZero() {
		pairs = append(pairs, screen.Pair{Key: "Verified", Cell: screen.Cell{At: v.At, Ago: true},
			From: "by this installation: whoever has an export and the key can do it without us"})
	}
	return screen.Card{Head: "Checkpoint", Body: []screen.Block{pairs, screen.Code{Text: "partnerguard trail verify\npartnerguard trail export > trail.jsonl"}}}
}

// witnesses are the places outside that hold its checkpoints.
func (r *Reading) witnesses(ctx context.Context, size int64, now time.Time) screen.Block {
	card := screen.Card{Head: "Anchors and witnesses", Bare: true}
	stand, err := r.d.Trail.Standings(ctx)
	var names []string
	if err == nil && r.d.Anchors != nil {
		names, err = r.d.Anchors()
	}
	if err != nil {
		r.d.Log.WarnContext(ctx, "the anchors could not be shown", "error", err)
		card.Body = []screen.Block{screen.Para{Text: "They could not be read just now.", Class: "note pad"}}
		return card
	}
	items := screen.Items{Empty: "None: whoever writes the database can cut or rewrite it unseen. Name one under anchors in the settings file."}
	for _, s := range stand {
		it := screen.Item{Icon: "v-met", Lead: print.Clean(s.Anchor, 100), Text: fmt.Sprintf("has %s of %s entries", print.Number(s.Size), print.Number(size))}
		switch {
		case s.Misfit:
			it.Icon, it.Text = "v-not", "holds what does not fit this trail: "+print.Clean(s.Reason, 200)
		case !s.Failing.IsZero():
			it.Icon, it.Text = "v-warn", "does not take it since "+screen.Ago(s.Failing, now)+": "+print.Clean(s.Reason, 200)
		case !slices.Contains(names, s.Anchor) && r.d.Anchors != nil:
			it.Icon, it.Meta = "v-na", "it is named in the settings no more"
		}
		if !s.At.IsZero() {
			it.Meta = strings.TrimSpace(it.Meta + " " + screen.Ago(s.At, now))
		}
		items.List = append(items.List, it)
	}
	for _, n := range names {
		if !slices.ContainsFunc(stand, func(s trail.Standing) bool { return s.Anchor == n }) {
			items.List = append(items.List, screen.Item{Icon: "v-unk", Lead: print.Clean(n, 100), Text: "was never given the trail"})
		}
	}
	card.Body = []screen.Block{items}
	return card
}

// prove makes the proof of an entry.
func (r *Reading) prove(ctx context.Context, seq int64) *proven {
	out := &proven{Seq: seq, Unsaid: "The vault is not open here, and so nothing can be signed to prove it by."}
	if r.d.Sign == nil {
		return out
	}
	signed, err := r.d.Sign(ctx)
	if err == nil {
		var p trail.Proof
		if p, err = r.d.Trail.ProveEntry(ctx, seq, signed); err == nil {
			var c trail.Checkpoint
			if _, c, err = p.Verify(); err == nil {
				out.Proof, out.Size, out.Root, out.Unsaid = &p, c.Size, c.Root.String(), ""
				for _, h := range p.Hashes {
					out.Hashes = append(out.Hashes, h.String())
				}
			}
		}
	}
	if err != nil {
		out.Unsaid = "It could not be proven just now."
		if p, ok := errors.AsType[*problem.Error](err); ok {
			out.Unsaid = print.Ended(print.Sentence(p.Public))
		}
		r.d.Log.WarnContext(ctx, "an entry of the trail was not proven", "entry", seq, "error", err)
	}
	return out
}
