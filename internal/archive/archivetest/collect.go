package archivetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/evidence"
)

// Source is a partner's exports that pages are made of.
type Source struct {
	Files  fs.FS
	Tenant string
	At     time.Time // when the first page is answered; each further one a millisecond later
	Per    int       // elements a page
	Pretty bool      // pages as some services write them, on many lines
	Skip   func(resource string) bool
}

// Fill writes the exports into an archive as the pages that they were made of, one
// run a list, a segment for each.
func (s Source) Fill(t testing.TB, a *archive.Archive) (segments []archive.Segment) {
	t.Helper()
	for _, r := range evidence.Requests() {
		name := strings.TrimSuffix(r.File, ".json")
		for _, as := range evidence.Resources() {
			if as.File == r.File {
				name = as.Name
			}
		}
		if s.Skip != nil && s.Skip(name) {
			continue
		}
		c := &collector{TB: t, s: &s, r: &r, resource: name}
		c.begin(a)
		for _, dir := range []string{"entra", "partner"} {
			if raw, err := fs.ReadFile(s.Files, path.Join(dir, r.File)); err == nil {
				c.list(raw)
			}
		}
		if r.Kind == evidence.SignIn {
			c.w.Discard()
			segments = append(segments, s.signIns(t, a)...)
			continue
		}
		if c.n > 0 {
			segments = append(segments, c.commit("whole"))
		}
		c.w.Discard()
		s.At = c.s.At
	}
	return segments
}

// collector makes the pages of one run.
type collector struct {
	testing.TB
	s        *Source
	r        *evidence.Request
	resource string
	w        *archive.Writer
	run      string
	n        int
	from, to time.Time
}

func (c *collector) begin(a *archive.Archive) {
	c.Helper()
	var err error
	if c.w, err = a.Begin(c.s.Tenant); err != nil {
		c.Fatal(err)
	}
	c.run = archive.NewRun(c.s.At)
}

func (c *collector) page(of string, body any) {
	c.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.Fatal(err)
	}
	if c.s.Pretty {
		var out bytes.Buffer
		if err := json.Indent(&out, b, "", "\r\n  "); err != nil {
			c.Fatal(err)
		}
		b = out.Bytes()
	}
	if c.r.Service == evidence.PartnerCenter {
		b = append([]byte("\ufeff"), b...)
	}
	p := archive.Page{
		Tenant: c.s.Tenant, Resource: c.resource, Run: c.run, Number: c.n, Request: "GET " + c.r.Address(), Of: of, RequestID: fmt.Sprint("r", c.n),
		Status: 200, From: c.from, To: c.to, At: c.s.At, Body: b,
	}
	if err := c.w.Add(p); err != nil {
		c.Fatal(err)
	}
	c.n++
	c.s.At = c.s.At.Add(time.Millisecond)
}

func (c *collector) commit(way string) archive.Segment {
	c.Helper()
	r := archive.Run{ID: c.run, Tenant: c.s.Tenant, Resource: c.resource, Way: way, From: c.from, To: c.to, Ended: c.s.At, Whole: true, Pages: c.n}
	if err := c.w.End(r); err != nil {
		c.Fatal(err)
	}
	s, err := c.w.Commit(c.Context(), nil)
	if err != nil {
		c.Fatal(err)
	}
	return s
}

type exported struct {
	Context string            `json:"@odata.context,omitempty"`
	Total   *int              `json:"totalCount,omitempty"`
	Next    string            `json:"@odata.nextLink,omitempty"`
	Links   any               `json:"links,omitempty"`
	Value   []json.RawMessage `json:"value,omitzero"`
	Items   []json.RawMessage `json:"items,omitzero"`
}

// list makes pages of an export.
func (c *collector) list(raw []byte) {
	c.Helper()
	var e exported
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &e.Value); err != nil {
			c.Fatal(err)
		}
	} else if err := json.Unmarshal(raw, &e); err != nil {
		c.Fatal(err)
	}
	switch {
	case c.r.One || e.Value == nil && e.Items == nil:
		c.page("", json.RawMessage(raw))
	case c.r.Each != nil:
		c.loop(&e)
	default:
		c.pages("", &e)
	}
}

// pages cuts a list into pages.
func (c *collector) pages(of string, e *exported) {
	c.Helper()
	per := max(c.s.Per, 1)
	all := e.Value
	if e.Items != nil {
		all = e.Items
	}
	for first := true; first || len(all) > 0; first = false {
		n := min(per, len(all))
		p := exported{Context: e.Context, Total: e.Total}
		part := append([]json.RawMessage{}, all[:n]...)
		all = all[n:]
		switch {
		case e.Items != nil:
			p.Items = part
			if len(all) > 0 {
				p.Links = map[string]any{"next": map[string]string{"uri": "/customers?seekOperation=Next", "method": "GET"}}
			}
		default:
			p.Value = part
			if len(all) > 0 {
				p.Next = "https://graph.microsoft.com" + c.r.Address() + "?$skiptoken=" + fmt.Sprint(c.n)
			}
		}
		c.page(of, p)
	}
}

// loop makes the list of a loop, and an answer for each item.
func (c *collector) loop(e *exported) {
	c.Helper()
	type answer struct {
		of   string
		body any
	}
	var answers []answer
	bare := *e
	bare.Value, bare.Items = nil, nil
	strip := func(raw json.RawMessage, but ...string) (map[string]json.RawMessage, string) {
		var m map[string]json.RawMessage
		var id string
		if err := json.Unmarshal(raw, &m); err != nil {
			c.Fatal(err)
		}
		_ = json.Unmarshal(m["id"], &id)
		for _, b := range but {
			delete(m, b)
		}
		return m, id
	}
	encode := func(v any) json.RawMessage { b, _ := json.Marshal(v); return b }
	for _, raw := range append(append([]json.RawMessage{}, e.Value...), e.Items...) {
		switch c.r.Kind {
		case evidence.Group:
			var g struct{ Members []json.RawMessage }
			_ = json.Unmarshal(raw, &g)
			m, id := strip(raw, "members")
			bare.Value = append(bare.Value, encode(m))
			if g.Members != nil {
				answers = append(answers, answer{id, &exported{Context: "https://graph.microsoft.com/v1.0/$metadata#directoryObjects", Value: g.Members}})
			}
		case evidence.PerUserMFA:
			m, id := strip(raw, "perUserMfaState")
			bare.Value = append(bare.Value, encode(m))
			var state struct{ PerUserMfaState string }
			_ = json.Unmarshal(raw, &state)
			answers = append(answers, answer{id, map[string]string{
				"@odata.context":  "https://graph.microsoft.com/beta/$metadata#users('" + id + "')/authentication/requirements",
				"perUserMfaState": state.PerUserMfaState,
			}})
		case evidence.Customer:
			m, id := strip(raw, "allowDelegatedAccess")
			bare.Items = append(bare.Items, encode(m))
			answers = append(answers, answer{id, raw})
		default:
			var of exported
			_ = json.Unmarshal(raw, &of)
			_, id, _ := strings.Cut(of.Context, "('")
			id, _, _ = strings.Cut(id, "')")
			bare.Value = append(bare.Value, encode(map[string]string{"id": id}))
			answers = append(answers, answer{id, &of})
		}
	}
	c.pages("", &bare)
	for _, a := range answers {
		if of, ok := a.body.(*exported); ok {
			c.pages(a.of, of)
		} else {
			c.page(a.of, a.body)
		}
	}
}

// signIns makes slices of a day each, one run a day and a kind of sign-in.
func (s *Source) signIns(t testing.TB, a *archive.Archive) (segments []archive.Segment) {
	t.Helper()
	names, err := fs.Glob(s.Files, "signins/signIns-*.jsonl.gz")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	raw, err := fs.ReadFile(s.Files, names[0])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	type slot struct{ kind, day string }
	rows := map[slot][]json.RawMessage{}
	var order []slot
	for line := range bytes.Lines(text.Bytes()) {
		var row struct {
			CreatedDateTime  time.Time
			SignInEventTypes []string
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		of := slot{row.SignInEventTypes[0], row.CreatedDateTime.Format(time.DateOnly)}
		if rows[of] == nil {
			order = append(order, of)
		}
		rows[of] = append(rows[of], bytes.TrimSpace(line))
	}
	for _, of := range order {
		r := evidence.RequestsFor(evidence.SignIn)[0]
		c := &collector{TB: t, s: s, r: &r, resource: "signIns." + of.kind}
		c.from, _ = time.Parse(time.DateOnly, of.day)
		c.to = c.from.AddDate(0, 0, 1)
		c.begin(a)
		c.pages("", &exported{Context: "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns", Value: rows[of]})
		segments = append(segments, c.commit("sliced"))
	}
	return segments
}
